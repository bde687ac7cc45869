"""Where to look in a picture: the windows with most detail."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rfdn_video.frame import Frame

__all__ = ["Window", "detailed_windows"]

type Window = tuple[slice, slice]
"""Rows and columns of a picture."""

STEP = 16
"""Windows begin at multiples of so many rows and columns."""


def detailed_windows(frame: Frame, size: tuple[int, int], count: int) -> list[Window]:
    """Up to ``count`` windows that do not overlap, that with most detail in Y first.

    Args:
        frame: the picture.
        size: (width, height) of a window; the picture's where that is smaller.
        count: how many at most.
    """
    width, height = min(size[0], frame.width), min(size[1], frame.height)
    detail = _detail(frame)
    sums = _window_sums(detail, height, width)
    windows: list[Window] = []
    while len(windows) < count and sums.max() >= 0:
        row, column = (int(i) for i in np.unravel_index(sums.argmax(), sums.shape))
        top, left = min(row * STEP, frame.height - height), min(column * STEP, frame.width - width)
        windows.append((slice(top, top + height), slice(left, left + width)))
        rows, columns = np.ogrid[: sums.shape[0], : sums.shape[1]]
        sums[(abs(rows * STEP - top) < height) & (abs(columns * STEP - left) < width)] = -1
    return windows


def _detail(frame: Frame) -> NDArray[np.float32]:
    """[height, width]: the steps from the samples above and to the left."""
    luma = frame.planes[0].astype(np.float32)
    across = np.abs(np.diff(luma, axis=1, prepend=luma[:, :1]))
    return np.asarray(across + np.abs(np.diff(luma, axis=0, prepend=luma[:1])))


def _window_sums(values: NDArray[np.float32], height: int, width: int) -> NDArray[np.float64]:
    """The sum of each window, by its place in the grid; those at the far edges are moved inside."""
    table = np.pad(values.astype(np.float64).cumsum(0).cumsum(1), ((1, 0), (1, 0)))
    tops = np.minimum(np.arange(0, values.shape[0] - height + STEP, STEP), values.shape[0] - height)
    lefts = np.minimum(np.arange(0, values.shape[1] - width + STEP, STEP), values.shape[1] - width)
    below, right = tops + height, lefts + width
    upper = table[np.ix_(tops, right)] - table[np.ix_(tops, lefts)]
    return np.asarray(table[np.ix_(below, right)] - table[np.ix_(below, lefts)] - upper)
