"""Timecode arithmetic, against counting label by label as the standard says."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import islice

import pytest

from rfdn_video.media.timecode import Timecode, timecode_label

NTSC = Fraction(30000, 1001)
FINE = Fraction(1, 90_000)


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
        timecode = Timecode(labels[begin], rate, Fraction(7), FINE)
        for distance in (0, 1, 1798, 1799, 1800, 17_982, 39_999):
            assert timecode.at(7 + distance / rate) == labels[begin + distance]


def test_an_hour_of_drop_frame_is_an_hour_of_labels() -> None:
    begins = Fraction(0)
    assert Timecode("00:00:00;00", NTSC, begins, FINE).at(107_891 / NTSC) == "00:59:59;29"
    assert Timecode("00:00:00;00", NTSC, begins, FINE).at(107_892 / NTSC) == "01:00:00;00"
    assert Timecode("23:59:59:24", Fraction(25), begins, FINE).at(Fraction(1, 25)) == "00:00:00:00"
    assert timecode_label({"title": "00:00:00:01"}, {"TIMECODE": "some time"}) is None


@pytest.mark.parametrize("rate", [Fraction(25), NTSC, 2 * NTSC, Fraction(24)])
@pytest.mark.parametrize("time_base", [Fraction(1, 1000), Fraction(1, 12_800), FINE])
def test_labels_the_first_picture_that_is_not_before_the_time(rate: Fraction, time_base: Fraction) -> None:
    """Whose own time is rounded to the container's ticks, up or down."""
    shown = [round(n / rate / time_base) * time_base for n in range(20)]
    timecode = Timecode("00:00:00:00", rate, Fraction(0), time_base)
    for milliseconds in range(300):
        time = Fraction(milliseconds, 1000)
        assert timecode.at(time) == f"00:00:00:{next(n for n, s in enumerate(shown) if s >= time):02}"
