"""Telecined film that nothing marks as such: 3:2 pulldown, found in the pictures themselves.

Of every four pictures of film (24 a second) five of video (30 a second) are made, by showing fields again: in each
cycle of five there is one picture whose top field is that of the picture before, while its bottom field has moved on,
and one with the fields the other way round (SMPTE RP 197). In pictures made as a whole both fields move alike, in
interlaced ones each field moves, and what stands still says nothing; so only telecine alternates like that.

FFmpeg's idet filter counts repeated fields too, but not how much the other one has changed, so that a blinking line
could pass for telecine.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice, pairwise
from math import log2
from statistics import median

import av
import numpy as np
from numpy.typing import NDArray

from rfdn_video.media.reading.info import MediaInfo
from rfdn_video.media.reading.sampling import moments, pictures_from

__all__ = ["BOTTOM_FIRST", "TOP_FIRST", "field_order_of_pulldown", "telecined"]

TOP_FIRST, BOTTOM_FIRST = 2, 3  # AV_FIELD_TT, AV_FIELD_BB

CYCLE = 5
PICTURES = 4 * CYCLE + 1
CHANGE = 8  # of a sample, beyond the noise of compression
MOVING = 0.005  # share of a field's samples that change
SEEN = 3  # moving pictures of each phase of the cycle
REPEATED = 0.35  # of _balance; noise that compression puts into both fields brings it down to that

type Changes = list[tuple[float, float]]
"""Share of the samples of (top, bottom) field that differ from the picture before."""


def telecined(info: MediaInfo) -> int | None:
    """FFmpeg's number of the field order of video that was telecined, as some of its pictures show; else None."""
    if not 29 < info.video.frame_rate < 31:
        return None
    for moment in moments(info):
        changes = _changes(map(_luma, islice(pictures_from(info, moment, {}), PICTURES)))
        if (order := field_order_of_pulldown(changes)) is not None or len(changes) < PICTURES - 1:
            return order
    return None


def field_order_of_pulldown(changes: Changes) -> int | None:
    """From what changes in pictures that follow each other; None where that is not as 3:2 pulldown makes it."""
    phases = [[_balance(*change) for change in changes[p::CYCLE] if max(change) >= MOVING] for p in range(CYCLE)]
    if min(map(len, phases)) < SEEN:
        return None
    medians = [median(phase) for phase in phases]
    top, bottom = medians.index(min(medians)), medians.index(max(medians))  # in which that field is shown again
    others = [value for p, phase in enumerate(phases) if p not in (top, bottom) for value in phase]
    repeated = medians[top] < -REPEATED and medians[bottom] > REPEATED
    if not repeated or max(phases[top]) >= min(others) or min(phases[bottom]) <= max(others):
        return None
    # The field that a picture begins with is the first to be shown again: two pictures before the other one, or one
    # where film was stored as 2:3:3:2.
    return TOP_FIRST if (bottom - top) % CYCLE <= 2 else BOTTOM_FIRST


def _balance(top: float, bottom: float) -> float:
    """How much more the top field changes than the bottom one."""
    least = MOVING / 100
    return log2((top + least) / (bottom + least))


def _changes(pictures: Iterator[NDArray[np.int16]]) -> Changes:
    found = []
    for before, after in pairwise(pictures):
        differ = np.abs(after - before) > CHANGE
        found.append((float(differ[0::2].mean()), float(differ[1::2].mean())))
    return found


def _luma(picture: av.VideoFrame) -> NDArray[np.int16]:
    """Of every fourth column, 0 to 255."""
    plane = picture.reformat(format="gray", threads=1).planes[0]
    return np.frombuffer(plane, np.uint8).reshape(plane.height, -1)[:, : plane.width : 4].astype(np.int16)
