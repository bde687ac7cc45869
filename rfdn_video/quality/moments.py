"""Which pictures of a film tell most: those with detail, of scenes that differ."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from rfdn_video.frame import Frame
from rfdn_video.media.reading.glance import Glance
from rfdn_video.media.reading.info import MediaInfo

__all__ = ["Sketch", "choose", "sketch", "telling_moments"]

PLACES = 48
"""Where a film is looked into, evenly spread."""
FIRST, STRIDE = 150, 5
"""Where there are few key pictures, every 5th of the first 150 pictures is looked at."""
THUMBNAIL = (18, 32)
SAME = 0.01
"""Mean difference of two thumbnails, of the whole range, up to which they show the same."""
DISTINCT = 0.12
"""The same of two scenes that have nothing in common; more is no more distinct."""


@dataclass(frozen=True)
class Sketch:
    """What a choice needs of a picture.

    Attributes:
        detail: mean step from a sample of Y to the next, of the whole range.
        thumbnail: [18, 32] means of Y, 0..1.
    """

    detail: float
    thumbnail: NDArray[np.float32]


def telling_moments(info: MediaInfo, count: int) -> list[Frame]:
    """Up to ``count`` pictures in order of time; fewer where the film shows less than that.

    Key pictures at 48 places are looked at, as far as the file can be sought in; where that gives too few,
    as for short clips, and for interlaced ones, every 5th of the first 150 pictures.
    """
    with Glance(info) as glance:
        seen = {} if info.video.interlaced else _look_around(glance, info)
        chosen = choose([entry[1] for entry in seen.values()], count)
        if len(chosen) < count and len(frames := _from_beginning(glance, count)) > len(chosen):
            return frames
        places = [list(seen.values())[index][0] for index in chosen]
        return _in_order(frame for place in places if (frame := glance.key_picture(place)) is not None)


def sketch(frame: Frame) -> Sketch:
    """Looks at Y of every 4th row."""
    rows = frame.planes[0][::4].astype(np.float32) / np.float32((1 << frame.format.depth) - 1)
    detail = float(np.abs(np.diff(rows, axis=1)).mean())
    return Sketch(detail, _block_means(rows))


def choose(sketches: Sequence[Sketch], count: int) -> list[int]:
    """Numbers of the pictures to show, the most telling first.

    Begins with the most detail; then each time the one with most detail that looks least like those chosen.
    What looks like one of them is left out.
    """
    if not sketches:
        return []
    detail = np.array([s.detail for s in sketches])
    detail = detail / max(detail.max(), 1e-9)
    chosen = [int(detail.argmax())]
    nearest = _distances(sketches, chosen[0])
    while len(chosen) < min(count, len(sketches)):
        worth = np.where(nearest > SAME, detail + np.minimum(nearest / DISTINCT, 1), -1)
        best = int(worth.argmax())
        if worth[best] < 0:
            break
        chosen.append(best)
        nearest = np.minimum(nearest, _distances(sketches, best))
    return chosen


def _look_around(glance: Glance, info: MediaInfo) -> dict[int, tuple[Fraction, Sketch]]:
    """By pts: a place whose key picture it is, and what it looks like."""
    seen: dict[int, tuple[Fraction, Sketch]] = {}
    for place in _places(info):
        frame = glance.key_picture(place)
        if frame is not None and frame.pts not in seen:
            seen[frame.pts] = place, sketch(frame)
    return seen


def _from_beginning(glance: Glance, count: int) -> list[Frame]:
    """In two passes, for the pictures would take a lot of memory."""
    chosen = set(choose([sketch(frame) for frame in _some(glance)], count))
    return [frame for index, frame in enumerate(_some(glance)) if index in chosen]


def _some(glance: Glance) -> Iterator[Frame]:
    return islice(glance.first_pictures(FIRST), 0, None, STRIDE)


def _in_order(frames: Iterator[Frame]) -> list[Frame]:
    return sorted(frames, key=lambda frame: frame.pts)


def _places(info: MediaInfo) -> Iterator[Fraction]:
    if info.duration:
        for index in range(PLACES):
            yield info.start_time + info.duration * Fraction(index, PLACES)


def _distances(sketches: Sequence[Sketch], index: int) -> NDArray[np.float32]:
    own = sketches[index].thumbnail
    return np.array([np.abs(s.thumbnail - own).mean() for s in sketches], np.float32)


def _block_means(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    down, across = (np.linspace(0, size, n + 1).astype(int) for size, n in zip(rows.shape, THUMBNAIL, strict=True))
    sums = np.add.reduceat(np.add.reduceat(rows, down[:-1], axis=0), across[:-1], axis=1)
    counts = np.maximum(np.diff(down), 1)[:, None] * np.maximum(np.diff(across), 1)
    return np.asarray(sums / counts, np.float32)
