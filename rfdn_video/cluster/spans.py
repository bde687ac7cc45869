"""How a film is cut: into spans of time, so that nobody needs to count its pictures first."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from rfdn_video.media.reading.script import is_script
from rfdn_video.media.timing import TimeRange
from rfdn_video.plan import LEAST_PICTURE, FilePlan

__all__ = ["Span", "cut"]


@dataclass(frozen=True)
class Span:
    """The pictures that are shown from ``start`` until before ``end``, in seconds on the source's clock.

    Attributes:
        number: from 0.
        start: None is the source's beginning.
        end: None is the source's end.
        frames: at most so many; None is all.
        search: decoding may begin at a key picture before ``start``.
    """

    number: int
    start: Fraction | None
    end: Fraction | None
    frames: int | None = None
    search: bool = True

    @property
    def wanted(self) -> TimeRange:
        """What a decoder is asked for: its end is left open, so that the picture behind it is seen too."""
        return TimeRange(self.start, None, self.frames)


def cut(files: FilePlan, pictures: int) -> list[Span]:
    """Spans of about so many pictures, of all that is wanted.

    The header's claim says how many there are, no more: the last one goes on to the end, and those behind the end stay
    empty. A number of pictures (``--frames``) is not known to lie anywhere in time, so it is one span.
    """
    wanted = files.wanted
    if wanted.frames is not None:
        return [Span(0, wanted.start, wanted.end, wanted.frames)]
    count = max(1, -(-_expected_frames(files) // pictures))
    begin, length = wanted.start or files.info.start_time, pictures / files.info.video.frame_rate
    inner = [begin + number * length for number in range(1, count)]
    borders = [wanted.start, *(time for time in inner if wanted.end is None or time < wanted.end), wanted.end]
    return [Span(number, *pair) for number, pair in enumerate(pairwise(borders))]


def _expected_frames(files: FilePlan) -> int:
    """Whatever a header claims, each picture takes some bytes of the source."""
    expected = files.expected_frames or 1
    path = files.info.path
    return expected if is_script(path) else min(expected, path.stat().st_size // LEAST_PICTURE + 1)
