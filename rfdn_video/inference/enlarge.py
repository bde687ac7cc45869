"""RGB in, larger RGB out: the network's passes and the final resampling, whole or row by row."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import torch
from torch import Tensor

from rfdn_video.inference.engines.engine import BandRunner, Engine
from rfdn_video.inference.resample import Taps, resample, resize_taps
from rfdn_video.inference.rows import Read, RowWindow
from rfdn_video.inference.scaling import ScalePlan
from rfdn_video.inference.tiling import Tiling

__all__ = ["Enlarger"]

STRIP_MULTIPLE = 4
"""Strips of the result begin where a row of chroma begins, whatever its subsampling."""
CACHE_PIXELS = 1 << 18
"""Pixels of a strip in which a CPU resamples and converts from its caches: 1440p takes 0.55 of the time."""


class _Stage(Protocol):
    """Something that makes rows of one picture out of rows of another."""

    def needed(self, rows: range) -> range:
        """What ``rows`` of the result depend on."""

    def open(self, read: Read, wanted: range) -> Read:
        """A reader of the result's ``wanted`` rows."""


class Enlarger:
    """Runs one network as a :class:`ScalePlan` says.

    Pictures are [1, 3, H, W] float32 on the 0..1 scale, on the engine's device, not clamped; whole
    ones may be several at once. It does one picture at a time.

    Args:
        engine: runs the network.
        plan: passes and sizes.
        tiling: the bands of the passes.

    Attributes:
        strip: rows of the result that are best read at once; for equal bits, always read the same ones.
    """

    def __init__(self, engine: Engine, plan: ScalePlan, tiling: Tiling) -> None:
        self._plan, self._tiling = plan, tiling
        self._stages: list[_Stage] = []
        width, height = plan.source
        for band in tiling.bands:
            runner = engine.in_bands(width, height, band) if band else None
            self._stages.append(_BandedPass(runner, plan.native) if runner else _WholePass(engine, height, plan.native))
            width, height = width * plan.native, height * plan.native
        if plan.resamples:
            down, across = resize_taps(height, plan.target[1]), resize_taps(width, plan.target[0])
            self._stages.append(_Resampling(down, across, engine.device))
        self.strip = plan.target[1]
        if engine.device.type == "cpu":  # where the network does whole pictures, what follows still is bound by memory
            self.strip = min(self.strip, max(1, CACHE_PIXELS // plan.target[0] // STRIP_MULTIPLE) * STRIP_MULTIPLE)
        if band := tiling.bands[0]:
            rows = -(-band * plan.target[1] // plan.source[1])
            self.strip = -(-rows // STRIP_MULTIPLE) * STRIP_MULTIPLE

    @property
    def strips(self) -> list[range]:
        """The rows of the result, cut up."""
        height = self._plan.target[1]
        return [range(top, min(top + self.strip, height)) for top in range(0, height, self.strip)]

    def needed(self, rows: range) -> range:
        """Rows of the source that ``rows`` of the result depend on."""
        for stage in reversed(self._stages):
            rows = stage.needed(rows)
        return rows

    def open(self, read: Read, wanted: range) -> Read:
        """A reader of the result.

        Args:
            read: reads the source.
            wanted: rows of the result that will be read, from top to bottom.
        """
        ranges = [wanted]
        for stage in reversed(self._stages[1:]):
            ranges.append(stage.needed(ranges[-1]))
        for stage, rows in zip(self._stages, reversed(ranges), strict=True):
            read = stage.open(read, rows)
        return read

    def __call__(self, rgb: Tensor) -> Tensor:
        """Enlarges [N, 3, H, W]."""
        width, height = self._plan.target
        if not any(self._tiling.bands) and rgb.device.type != "cpu":  # several small ones fill a GPU
            return self.open(_reader(rgb), range(height))(range(height))
        result = rgb.new_empty((rgb.shape[0], 3, height, width))
        for index in range(rgb.shape[0]):
            read = self.open(_reader(rgb[index : index + 1]), range(height))
            for rows in self.strips:
                result[index, :, rows.start : rows.stop] = read(rows)[0]
        return result


def _reader(picture: Tensor) -> Read:
    return lambda rows: picture[:, :, rows.start : rows.stop]


class _WholePass:
    """The network on a whole picture."""

    def __init__(self, engine: Engine, height: int, factor: int) -> None:
        self._engine, self._height, self._factor = engine, height, factor

    def needed(self, rows: range) -> range:  # noqa: ARG002 (any row depends on all)
        return range(self._height)

    def open(self, read: Read, wanted: range) -> Read:  # noqa: ARG002
        def whole() -> Iterator[tuple[range, Tensor]]:
            yield range(self._factor * self._height), self._engine(read(range(self._height)))

        return RowWindow(whole())


class _BandedPass:
    """The network in bands."""

    def __init__(self, runner: BandRunner, factor: int) -> None:
        self._runner, self._factor = runner, factor

    def needed(self, rows: range) -> range:
        return self._runner.needed(self._source(rows))

    def open(self, read: Read, wanted: range) -> Read:
        s = self._factor
        bands = self._runner.run(read, self._source(wanted))
        return RowWindow((range(s * rows.start, s * rows.stop), band) for rows, band in bands)

    def _source(self, rows: range) -> range:
        return range(rows.start // self._factor, -(-rows.stop // self._factor))


class _Resampling:
    """The step to a size that the network does not give."""

    def __init__(self, down: Taps, across: Taps, device: torch.device) -> None:
        self._down, self._across = down.to(device), across.to(device)

    def needed(self, rows: range) -> range:
        return self._down.needed(rows)

    def open(self, read: Read, wanted: range) -> Read:  # noqa: ARG002
        return lambda rows: resample(read(self.needed(rows)), self._down.part(rows), self._across)
