"""Which passes reach which size."""

from __future__ import annotations

from fractions import Fraction

import pytest

from rfdn_video.errors import UsageError
from rfdn_video.inference.scaling import plan_scale, target_size


@pytest.mark.parametrize(
    ("source", "scale", "native", "target", "passes"),
    [
        ((640, 272), "2", 2, (1280, 544), 1),
        ((640, 272), "3", 2, (1920, 816), 2),
        ((640, 272), "4", 2, (2560, 1088), 2),
        ((640, 272), "2", 4, (1280, 544), 1),
        ((640, 272), "1.5", 2, (960, 408), 1),
        ((640, 272), "8", 2, (5120, 2176), 3),
        ((161, 121), "2", 2, (322, 242), 1),
        ((161, 121), "3", 3, (484, 364), 1),  # even for 4:2:0; a hair above x3 is no second pass
        ((1, 1), "2", 2, (2, 2), 1),
        ((1, 1), "4", 2, (4, 4), 2),
        ((1, 100), "3", 2, (4, 300), 2),
    ],
)
def test_plan(source: tuple[int, int], scale: str, native: int, target: tuple[int, int], passes: int) -> None:
    size = target_size(source, scale=Fraction(scale), multiple=(2, 2))
    plan = plan_scale(source, size, native, (2, 2))
    assert (plan.target, plan.passes) == (target, passes)
    assert plan.resamples == (plan.enlarged != target)


def test_height_and_width_keep_the_shape() -> None:
    assert target_size((640, 360), height=1080) == (1920, 1080)
    assert target_size((640, 360), width=1280) == (1280, 720)


def test_a_side_of_one_pixel_gets_its_second_pass() -> None:
    assert plan_scale((1, 1), (3, 3), 2).passes == 2
    assert plan_scale((1, 1), (4, 4), 2, (4, 4)).passes == 1  # 4:1:0 knows no smaller picture


def test_a_factor_that_rounding_takes_back_is_refused() -> None:
    assert target_size((16, 16), scale=Fraction("1.1"), multiple=(2, 2)) == (18, 18)
    with pytest.raises(UsageError, match=r"16x16 enlarged 1\.01 times is 16x16 again"):
        target_size((16, 16), scale=Fraction("1.01"), multiple=(2, 2))


def test_not_larger_is_refused() -> None:
    with pytest.raises(UsageError, match="only enlarges"):
        target_size((1920, 1080), height=720)


@pytest.mark.fault(14)
def test_beyond_all_bounds_is_refused() -> None:
    with pytest.raises(UsageError, match="32768x32768; up to 268435456 pixels"):
        target_size((16384, 16384), scale=Fraction(2))
