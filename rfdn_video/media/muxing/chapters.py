"""Chapters of a part: those that reach into it, cut to it, on its clock."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from rfdn_video.media.timing import exact

if TYPE_CHECKING:
    from av.container.core import Chapter

__all__ = ["chapters_within"]


def chapters_within(chapters: list[Chapter], start: Fraction, end: Fraction | None, origin: Fraction) -> list[Chapter]:
    """Chapters from ``start`` seconds to ``end``, if any; ``origin`` is what is subtracted from all times."""
    cut = []
    for chapter in chapters:
        tick = exact(chapter["time_base"])
        begins, ends = max(chapter["start"] * tick, start), chapter["end"] * tick
        ends = ends if end is None else min(ends, end)
        if begins < ends:
            part = chapter.copy()
            part["start"], part["end"] = round((begins - origin) / tick), round((ends - origin) / tick)
            cut.append(part)
    return cut
