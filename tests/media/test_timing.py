"""Timestamps are carried; only what is missing or goes back is repaired, and counted."""

import pytest

from rfdn_video.media.timing import TimestampRepair


def test_good_timestamps_are_not_touched() -> None:
    repair = TimestampRepair(usual_duration=10)
    assert [repair.next(pts, 0) for pts in (-5, 0, 1, 40, 41)] == [-5, 0, 1, 40, 41]
    assert repair.repaired == 0


@pytest.mark.fault(20)
def test_missing_repeated_and_backward_ones_follow_the_frame_before() -> None:
    repair = TimestampRepair(usual_duration=10)
    assert [repair.next(pts, d) for pts, d in ((None, 0), (10, 7), (None, 0), (5, 0), (100, 0), (100, 0))] == [
        0, 10, 17, 22, 100, 105,
    ]  # fmt: skip
    assert repair.repaired == 4


@pytest.mark.fault(20)
def test_repeated_ones_do_not_push_the_others_away() -> None:
    """From the sound, whose times stay."""
    repair = TimestampRepair(usual_duration=40)
    times = [40 * n for n in range(50)]
    for doubled in (5, 6, 7, 20, 30):
        times.insert(times.index(40 * doubled), 40 * doubled)
    given_out = [repair.next(pts, 40) for pts in times]
    assert max(abs(got - pts) for got, pts in zip(given_out, times, strict=True)) <= 60
    assert given_out[-10:] == times[-10:]
    assert repair.repaired < 12


@pytest.mark.fault(20)
def test_a_clock_that_is_set_back_is_followed() -> None:
    repair = TimestampRepair(usual_duration=40)
    assert [repair.next(pts, 40) for pts in (10_000, 10_040, 0, 40, 80)] == [10_000, 10_040, 10_080, 10_120, 10_160]
