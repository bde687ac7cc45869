"""Timestamps are carried; only what is missing, goes back or is far off is repaired, and counted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

from rfdn_video.media.timing import TimestampRepair


def times(repair: TimestampRepair, stamps: Sequence[tuple[int | None, int]]) -> list[int]:
    """Of pictures with these (pts, duration); they stay in order."""
    given = list(repair.timed((number, *stamp) for number, stamp in enumerate(stamps)))
    assert [number for number, _ in given] == list(range(len(stamps)))
    return [pts for _, pts in given]


def test_good_timestamps_are_not_touched() -> None:
    repair = TimestampRepair(usual_duration=10)
    assert times(repair, [(pts, 0) for pts in (-5, 0, 1, 40, 41)]) == [-5, 0, 1, 40, 41]
    assert repair.repaired == 0


@pytest.mark.fault(20)
def test_missing_repeated_and_backward_ones_follow_the_frame_before() -> None:
    repair = TimestampRepair(usual_duration=10)
    stamps = [(None, 0), (10, 7), (None, 0), (5, 0), (100, 0), (100, 0)]
    assert times(repair, stamps) == [0, 10, 17, 22, 100, 105]
    assert repair.repaired == 4


@pytest.mark.fault(20)
def test_repeated_ones_do_not_push_the_others_away() -> None:
    """From the sound, whose times stay."""
    repair = TimestampRepair(usual_duration=40)
    wanted = [40 * n for n in range(50)]
    for doubled in (5, 6, 7, 20, 30):
        wanted.insert(wanted.index(40 * doubled), 40 * doubled)
    given_out = times(repair, [(pts, 40) for pts in wanted])
    assert max(abs(got - pts) for got, pts in zip(given_out, wanted, strict=True)) <= 60
    assert given_out[-10:] == wanted[-10:]
    assert repair.repaired < 12


@pytest.mark.fault(20)
def test_a_clock_that_is_set_back_is_followed() -> None:
    repair = TimestampRepair(usual_duration=40)
    assert times(repair, [(pts, 40) for pts in (10_000, 10_040, 0, 40, 80)]) == [10_000, 10_040, 10_080, 10_120, 10_160]


@pytest.mark.fault(20)
@pytest.mark.parametrize("wrong", [0, 1, 7, 24])
def test_one_that_is_far_too_late_goes_between_its_neighbours(wrong: int) -> None:
    """Which are right, and so is all that follows; but nothing follows the last one."""
    repair = TimestampRepair(usual_duration=40)
    wanted = [40 * n for n in range(25)]
    stamps = [(pts + 10_000 * (n == wrong), 40) for n, pts in enumerate(wanted)]
    is_last = wrong == len(wanted) - 1
    assert times(repair, stamps) == ([*wanted[:-1], stamps[-1][0]] if is_last else wanted)
    assert repair.repaired == (not is_last)


@pytest.mark.parametrize("later", [[5_000, 5_040, 5_080], [5_000, 4_980, 5_080], [5_000, 5_000, 5_040]])
def test_a_gap_stays(later: list[int]) -> None:
    """The clock goes on from the later time, a small error of the next picture or not."""
    given_out = times(TimestampRepair(usual_duration=40), [(pts, 40) for pts in (0, 40, *later)])
    assert given_out[:3] == [0, 40, 5_000]
    assert given_out[-1] == later[-1]


@pytest.mark.fault(20)
def test_first_ones_without_a_time_are_where_the_stream_says() -> None:
    repair = TimestampRepair(usual_duration=40, first=1_000)
    assert times(repair, [(None, 0), (None, 40), (1_080, 40)]) == [1_000, 1_040, 1_080]
    assert repair.repaired == 2


def test_one_picture_is_held_back() -> None:
    """No more: they are large."""
    taken = 0

    def stamped() -> Iterator[tuple[None, int, int]]:
        nonlocal taken
        for pts in range(10):
            taken += 1
            yield None, pts, 1

    for given, _ in enumerate(TimestampRepair(usual_duration=1).timed(stamped()), start=1):
        assert taken == min(given + 1, 10)
