"""Frames in the code values of another video, against zimg's own conversion to float."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from rfdn_video.frame import Color, Frame, Matrix, PixelFormat
from rfdn_video.media.reading.info import VideoInfo
from rfdn_video.quality.space import Aligner, Space, space_of
from tests import zimg
from tests.zimg import vs

YUV420 = PixelFormat("yuv", 8, 1, 1)
SD = Color(Matrix.SMPTE170M)
SPACE = Space(YUV420, SD, 64, 48)


def video(layout: PixelFormat, color: Color, size: tuple[int, int] = (64, 48)) -> VideoInfo:
    return VideoInfo(
        0, "", True, *size, "", layout, color, 2, Fraction(1, 25), Fraction(25), None, Fraction(1), None, ()
    )


@pytest.mark.parametrize(
    ("layout", "color", "size"),
    [
        (YUV420, SD, (64, 48)),
        (PixelFormat("yuv", 10, 1, 1), SD, (64, 48)),
        (PixelFormat("yuv", 10, 1, 1), replace(SD, full_range=True), (64, 48)),
        (YUV420, replace(SD, matrix=Matrix.BT470BG), (64, 48)),
        (YUV420, Color(Matrix.BT709), (64, 48)),
        (PixelFormat("yuv", 12), Color(Matrix.BT2020_NCL, full_range=True), (64, 48)),
        (YUV420, SD, (32, 24)),
    ],
)
def test_equals_zimg(layout: PixelFormat, color: Color, size: tuple[int, int]) -> None:
    planes = zimg.smooth_picture(layout, *size)
    frame = Frame(tuple(planes), layout, color, 0, 1, Fraction(1, 25))
    aligned = Aligner(video(layout, color, size), SPACE)(frame)
    rgb = zimg.convert(zimg.clip_of(planes, zimg.format_id(layout)), zimg.RGBS, color, "in")
    if size != (64, 48):
        rgb = vs.core.resize.Bicubic(rgb, width=64, height=48, filter_param_a=0, filter_param_b=0.5)
    theirs = zimg.planes_of(zimg.convert(rgb, zimg.format_id(replace(YUV420, depth=16)), SD, "out"))
    # Where a linear map does, subsampled chroma is not resampled here, which zimg does on its way through RGB.
    compared = 1 if (layout.sub_w, color.matrix) in _LINEAR and size == (64, 48) else 3
    for ours, plane in zip(aligned[:compared], theirs, strict=False):
        np.testing.assert_allclose(ours.numpy(), plane / 256, atol=0.02)


_LINEAR = {(1, Matrix.SMPTE170M), (1, Matrix.BT470BG)}


def test_what_differs_linearly_stays_exact() -> None:
    deep = PixelFormat("yuv", 10, 1, 1)
    planes = zimg.smooth_picture(deep, 64, 48)
    aligned = Aligner(video(deep, SD), SPACE)(Frame(tuple(planes), deep, SD, 0, 1, Fraction(1, 25)))
    for plane, codes in zip(aligned, planes, strict=True):
        np.testing.assert_array_equal(plane.numpy(), codes / 4)


def test_rgb_is_compared_as_yuv() -> None:
    rgb = PixelFormat("rgb", 8)
    space = space_of(video(rgb, Color(Matrix.RGB, full_range=True)))
    assert (space.layout, space.color.matrix, space.peak) == (PixelFormat("yuv", 8), Matrix.SMPTE170M, 255)
    white = Frame((np.full((48, 64), 255, np.uint8),) * 3, rgb, Color(Matrix.RGB, full_range=True), 0, 1, Fraction(1))
    luma, blue, red = Aligner(video(rgb, white.color), space)(white)
    assert [float(plane.mean()) for plane in (luma, blue, red)] == pytest.approx([235, 128, 128], abs=0.01)


def test_alpha_does_not_enter() -> None:
    transparent = replace(YUV420, alpha=True)
    assert space_of(video(transparent, SD)) == SPACE
    planes = tuple(zimg.smooth_picture(YUV420, 64, 48))
    frame = Frame((*planes, planes[0]), transparent, SD, 0, 1, Fraction(1, 25))
    for plane, codes in zip(Aligner(video(transparent, SD), SPACE)(frame), planes, strict=True):
        np.testing.assert_array_equal(plane.numpy(), codes)
