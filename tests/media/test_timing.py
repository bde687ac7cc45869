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
        0, 10, 17, 27, 100, 110,
    ]  # fmt: skip
    assert repair.repaired == 4
