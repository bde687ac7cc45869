"""Subtitles that overlap in time, for MP4 and MOV, which show one sample at a time: one that holds all of them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

__all__ = ["Cue", "Overlaps", "joined"]

UNTIMED = 5000
"""Milliseconds for which a cue is shown that does not say it, where no other one follows."""

_OVERRIDES = re.compile(rb"\{[^}]*\}")
_TEXT = 8  # field of an event as FFmpeg's decoders give it: behind order, layer, style, name, three margins, effect
_PLAIN = rb"{\b0\i0\u0\c}"  # \r, which would do, is nothing to FFmpeg's encoder


@dataclass
class Cue:
    """A subtitle, shown from ``begin`` to ``end`` in milliseconds; ``event`` is its line in FFmpeg's form of ASS."""

    begin: int
    end: int
    event: bytes


class Overlaps:
    """Cuts what is shown at each change.

    Cues may come a little late, but a change that has been given cannot be taken back.
    """

    def __init__(self) -> None:
        self._cues: list[Cue] = []
        self._given = -1
        self._untimed: Cue | None = None

    def add(self, begin: int, length: int, event: bytes) -> None:
        """A cue of ``length`` milliseconds; 0 where it does not say it."""
        begin = max(begin, self._given + 1)
        if self._untimed is not None and self._untimed.begin < begin:
            self._untimed.end = min(self._untimed.end, begin)
        cue = Cue(begin, begin + (length or UNTIMED), event)
        self._untimed = None if length else cue
        self._cues.append(cue)

    def until(self, time: int | None = None) -> Iterator[Cue]:
        """What is shown from each change before ``time`` on (to the end where None), at most to ``end``."""
        while (begin := self._next_change()) is not None and (time is None or begin < time):
            self._given = begin
            self._cues = [cue for cue in self._cues if cue.end > begin]
            shown = [cue for cue in self._cues if cue.begin <= begin]
            if shown:
                yield Cue(begin, min(cue.end for cue in shown), joined([cue.event for cue in shown]))

    def _next_change(self) -> int | None:
        times = (time for cue in self._cues for time in (cue.begin, cue.end))
        return min((time for time in times if time > self._given), default=None)


def joined(events: Sequence[bytes]) -> bytes:
    """One event with the lines of all, italics ending with theirs; what is there again (for its border) once."""
    fields = [event.split(b",", _TEXT) for event in events]
    once = {_OVERRIDES.sub(b"", field[_TEXT]): field for field in reversed(fields)}
    lines = [field for field in fields if any(field is kept for kept in once.values())]
    return b",".join(lines[0]) + b"".join(_PLAIN + rb"\N" + line[_TEXT] for line in lines[1:])
