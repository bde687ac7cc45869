"""SMPTE timecode: the label of a part's first picture (SMPTE ST 12-1)."""

from __future__ import annotations

import re
from fractions import Fraction

__all__ = ["later_timecode"]

_TIMECODE = re.compile(r"(\d\d):(\d\d):(\d\d)([:;.])(\d\d)")


def later_timecode(timecode: str, seconds: Fraction, frame_rate: Fraction) -> str | None:
    """The label of the picture that comes ``seconds`` after the one labelled ``timecode``; None for no timecode.

    A separator ``;`` or ``.`` before the frames means drop-frame: at 29.97 (59.94) pictures a second the
    labels 0 and 1 (0 to 3) are left out in every minute but each tenth, so that labels keep to the clock.
    """
    match = _TIMECODE.fullmatch(timecode)
    if match is None:
        return None
    hours, minutes, second, count = (int(match[i]) for i in (1, 2, 3, 5))
    base = round(frame_rate)
    dropped = base // 15 if match[4] != ":" else 0
    total = 60 * hours + minutes
    number = ((total * 60 + second) * base + count) - dropped * (total - total // 10) + round(seconds * frame_rate)
    if dropped:
        tens, rest = divmod(number, 600 * base - 9 * dropped)
        skipped = 0 if rest < 60 * base else 1 + (rest - 60 * base) // (60 * base - dropped)
        number += dropped * (9 * tens + skipped)
    label, count = divmod(number, base)
    return f"{label // 3600 % 24:02}:{label // 60 % 60:02}:{label % 60:02}{match[4]}{count:02}"
