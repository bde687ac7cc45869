"""Timecode arithmetic, against counting label by label as the standard says."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import islice

import pytest

from rfdn_video.media.muxing.timecode import later_timecode

NTSC = Fraction(30000, 1001)


def _labels(base: int, dropped: int) -> Iterator[str]:
    separator = ";" if dropped else ":"
    for minute in range(24 * 60):
        for second in range(60):
            first = dropped if second == 0 and minute % 10 else 0
            for frame in range(first, base):
                yield f"{minute // 60:02}:{minute % 60:02}:{second:02}{separator}{frame:02}"


@pytest.mark.parametrize(("rate", "dropped"), [(NTSC, 2), (2 * NTSC, 4), (NTSC, 0), (Fraction(25), 0)])
def test_counts_as_the_labels_do(rate: Fraction, dropped: int) -> None:
    labels = list(islice(_labels(round(rate), dropped), 70_000))
    for begin in (0, 1, 1799, 17_981, 30_000):
        for distance in (0, 1, 1798, 1799, 1800, 17_982, 39_999):
            assert later_timecode(labels[begin], distance / rate, rate) == labels[begin + distance]


def test_an_hour_of_drop_frame_is_an_hour_of_labels() -> None:
    assert later_timecode("00:00:00;00", Fraction(3600) - Fraction(1, 30), NTSC) == "00:59:59;29"
    assert later_timecode("23:59:59:24", Fraction(1, 25), Fraction(25)) == "00:00:00:00"
    assert later_timecode("some time", Fraction(1), Fraction(25)) is None
