"""ESA attention in bands: its coarse grid and the way back are computed in coordinates of the whole frame."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from rfdn_video.inference.rows import BandGrid, RowContext, RowQueue, meet, new_rows
from rfdn_video.models.blocks import ESA

__all__ = ["CoarseRows", "ESABands"]

STEP = 6  # rows of the frame a coarse row: stride 2, then 3
SPAN = 15  # rows of the frame that one coarse row sees: a 3x3 convolution of stride 2, then a maximum of 7
PADDED = 3  # 3x3 convolutions on the coarse grid


class CoarseRows:
    """Which coarse rows a row of the frame depends on, and which rows of the frame they do.

    Args:
        height: of the frame, at least ``ESA_MIN_SIZE``.
        dtype: of the features; positions are computed in it (in float32 where it is less), as torch does.
    """

    def __init__(self, height: int, dtype: torch.dtype) -> None:
        self.height, self.count = height, (height - SPAN) // STEP + 1
        number: type[np.floating] = np.float64 if dtype is torch.float64 else np.float32
        ratio = number(self.count) / number(height)
        # Bilinear, align_corners=False: pixel centres are aligned.
        position = np.maximum(ratio * (np.arange(height, dtype=number) + number(0.5)) - number(0.5), number(0))
        self.upper: NDArray[np.int64] = position.astype(np.int64)
        self.lower: NDArray[np.int64] = np.minimum(self.upper + 1, self.count - 1)
        self.weight: NDArray[np.floating] = position - self.upper

    def seen(self, rows: range) -> range:
        """Coarse rows before the padded convolutions that ``rows`` depend on; they may lie outside the grid."""
        return range(int(self.upper[rows.start]) - PADDED, int(self.lower[rows.stop - 1]) + PADDED + 1)

    def needed(self, rows: range) -> range:
        """Rows of the frame that ``rows`` of the result depend on."""
        if not rows:
            return rows
        coarse = meet(self.seen(rows), range(self.count))
        above, below = coarse.start * STEP, (coarse.stop - 1) * STEP + SPAN
        return range(min(rows.start, above), max(rows.stop, below))

    def complete(self, rows_above: int) -> int:
        """How many coarse rows are known when that many rows of the frame are."""
        return max(0, min(self.count, (rows_above - SPAN) // STEP + 1))

    @property
    def lag(self) -> int:
        """Rows of the frame that must be known below any row before its result is."""
        last = np.minimum(self.lower + PADDED, self.count - 1) * STEP + SPAN - 1
        return max(0, int((last - np.arange(self.height)).max()))


class ESABands:
    """One :class:`ESA`.

    Args:
        esa: the module.
        delay: of its input.
        grid: of the frame.
        like: a tensor [1, C, rows, W] of the features' width and number format.

    Attributes:
        delay: of its output.
    """

    def __init__(self, esa: ESA, delay: int, grid: BandGrid, like: Tensor) -> None:
        self._esa, self._grid, self._delay = esa, grid, delay
        self._coarse = CoarseRows(grid.height, like.dtype)
        self.delay = delay + self._coarse.lag
        past = SPAN - 1
        scratch = new_rows(like, esa.conv1.out_channels, past + grid.band, like.shape[3])
        self._reduced = RowContext(scratch, past, delay, grid)
        self._features, self._fine, self._pooled = RowQueue(), RowQueue(), RowQueue()
        self._like, self._width, self._needed = like, like.shape[3], range(0)
        self._tables: dict[range, tuple[Tensor, Tensor, Tensor]] = {}

    def begin(self, needed: range) -> range:
        """Starts a frame of which ``needed`` rows are wanted; gives those that it takes."""
        self._reduced.reset()
        for queue in (self._features, self._fine, self._pooled):
            queue.clear()
        self._needed = needed
        return self._coarse.needed(needed)

    def step(self, step: int, x: Tensor | None) -> Tensor | None:
        """Rows in, rows out."""
        if x is not None:
            self._take(step, x)
        rows = self._grid.rows(step, self.delay)
        return self._weigh(rows) if meet(rows, self._needed) else None

    def _take(self, step: int, x: Tensor) -> None:
        rows, before = self._grid.rows(step, self._delay), self._grid.rows(step - 1, self._delay)
        self._features.put(rows, x)
        reduced = self._reduced.open(step)
        reduced.copy_(self._esa.conv1(x))
        self._fine.put(rows, self._esa.conv_f(reduced))
        new = range(self._coarse.complete(before.stop), self._coarse.complete(rows.stop))
        if new:
            seen = self._reduced.view(range(new.start * STEP, (new.stop - 1) * STEP + SPAN))
            self._pooled.put(new, F.max_pool2d(self._esa.conv2(seen), kernel_size=7, stride=3))
        self._reduced.close()

    def _weigh(self, rows: range) -> Tensor:
        """The features at ``rows`` times their mask."""
        spread = self._spread(rows)
        for place, piece in self._fine.pieces(rows):
            spread[:, :, place] += piece
        mask: Tensor = self._esa.conv4(spread).sigmoid_()
        for place, piece in self._features.pieces(rows):
            mask[:, :, place] *= piece
        self._features.drop(rows.stop)
        self._fine.drop(rows.stop)
        return mask

    def _spread(self, rows: range) -> Tensor:
        """The coarse grid resized to the frame, at ``rows``: across first, which is done once a coarse row."""
        seen = self._coarse.seen(rows)
        wide = F.interpolate(self._refine(seen), size=(len(seen) - 2 * PADDED, self._width), mode="bilinear")
        if rows not in self._tables:
            self._tables[rows] = self._table(rows, seen.start + PADDED)
        upper, lower, weight = self._tables[rows]
        return wide.index_select(2, upper).lerp_(wide.index_select(2, lower), weight)

    def _table(self, rows: range, first: int) -> tuple[Tensor, Tensor, Tensor]:
        """On the device from the first picture on: copying it there again would stop the device each time."""
        coarse, like, at = self._coarse, self._like, slice(rows.start, rows.stop)
        upper = torch.from_numpy(coarse.upper[at] - first).to(like.device)
        lower = torch.from_numpy(coarse.lower[at] - first).to(like.device)
        return upper, lower, torch.from_numpy(coarse.weight[at]).to(like.device, like.dtype)[:, None]

    def _refine(self, seen: range) -> Tensor:
        """The padded convolutions on the coarse rows ``seen``; gives those that are ``PADDED`` inside."""
        x = new_rows(self._like, self._esa.conv_max.in_channels, len(seen), (self._width - SPAN) // STEP + 1)
        for place, piece in self._pooled.pieces(seen):
            x[:, :, place] = piece
        self._pooled.drop(seen.start)
        rows = seen
        for conv in (self._esa.conv_max, self._esa.conv3, self._esa.conv3_):
            x, rows = F.conv2d(x, conv.weight, conv.bias, padding=(0, 1)), range(rows.start + 1, rows.stop - 1)
            if conv is not self._esa.conv3_:
                x = F.relu_(x)
                x[:, :, : max(0, -rows.start)].zero_()  # what lies outside the grid is padding
                x[:, :, len(rows) - max(0, rows.stop - self._coarse.count) :].zero_()
        return x
