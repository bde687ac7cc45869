"""Frames of several videos brought together by when they are shown, whatever their time bases."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain, pairwise

from rfdn_video.frame import Frame
from rfdn_video.media.reading.info import MediaInfo

__all__ = ["Moment", "Track", "clock_offset", "matched", "tolerance"]


@dataclass(frozen=True)
class Moment:
    """A frame of the reference, and those that are shown at the same time.

    Attributes:
        time: in seconds, on the reference's clock.
        reference: the frame.
        partners: one for each output; None where it has none.
    """

    time: Fraction
    reference: Frame
    partners: tuple[Frame | None, ...]


def clock_offset(info: MediaInfo) -> Fraction:
    """What to add to a file's times: recordings that count from anywhere are taken from their beginning."""
    return -info.start_time if info.time_origin_is_arbitrary else Fraction(0)


def tolerance(a: MediaInfo, b: MediaInfo) -> Fraction:
    """How far apart two frames may be that are one and the same: what rounding to both time bases can do.

    Less than half a frame at the usual rate. Where frames follow faster, :class:`Track` takes the nearest.
    """
    rounding = a.video.time_base + b.video.time_base
    return min(rounding, Fraction(2, 5) / max(a.video.frame_rate, b.video.frame_rate))


class Track:
    """The frames of one output, taken in step with the reference's.

    Args:
        frames: in order of time.
        offset: added to their times, in seconds.
        tolerance: how far apart partners may be, in seconds.

    Attributes:
        extra: times of frames that are no partner of any.
    """

    def __init__(self, frames: Iterator[Frame], offset: Fraction, tolerance: Fraction) -> None:
        self._frames, self._offset, self._tolerance = frames, offset, tolerance
        self._next: Frame | None = None
        self._ended = False
        self.extra: list[Fraction] = []

    def at(self, time: Fraction, following: Fraction | None = None) -> Frame | None:
        """The frame nearest to this time; earlier ones are gone then. Times are asked for in order.

        Args:
            time: in seconds.
            following: the time that will be asked for next; what is nearer to that is left for it.
        """
        latest = time + self._tolerance
        if following is not None:
            latest = min(latest, (time + following) / 2)
        nearest: Frame | None = None
        while (frame := self._peek()) is not None and self._time(frame) <= latest:
            self._next = None
            if nearest is None or abs(self._time(frame) - time) < abs(self._time(nearest) - time):
                nearest, frame = frame, nearest
            if frame is not None:
                self.extra.append(self._time(frame))
        if nearest is not None and self._time(nearest) < time - self._tolerance:
            self.extra.append(self._time(nearest))
            return None
        return nearest

    def finish(self) -> None:
        """Nothing more will be asked for: what is left has no partner."""
        while (frame := self._peek()) is not None:
            self._next = None
            self.extra.append(self._time(frame))

    def _time(self, frame: Frame) -> Fraction:
        return frame.pts * frame.time_base + self._offset

    def _peek(self) -> Frame | None:
        if self._next is None and not self._ended:
            self._next = next(self._frames, None)
            self._ended = self._next is None
        return self._next


def matched(reference: Iterator[Frame], offset: Fraction, tracks: Sequence[Track]) -> Iterator[Moment]:
    """Every frame of the reference with its partners.

    Args:
        reference: in order of time.
        offset: added to its times, in seconds.
        tracks: one for each output.
    """
    for frame, following in pairwise(chain(reference, (None,))):
        assert frame is not None
        time = frame.pts * frame.time_base + offset
        then = None if following is None else following.pts * following.time_base + offset
        yield Moment(time, frame, tuple(track.at(time, then) for track in tracks))
