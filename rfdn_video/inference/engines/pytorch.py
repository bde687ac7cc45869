"""The engine that is always there: PyTorch, channels last."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from rfdn_video.inference.bands import BandedRFDN
from rfdn_video.inference.fusion import fuse
from rfdn_video.inference.rows import Read
from rfdn_video.models.rfdn import RFDN
from rfdn_video.models.weights import Weights

__all__ = ["TorchEngine"]


class TorchEngine:
    """See :class:`rfdn_video.inference.engines.engine.Engine`."""

    name = "torch"
    at_once, repeats_rows = 1, True

    def __init__(self, weights: Weights, device: torch.device, precision: torch.dtype) -> None:
        self.device, self.precision = device, precision
        self.runs_bands = weights.config.is_local
        if device.type == "cuda" and precision is torch.float32:
            # cuDNN would compute convolutions in TF32, which has no more digits than fp16. This holds for the process.
            torch.backends.cudnn.allow_tf32 = False
        network = fuse(weights).build()
        self._network: RFDN = network.to(device, precision, memory_format=torch.channels_last)  # type: ignore[call-overload]

    def __call__(self, image: Tensor) -> Tensor:
        enlarged: Tensor = self._network(self._enter(image))
        return enlarged.float()

    def in_bands(self, width: int, height: int, band: int) -> _TorchBands:
        """See :class:`rfdn_video.inference.engines.engine.Engine`."""
        return _TorchBands(BandedRFDN(self._network, width, height, band), self._enter)

    def _enter(self, image: Tensor) -> Tensor:
        return image.to(self.precision, memory_format=torch.channels_last)


class _TorchBands:
    """See :class:`rfdn_video.inference.engines.engine.BandRunner`."""

    def __init__(self, network: BandedRFDN, enter: Callable[[Tensor], Tensor]) -> None:
        self._network, self._enter = network, enter
        self.needed = network.needed

    def run(self, read: Read, wanted: range) -> Iterator[tuple[range, Tensor]]:
        """Rows of the picture and their enlargement."""
        for rows, band in self._network.run(lambda asked: self._enter(read(asked)), wanted):
            yield rows, band.float()
