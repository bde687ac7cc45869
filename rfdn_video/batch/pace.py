"""How fast frames are done just now."""

from __future__ import annotations

from collections import deque

__all__ = ["Pace"]

SPAN = 10.0
"""Seconds that it looks back; further where a frame takes longer."""


class Pace:
    """Frames a second of the last moments.

    Args:
        start: seconds, of any clock, at which it begins.
        frames: done by then.
    """

    def __init__(self, start: float, frames: int = 0) -> None:
        self._marks = deque([(start, frames)])

    def at(self, now: float, frames: int) -> float | None:
        """When so many are done; None while no time has passed."""
        while len(self._marks) > 1 and self._marks[1][0] <= now - SPAN:
            self._marks.popleft()
        then, before = self._marks[0]
        self._marks.append((now, frames))
        return (frames - before) / (now - then) if now > then else None
