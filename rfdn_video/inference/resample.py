"""Separable resampling at any ratio and phase, antialiased where it reduces.

One kernel serves chroma and fractional scales: Catmull-Rom (bicubic, b = 0, c = 1/2), stretched
where the picture gets smaller. Edges are mirrored, half a sample outside, as in zimg.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

__all__ = ["Taps", "resample", "resize_taps", "siting_taps_down", "siting_taps_up"]

SUPPORT = 2.0


@dataclass(frozen=True)
class Taps:
    """A one-dimensional resampling: output i is the sum over k of ``weight[k, i] * input[index[k, i]]``.

    ``first`` and ``last`` are the lowest and highest input of each output; they stay on the CPU.
    """

    index: Tensor
    weight: Tensor
    first: NDArray[np.int64]
    last: NDArray[np.int64]

    def to(self, device: torch.device) -> Taps:
        """The same on another device."""
        return replace(self, index=self.index.to(device), weight=self.weight.to(device))

    def needed(self, outputs: range) -> range:
        """The inputs that ``outputs`` depend on."""
        part = slice(outputs.start, outputs.stop)
        return range(int(self.first[part].min()), int(self.last[part].max()) + 1)

    def part(self, outputs: range) -> Taps:
        """Those of ``outputs``, which take ``needed(outputs)`` for all inputs."""
        part, start = slice(outputs.start, outputs.stop), self.needed(outputs).start
        index, weight = self.index[:, part] - start, self.weight[:, part]
        return Taps(index, weight, self.first[part] - start, self.last[part] - start)


def resize_taps(size: int, new_size: int) -> Taps:
    """Resizes ``size`` samples to ``new_size``, picture edges aligned."""
    positions = (np.arange(new_size, dtype=np.float64) + 0.5) * (size / new_size) - 0.5
    return _taps(positions, size, stretch=max(1.0, size / new_size))


def siting_taps_up(size: int, luma_size: int, step: int, offset: float) -> Taps:
    """Brings subsampled chroma to every luma sample.

    Args:
        size: chroma samples.
        luma_size: luma samples.
        step: luma samples a chroma sample, 2 for 4:2:0.
        offset: where a chroma sample lies among its luma samples, 0 at the first, 1 at the last.
    """
    return _taps((np.arange(luma_size, dtype=np.float64) - offset * (step - 1)) / step, size, stretch=1.0)


def siting_taps_down(luma_size: int, size: int, step: int, offset: float) -> Taps:
    """The way back of :func:`siting_taps_up`, antialiased."""
    return _taps(np.arange(size, dtype=np.float64) * step + offset * (step - 1), luma_size, stretch=float(step))


def resample(planes: Tensor, rows: Taps, columns: Taps) -> Tensor:
    """Resamples the last two dimensions, [..., H, W] to [..., H', W'], float32."""
    return _along(_along(planes, rows, dim=-2), columns, dim=-1)


def _along(planes: Tensor, taps: Taps, dim: int) -> Tensor:
    shape = (-1, 1) if dim == -2 else (-1,)
    total = planes.index_select(dim, taps.index[0]) * taps.weight[0].reshape(shape)
    for index, weight in zip(taps.index[1:], taps.weight[1:], strict=True):
        total.addcmul_(planes.index_select(dim, index), weight.reshape(shape))
    return total


def _taps(positions: NDArray[np.floating], size: int, stretch: float) -> Taps:
    count = 2 * math.ceil(SUPPORT * stretch)
    first = np.floor(positions).astype(np.int64) - count // 2 + 1
    index = first[None, :] + np.arange(count)[:, None]
    weight = _catmull_rom((index - positions[None, :]) / stretch)
    weight /= weight.sum(axis=0)
    used = np.abs(weight).max(axis=1) > 1e-12
    index, weight = _mirror(index[used], size), weight[used].astype(np.float32)
    return Taps(torch.from_numpy(index), torch.from_numpy(weight), index.min(axis=0), index.max(axis=0))


def _mirror(index: NDArray[np.int64], size: int) -> NDArray[np.int64]:
    """Reflects about the picture's edges, repeatedly where it is smaller than the kernel."""
    folded = np.mod(index, 2 * size)
    return np.where(folded < size, folded, 2 * size - 1 - folded)


def _catmull_rom(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Keys, "Cubic convolution interpolation for digital image processing" (1981), a = -1/2."""
    x = np.abs(x)
    inner = 1.5 * x**3 - 2.5 * x**2 + 1
    outer = -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2
    return np.where(x < 1, inner, np.where(x < 2, outer, 0.0))
