"""Where workers say how far they are: a Ray actor that needs no processor of its own."""

from __future__ import annotations

import time
from dataclasses import dataclass

__all__ = ["Attempt", "Board"]


@dataclass(frozen=True)
class Attempt:
    """One try of a segment.

    Attributes:
        number: of the segment.
        frames: pictures done.
        silence: seconds since anything was done.
    """

    number: int
    frames: int
    silence: float


class Board:
    """Knows when each attempt last made progress, by its own clock, because machines' clocks differ."""

    def __init__(self) -> None:
        self._moved: dict[tuple[int, str], tuple[int, int, float]] = {}

    def write(self, number: int, attempt: str, frames: int, skipped: int) -> None:
        """A heartbeat: pictures done, and those decoded before the segment."""
        before = self._moved.get((number, attempt))
        if before is None or before[:2] != (frames, skipped):
            self._moved[number, attempt] = frames, skipped, time.monotonic()

    def forget(self, number: int) -> None:
        """A segment is done, or given up."""
        for key in [key for key in self._moved if key[0] == number]:
            del self._moved[key]

    def read(self) -> list[Attempt]:
        """All that are not forgotten."""
        now = time.monotonic()
        return [Attempt(number, frames, now - at) for (number, _), (frames, _, at) in self._moved.items()]
