"""Whoever wants to see pictures on their way through a job, without taking part in it."""

from __future__ import annotations

from collections.abc import Iterator

from rfdn_video.frame import Frame

__all__ = ["Onlooker"]


class Onlooker:
    """Sees the frames that are enlarged, and what they become; this one looks at nothing, at no cost."""

    def before(self, frames: Iterator[Frame]) -> Iterator[Frame]:
        """The same frames, in order; those of finished segments are not among them."""
        return frames

    def after(self, frames: Iterator[Frame]) -> Iterator[Frame]:
        """The same frames, in order, with the times of those before."""
        return frames
