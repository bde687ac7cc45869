"""Timestamps of a decoded stream: carried; only what is missing, goes back or is far off is repaired, and counted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain, pairwise
from typing import Protocol, cast

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

    def holds(self, seconds: Fraction) -> bool:
        """A picture of that time is wanted, as far as time goes."""
        return (self.start is None or seconds >= self.start) and (self.end is None or seconds < self.end)

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
    then later still and holds. One that is far too late goes between its neighbours. So no error of one picture pushes
    all others away from the sound. Where two pictures agree, there is a gap, or the clock was set back: that is kept.

    Attributes:
        usual_duration: of a picture, in ticks, where the stream does not say.
        first: of a first picture without a time.
        counts_missing: a picture without a time counts as repaired; some streams have none by their nature.
        repaired: how many had to be derived.
    """

    usual_duration: int
    first: int = 0
    counts_missing: bool = True
    repaired: int = 0
    _last: int | None = None
    _last_duration: int = 0

    def timed[T](self, pictures: Iterable[tuple[T, int | None, int]]) -> Iterator[tuple[T, int]]:
        """Pictures with the pts to use; one is held back until the next has come.

        Args:
            pictures: in presentation order, each with its pts, if any, and its duration, 0 where unknown.
        """
        end = ((None, None, 0),)
        for (picture, pts, duration), (_, following, _) in pairwise(chain(pictures, end)):
            self._last, self._last_duration = self._next(pts, following), duration
            yield cast("T", picture), self._last

    def _next(self, pts: int | None, following: int | None) -> int:
        if pts is None:
            self.repaired += self.counts_missing
            return self.first if self._last is None else self._last + self._step
        if self._last is not None and pts <= self._last:
            self.repaired += 1
            was_set_back = self._last - pts >= NEAR * self.usual_duration  # which all later ones follow
            return self._last + (self._step if was_set_back else max(1, self._step // 2))
        if following is not None:
            before = following - 2 * self.usual_duration if self._last is None else self._last
            if pts - following > following - before >= 2:  # the next is in line with the one before, this is not
                self.repaired += 1
                return (before + following) // 2
        return pts

    @property
    def _step(self) -> int:
        """From the last picture to one that comes right after it."""
        return self._last_duration or self.usual_duration
