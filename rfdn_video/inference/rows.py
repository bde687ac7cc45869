"""Rows of a feature map on their way down a frame: bands, what a convolution keeps of them, delays.

A frame of H rows passes in steps of ``band`` rows. A feature map with *delay* d holds, in step t,
rows ``t * band - d`` up to ``(t + 1) * band - d``: a 3x3 convolution needs a row below, so what it
gives lags one row behind what it takes. Rows are always numbered from the top of the frame.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

__all__ = ["BandGrid", "Read", "RowContext", "RowQueue", "RowWindow", "grow", "meet", "new_rows"]

type Read = Callable[[range], Tensor]
"""Gives rows of a picture, [1, 3, rows, W]. Those asked for come in order, from top to bottom, and may overlap."""


def grow(rows: range, count: int, height: int) -> range:
    """``count`` rows more on either side, inside the frame."""
    return range(max(0, rows.start - count), min(height, rows.stop + count))


def meet(a: range, b: range) -> range:
    """Rows that are in both; falsy where there are none."""
    return range(max(a.start, b.start), min(a.stop, b.stop))


def new_rows(like: Tensor, channels: int, rows: int, width: int) -> Tensor:
    """Zeros [1, channels, rows, width] of the device, number format and memory format of ``like``."""
    if like.is_contiguous():
        return like.new_zeros((1, channels, rows, width))
    return like.new_zeros((1, rows, width, channels)).permute(0, 3, 1, 2)


@dataclass(frozen=True)
class BandGrid:
    """Which rows a feature map holds in which step."""

    height: int
    band: int

    def rows(self, step: int, delay: int = 0) -> range:
        """Rows in ``step`` of what lags ``delay`` rows; inside the frame, so the first and last are shorter."""
        first = step * self.band - delay
        return range(min(max(first, 0), self.height), min(max(first + self.band, 0), self.height))

    def step_of(self, row: int, delay: int = 0) -> int:
        """The step in which what lags ``delay`` rows holds ``row``."""
        return (row + delay) // self.band


class RowContext:
    """The newest rows of a feature map below the last ``past`` ones of the steps before.

    Only those last ones are kept from step to step; they and the new rows lie one under the other in
    ``scratch`` while a step uses them, which others may use in between. Rows outside the frame are
    zero there, as a convolution pads.

    Args:
        scratch: [1, C, past + band, W].
        past: rows that are kept.
        delay: of the feature map.
        grid: of the frame.
    """

    def __init__(self, scratch: Tensor, past: int, delay: int, grid: BandGrid) -> None:
        self._scratch, self._past, self._delay, self._grid = scratch, past, delay, grid
        self._kept = new_rows(scratch, scratch.shape[1], past, scratch.shape[3])

    def reset(self) -> None:
        """Forgets the frame."""
        self._kept.zero_()

    def open(self, step: int) -> Tensor:
        """Lays out a step; gives the view that takes its new rows."""
        past, rows = self._past, self._grid.rows(step, self._delay)
        self._first = step * self._grid.band - self._delay - past
        self._scratch[:, :, :past].copy_(self._kept)
        if len(rows) < self._grid.band:  # beyond an edge of the frame
            self._scratch[:, :, past:].zero_()
        return self.view(rows)

    def view(self, rows: range) -> Tensor:
        """Rows that are kept or new."""
        return self._scratch[:, :, rows.start - self._first : rows.stop - self._first]

    def close(self) -> None:
        """Keeps what the next step needs."""
        band = self._grid.band
        self._kept.copy_(self._scratch[:, :, band : band + self._past])


class RowQueue:
    """Rows that wait: tensors [1, C, rows, W] one under the other, none of them copied."""

    def __init__(self) -> None:
        self._bands: deque[tuple[range, Tensor]] = deque()

    def clear(self) -> None:
        """Forgets the frame."""
        self._bands.clear()

    def put(self, rows: range, band: Tensor) -> None:
        """Adds the rows that follow."""
        self._bands.append((rows, band))

    def pieces(self, wanted: range) -> Iterator[tuple[slice, Tensor]]:
        """What there is of ``wanted``, top to bottom: where in it a piece lies, and the piece."""
        for rows, band in self._bands:
            if part := meet(rows, wanted):
                place = slice(part.start - wanted.start, part.stop - wanted.start)
                yield place, band[:, :, part.start - rows.start : part.stop - rows.start]

    def copy(self, wanted: range, target: Tensor) -> Tensor:
        """Copies what there is of ``wanted`` into ``target``, which it gives, and lets go of bands above its end."""
        for place, piece in self.pieces(wanted):
            target[:, :, place] = piece
        self.drop(wanted.stop)
        return target

    def drop(self, before: int) -> None:
        """Lets go of bands that end above row ``before``."""
        while self._bands and self._bands[0][0].stop <= before:
            self._bands.popleft()


class RowWindow:
    """Reads rows of a picture that comes in bands; keeps no more of it than may be asked for again.

    Args:
        bands: rows and what they hold, [1, C, rows, W], from top to bottom without a gap.
    """

    def __init__(self, bands: Iterator[tuple[range, Tensor]]) -> None:
        self._bands, self._queue, self._stop = bands, RowQueue(), 0

    def __call__(self, wanted: range) -> Tensor:
        """See :data:`Read`; a range must not begin above the one before."""
        self._queue.drop(wanted.start)
        while self._stop < wanted.stop:
            rows, band = next(self._bands)
            self._queue.put(rows, band)
            self._stop = rows.stop
        pieces = [piece for _, piece in self._queue.pieces(wanted)]
        return pieces[0] if len(pieces) == 1 else torch.cat(pieces, dim=2)
