"""Timestamps of a decoded stream: carried as they are; only what is missing or goes back is repaired, and counted."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol

__all__ = ["TimeRange", "TimestampRepair", "exact"]

NEAR = 12
"""Pictures; about as many as encoders put out of order."""


class _Rational(Protocol):
    @property
    def numerator(self) -> int: ...
    @property
    def denominator(self) -> int: ...


def exact(rational: _Rational | None) -> Fraction:
    """FFmpeg's rational as a Fraction; 0 where it is absent or has no denominator."""
    return Fraction(rational.numerator, rational.denominator) if rational and rational.denominator else Fraction(0)


@dataclass(frozen=True)
class TimeRange:
    """Which part of the source is wanted, in seconds on the source's own clock.

    Attributes:
        start: pictures from here on; None is the beginning.
        end: pictures before this; None is the end.
        frames: at most so many pictures; None is all.
    """

    start: Fraction | None = None
    end: Fraction | None = None
    frames: int | None = None

    @property
    def whole(self) -> bool:
        """Nothing is left out."""
        return self.start is None and self.end is None and self.frames is None

    def end_of(self, frames: int, last_end: Fraction) -> Fraction | None:
        """Where sound and subtitles of this part end; None where they go on to their own end.

        Args:
            frames: pictures that there were.
            last_end: when the last one ends, in seconds.
        """
        if frames != self.frames:
            return self.end
        return last_end if self.end is None else min(last_end, self.end)


@dataclass
class TimestampRepair:
    """Gives every picture a pts later than the one before, in the stream's time_base.

    One that is repeated, or a few pictures late, goes half a picture behind the one before: the next good time is
    then later still and holds, so that no error of one picture pushes all others away from the sound.

    Attributes:
        usual_duration: of a picture, in ticks, where the stream does not say.
        repaired: how many had to be derived.
    """

    usual_duration: int
    repaired: int = 0
    _last: int | None = None
    _last_duration: int = 0

    @property
    def following(self) -> int:
        """Where the next picture is if it comes right after the last one."""
        return 0 if self._last is None else self._last + (self._last_duration or self.usual_duration)

    def next(self, pts: int | None, duration: int) -> int:
        """The pts to use for the next picture in presentation order."""
        if pts is None or (self._last is not None and pts <= self._last):
            self.repaired += 1
            pts = self._derived(pts)
        self._last, self._last_duration = pts, duration
        return pts

    def _derived(self, pts: int | None) -> int:
        if pts is None or self._last is None or self._last - pts >= NEAR * self.usual_duration:
            return self.following  # nothing is known, or the clock was set back, which all later ones follow
        return self._last + max(1, (self._last_duration or self.usual_duration) // 2)
