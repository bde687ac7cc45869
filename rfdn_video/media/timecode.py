"""SMPTE timecode: the label of the first picture, of a video or of a part of it (SMPTE ST 12-1)."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

__all__ = ["Timecode", "timecode_label"]

_TIMECODE = re.compile(r"(\d\d):(\d\d):(\d\d)([:;.])(\d\d)")


def timecode_label(*tags: Mapping[str, str]) -> str | None:
    """The timecode in the first tags that have one."""
    found = (value for those in tags for key, value in those.items() if key.lower() == "timecode")
    return next((label for label in found if _TIMECODE.fullmatch(label)), None)


@dataclass(frozen=True)
class Timecode:
    """How a video's pictures are labelled.

    Attributes:
        label: of the first picture. A separator ``;`` or ``.`` before the frames means drop-frame: at 29.97 (59.94)
            pictures a second the labels 0 and 1 (0 to 3) are left out in every minute but each tenth, so that labels
            keep to the clock.
        rate: labels of a second; where the rate is variable, that of the clock by which pictures come.
        begins: when the first picture is shown, in seconds on the source's clock.
        time_base: unit that the times of pictures are rounded to, in seconds.
    """

    label: str
    rate: Fraction
    begins: Fraction
    time_base: Fraction

    def at(self, time: Fraction) -> str:
        """The label of the first picture that is shown at ``time`` or later, in seconds on the source's clock."""
        ticks = math.ceil((time - self.begins) / self.time_base)
        # Picture n is at n / rate, rounded to ticks: the first whose time is rounded up to as many.
        return self._later(max(0, math.ceil((ticks - Fraction(1, 2)) * self.time_base * self.rate)))

    def counted_at(self, rate: Fraction) -> bool:
        """A muxer that counts labels by ``rate`` gives the same ones."""
        return round(rate) == round(self.rate)

    def _later(self, pictures: int) -> str:
        match = _TIMECODE.fullmatch(self.label)
        assert match is not None
        hours, minutes, second, count = (int(match[i]) for i in (1, 2, 3, 5))
        base = round(self.rate)
        dropped = base // 15 if match[4] != ":" else 0
        total = 60 * hours + minutes
        number = ((total * 60 + second) * base + count) - dropped * (total - total // 10) + pictures
        if dropped:
            tens, rest = divmod(number, 600 * base - 9 * dropped)
            skipped = 0 if rest < 60 * base else 1 + (rest - 60 * base) // (60 * base - dropped)
            number += dropped * (9 * tens + skipped)
        label, count = divmod(number, base)
        return f"{label // 3600 % 24:02}:{label // 60 % 60:02}:{label % 60:02}{match[4]}{count:02}"
