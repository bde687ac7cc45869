"""What is taken where tags leave something open: the one rule of docs/colour.md, case by case."""

from __future__ import annotations

from typing import Any

import pytest

from rfdn_video.errors import InputError
from rfdn_video.frame import ChromaLocation, Color, Matrix, PixelFormat
from rfdn_video.media.color import decide_color

YUV, RGB, GRAY = PixelFormat("yuv", 8, 1, 1), PixelFormat("rgb", 8), PixelFormat("gray", 8)
UNTAGGED = {"matrix": 2, "range_": 0, "chroma_location": 0, "primaries": 2, "transfer": 2}


def decided(layout: PixelFormat = YUV, size: tuple[int, int] = (1920, 1080), **tags: Any) -> Color:
    return decide_color(layout, size, **(UNTAGGED | tags))


@pytest.mark.parametrize(
    ("size", "matrix"),
    [
        ((1024, 576), Matrix.SMPTE170M),
        ((1025, 576), Matrix.BT709),
        ((1024, 577), Matrix.BT709),
        ((16, 16), Matrix.SMPTE170M),
    ],
)
def test_untagged_matrix_follows_the_size(size: tuple[int, int], matrix: Matrix) -> None:
    assert decided(size=size).matrix is matrix
    assert decided(size=size, matrix=0).matrix is matrix  # RGB, on YUV: it contradicts itself
    assert decided(size=size, matrix=9).matrix is Matrix.BT2020_NCL


@pytest.mark.fault(46)
def test_untagged_range_follows_the_family() -> None:
    assert [decided(layout).full_range for layout in (YUV, GRAY, RGB)] == [False, False, True]
    assert [decided(layout, range_=1).full_range for layout in (YUV, RGB)] == [False, False]
    assert decided(range_=2).full_range
    assert decided(yuvj=True).full_range


def test_untagged_chroma_lies_left_and_the_rest_stays_open() -> None:
    color = decided()
    assert (color.chroma_location, color.primaries, color.transfer) == (ChromaLocation.LEFT, 2, 2)
    assert decided(chroma_location=3).chroma_location is ChromaLocation.TOPLEFT
    assert decided(RGB).matrix is Matrix.RGB


@pytest.mark.parametrize("code", [8, 10, 14])
def test_a_matrix_that_the_arithmetic_does_not_know(code: int) -> None:
    """YCgCo, BT.2020 with constant luminance, ICtCp."""
    with pytest.raises(
        InputError, match=rf"colour matrix {code} of ITU-T H.273 is not supported; known: .*BT709 \(1\)"
    ):
        decided(matrix=code)
