"""The engine for CPUs and many pictures: Winograd's convolutions, a core a picture.

A 3x3 convolution of 6x6 results takes 64 multiplications instead of 324 (Lavin & Gray 2016, arXiv 1509.09308). NNPACK,
which torch has inside, computes so, in float32 and with plain layout; on one core E-RFDN then takes 0.6 of the time
that oneDNN takes, which the engine ``torch`` uses. NNPACK's threads and torch's would wait for each other, two cores
hardly be faster than one: so every picture has one core, and there are as many pictures at the same time as cores.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

import torch
from torch import Tensor, nn

from rfdn_video.errors import DeviceError, UsageError
from rfdn_video.inference.bands import BandedRFDN
from rfdn_video.inference.device import open_device
from rfdn_video.inference.fusion import fuse
from rfdn_video.inference.rows import Read
from rfdn_video.models.rfdn import RFDN
from rfdn_video.models.weights import Weights

__all__ = ["WinogradEngine", "has_nnpack"]

FEWEST = 16
"""Output channels of a convolution from which transforming its input pays."""


class WinogradEngine:
    """See :class:`rfdn_video.inference.engines.engine.Engine`.

    Results differ from other engines' by rounding only, up to 0.02 of a code value of 8 bit, but as the tiles
    fall: rows that are computed again alone do not get the same bits.

    Raises:
        DeviceError: NNPACK cannot be used here.
        UsageError: another precision than float32.
    """

    name = "winograd"
    device = torch.device("cpu")
    precision = torch.float32
    repeats_rows = False

    def __init__(self, weights: Weights, precision: torch.dtype) -> None:
        if precision is not torch.float32:
            raise UsageError("engine winograd computes in fp32 only; leave --precision away, or give --engine torch")
        if not has_nnpack():
            raise DeviceError("engine winograd: torch's NNPACK cannot be used on this CPU; give --engine torch")
        self.runs_bands = weights.config.is_local
        self.at_once = torch.get_num_threads()
        self._network = cast(RFDN, fuse(weights).build())
        _replace_convolutions(self._network)
        _start_nnpack()

    def __call__(self, image: Tensor) -> Tensor:
        pictures = [self._network(picture[None]) for picture in image.contiguous()]  # NNPACK's inference takes one
        return torch.cat(pictures)

    def in_bands(self, width: int, height: int, band: int) -> _WinogradBands:
        """See :class:`rfdn_video.inference.engines.engine.Engine`."""
        return _WinogradBands(BandedRFDN(self._network, width, height, band))


class _WinogradBands:
    """See :class:`rfdn_video.inference.engines.engine.BandRunner`."""

    def __init__(self, network: BandedRFDN) -> None:
        self.needed, self._network = network.needed, network

    def run(self, read: Read, wanted: range) -> Iterator[tuple[range, Tensor]]:
        """Rows of the picture and their enlargement."""
        return self._network.run(lambda asked: read(asked).contiguous(), wanted)


class _Winograd(nn.Conv2d):
    """A 3x3 convolution of stride 1."""

    def forward(self, x: Tensor) -> Tensor:
        return torch._nnpack_spatial_convolution(x, self.weight, self.bias, cast(tuple[int, ...], self.padding))


class _Pointwise(nn.Conv2d):
    """A 1x1 convolution: a product of matrices."""

    def forward(self, x: Tensor) -> Tensor:
        assert self.bias is not None
        pixels = x[0].flatten(1)  # a view, also of some rows of a buffer
        return torch.addmm(self.bias[:, None], self.weight.flatten(1), pixels).view(1, -1, *x.shape[2:])


def has_nnpack() -> bool:
    """It can be used on this CPU. It must be asked before anything is computed with it: that makes NNPACK ready."""
    return bool(torch.backends.nnpack.is_available())  # type: ignore[no-untyped-call]


def _replace_convolutions(network: RFDN) -> None:
    for module in network.modules():
        if type(module) is nn.Conv2d:
            if module.kernel_size == (1, 1):
                module.__class__ = _Pointwise
            elif module.stride == (1, 1) and module.out_channels >= FEWEST:
                module.__class__ = _Winograd


def _start_nnpack() -> None:
    """NNPACK's threads are as many as torch has where it computes first: one, or pictures would wait for each other."""

    def compute() -> None:
        image, kernel = (torch.zeros(1, 1, side, side, dtype=torch.float32) for side in (16, 3))
        torch._nnpack_spatial_convolution(image, kernel, None, (1, 1))

    device = open_device(torch.device("cpu"), 1)
    device.queue().submit(compute).wait()
    device.close()
