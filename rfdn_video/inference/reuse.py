"""What has changed since an earlier frame, and so which strips of the result must be done again.

No similarity, no threshold: rows count as unchanged where every sample of every plane is the same.
See docs/reuse.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from rfdn_video.frame import PixelFormat, Planes
from rfdn_video.inference.rows import meet

__all__ = ["Strips", "changed_rows"]

BLOCK = 16
"""Rows that are compared together; a multiple of every chroma subsampling."""


def changed_rows(layout: PixelFormat, before: Planes, after: Planes, *, at_all: bool = False) -> list[range]:
    """Rows of the first plane in which a picture differs from an earlier one.

    Args:
        layout: of both.
        before, after: their planes, of equal sizes.
        at_all: it does not matter where; all rows are given as soon as one is found.

    Returns:
        Ranges from top to bottom, in whole blocks; none where the pictures are equal.
    """
    height, changed = after[0].shape[0], []
    for top in range(0, height, BLOCK):
        pairs = zip(_block(layout, before, top), _block(layout, after, top), strict=True)
        changed.append(not all(np.array_equal(a, b) for a, b in pairs))
        if at_all and changed[-1]:
            return [range(height)]
    return [range(r.start * BLOCK, min(r.stop * BLOCK, height)) for r in _runs(changed)]


def _block(layout: PixelFormat, planes: Planes, top: int) -> Iterator[NDArray[np.uint8 | np.uint16]]:
    for number, plane in enumerate(planes):
        down = layout.sub_h if number in (1, 2) else 0
        yield plane[top >> down : (top + BLOCK) >> down]


def _runs(marked: Sequence[bool]) -> list[range]:
    """Where ``marked`` is true, as ranges."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], marked, [False])).astype(np.int8)))
    return [range(int(a), int(b)) for a, b in edges.reshape(-1, 2)]


class Strips:
    """The strips in which one picture is done, and what each of them depends on.

    Args:
        rows: of the result, from top to bottom.
        needed: rows of the source that each depends on.
        matter: those of them that count when it is asked what has changed.
        heights: of the source and of the result.
    """

    def __init__(
        self, rows: Sequence[range], needed: Sequence[range], matter: Sequence[range], heights: tuple[int, int]
    ) -> None:
        self._rows, self._needed, self._matter = rows, needed, matter
        self._source, self._target = heights

    def to_redo(self, changed: Sequence[range]) -> list[list[range]]:
        """Runs of strips that must be done again, where those rows of the source have changed.

        A run begins with rows around it that only the network's context needs; where two runs are
        closer than that, doing what lies between them costs less than beginning anew.
        """
        runs: list[list[range]] = []
        reach = done = 0
        for index, matter in enumerate(self._matter):
            if not any(meet(rows, matter) for rows in changed):
                continue
            if runs and self._rows[index].start * self._source // self._target <= reach:
                runs[-1] += self._rows[done : index + 1]
            else:
                runs.append([self._rows[index]])
            reach, done = self._needed[index].stop, index + 1
        return runs
