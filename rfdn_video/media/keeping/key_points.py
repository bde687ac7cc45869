"""Where an encoder is likely to have a key picture anyway: there a segment may begin at no cost.

Encoders put one at a change of scene, unless the last is near, and after so many pictures without one.
Changes of scene are found as FFmpeg's filter ``scdet`` finds them: by the mean difference of Y from the picture
before, and by how much larger it is than that of the picture before. A wrong guess costs one more key picture.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from rfdn_video.frame import Frame
from rfdn_video.media.keeping.segments import Segments

__all__ = ["KeyPoints", "with_borders"]

STEP = 8
"""Every so many-th sample across and down is looked at."""
CUT = 0.1
"""Share of the range, ``scdet``'s default."""
NEAREST = 10
"""No second key picture within this part of the longest distance: ``min-keyint`` of x264 and x265."""


class KeyPoints:
    """Takes the pictures of a stream one after another, from a key picture on.

    Args:
        longest: pictures from one key picture to the next, at most.
    """

    def __init__(self, longest: int) -> None:
        self._longest, self._since = longest, 0
        self._before: NDArray[np.float32] | None = None
        self._difference = 0.0

    def __call__(self, frame: Frame) -> bool:
        """Whether this one is likely to be a key picture."""
        cut = self._is_cut(frame)
        is_key = self._since % self._longest == 0 or (cut and self._since >= self._longest // NEAREST)
        self._since = 1 if is_key else self._since + 1
        return is_key

    def _is_cut(self, frame: Frame) -> bool:
        peak = float((1 << frame.format.depth) - 1)
        samples = frame.planes[0][::STEP, ::STEP].astype(np.float32) / peak
        before, self._before = self._before, samples
        difference = 0.0 if before is None else float(np.abs(samples - before).mean())
        usual, self._difference = self._difference, difference
        return min(difference, abs(difference - usual)) >= CUT


def with_borders(frames: Iterator[Frame], segments: Segments) -> Iterator[Frame]:
    """Passes the pictures of a whole stream on, and tells ``segments`` of each one with which a segment begins.

    That depends on nothing but the pictures since the segment before: it is the same in every run.
    """
    begin, is_key = 0, KeyPoints(segments.gop)
    for number, frame in enumerate(frames):
        if segments.begins(number):  # those of finished segments are known
            begin, is_key = number, KeyPoints(segments.gop)
        if is_key(frame) and number - begin >= segments.length:
            segments.begin(number)
            begin, is_key = number, KeyPoints(segments.gop)
            is_key(frame)
        yield frame
