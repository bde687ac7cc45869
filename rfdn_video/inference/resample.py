"""Separable resampling at any ratio and phase, antialiased where it reduces.

One kernel serves chroma and fractional scales: Catmull-Rom (bicubic, b = 0, c = 1/2), stretched
where the picture gets smaller. Edges are mirrored, half a sample outside, as in zimg.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

__all__ = ["Taps", "resample", "resize_taps", "siting_taps_down", "siting_taps_up"]

SUPPORT = 2.0
MAX_PERIOD = 8
"""Of a polyphase filter: with more phases than this there is little to gain over a gather."""


@dataclass(frozen=True)
class Period:
    """What repeats in a resampling: output ``outputs * j + q`` takes inputs from ``inputs * j`` on.

    Attributes:
        inputs, outputs: of one period, the terms of the ratio.
        phases: for each q, the inputs, counted from ``inputs * j``, and their weights.
        inner: those j whose inputs all lie inside the picture.
    """

    inputs: int
    outputs: int
    phases: tuple[tuple[tuple[int, float], ...], ...]
    inner: range


@dataclass(frozen=True)
class Taps:
    """A one-dimensional resampling: output i is the sum over k of ``weight[k, i] * input[index[k, i]]``.

    ``first`` and ``last`` are the lowest and highest input of each output; they stay on the CPU.
    ``period`` is there for a ratio of small terms.
    """

    index: Tensor
    weight: Tensor
    first: NDArray[np.int64]
    last: NDArray[np.int64]
    period: Period | None = None

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
    return _taps(positions, size, Fraction(size, new_size))


def siting_taps_up(size: int, luma_size: int, step: int, offset: float) -> Taps:
    """Brings subsampled chroma to every luma sample.

    Args:
        size: chroma samples.
        luma_size: luma samples.
        step: luma samples a chroma sample, 2 for 4:2:0.
        offset: where a chroma sample lies among its luma samples, 0 at the first, 1 at the last.
    """
    return _taps((np.arange(luma_size, dtype=np.float64) - offset * (step - 1)) / step, size, Fraction(1, step))


def siting_taps_down(luma_size: int, size: int, step: int, offset: float) -> Taps:
    """The way back of :func:`siting_taps_up`, antialiased."""
    return _taps(np.arange(size, dtype=np.float64) * step + offset * (step - 1), luma_size, Fraction(step))


def resample(planes: Tensor, rows: Taps, columns: Taps) -> Tensor:
    """Resamples the last two dimensions, [..., H, W] to [..., H', W'], float32."""
    planes = _gather(planes, rows, dim=-2)
    # Rows are gathered at the speed of memory, columns one by one: a CPU is faster by phases.
    if columns.period is not None and planes.device.type == "cpu":
        return _across(planes, columns, columns.period)
    return _gather(planes, columns, dim=-1)


def _gather(planes: Tensor, taps: Taps, dim: int) -> Tensor:
    shape = (-1, 1) if dim == -2 else (-1,)
    total = planes.index_select(dim, taps.index[0]) * taps.weight[0].reshape(shape)
    for index, weight in zip(taps.index[1:], taps.weight[1:], strict=True):
        total.addcmul_(planes.index_select(dim, index), weight.reshape(shape))
    return total


def _across(planes: Tensor, taps: Taps, period: Period) -> Tensor:
    """Columns by a polyphase filter: every tap is one multiplication of whole rows."""
    count, inner = taps.index.shape[1], period.inner
    result = planes.new_empty((*planes.shape[:-1], count))
    inside = range(inner.start * period.outputs, inner.stop * period.outputs)
    for edge in (range(inside.start), range(inside.stop, count)):
        if edge:
            part = planes[..., slice(taps.needed(edge).start, taps.needed(edge).stop)]
            result[..., edge.start : edge.stop] = _gather(part, taps.part(edge), dim=-1)
    every = [planes[..., start :: period.inputs].contiguous() for start in range(period.inputs)]
    for phase, weights in enumerate(period.phases):
        total = result[..., inside.start + phase : inside.stop : period.outputs]
        for first, (offset, weight) in enumerate(weights):
            start = offset // period.inputs
            taken = every[offset % period.inputs][..., inner.start + start : inner.stop + start]
            if first == 0:
                torch.mul(taken, weight, out=total)
            else:
                total.add_(taken, alpha=weight)
    return result


def _taps(positions: NDArray[np.floating], size: int, ratio: Fraction) -> Taps:
    """``ratio`` is how far apart the positions are."""
    stretch = float(max(Fraction(1), ratio))
    count = 2 * math.ceil(SUPPORT * stretch)
    first = np.floor(positions).astype(np.int64) - count // 2 + 1
    index = first[None, :] + np.arange(count)[:, None]
    weight = _catmull_rom((index - positions[None, :]) / stretch)
    weight /= weight.sum(axis=0)
    used = np.abs(weight).max(axis=1) > 1e-12
    index, weight = index[used], weight[used].astype(np.float32)
    period = _period(index, weight, size, ratio)
    index = _mirror(index, size)
    return Taps(torch.from_numpy(index), torch.from_numpy(weight), index.min(axis=0), index.max(axis=0), period)


def _period(index: NDArray[np.int64], weight: NDArray[np.floating], size: int, ratio: Fraction) -> Period | None:
    """``index`` is not mirrored yet."""
    inputs, outputs = ratio.numerator, ratio.denominator
    inside = np.flatnonzero((index[0] >= 0) & (index[-1] < size))
    if max(inputs, outputs) > MAX_PERIOD or len(inside) < 2 * outputs:
        return None
    inner = range(-(-int(inside[0]) // outputs), (int(inside[-1]) + 1) // outputs)
    place = inner.start * outputs
    phases = tuple(
        tuple(zip((index[:, i] - inner.start * inputs).tolist(), weight[:, i].tolist(), strict=True))
        for i in range(place, place + outputs)
    )
    return Period(inputs, outputs, phases, inner) if inner else None


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
