"""The colour path against zimg, VapourSynth's resizer, with the same kernel and siting."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from rfdn_video.frame import ChromaLocation, Color, Matrix, PixelFormat
from rfdn_video.inference.colorspace import PlanesToRGB, RGBToPlanes
from tests import zimg
from tests.zimg import smooth_picture

CPU = torch.device("cpu")
WIDTH, HEIGHT = 46, 34  # even, as VapourSynth wants it, and otherwise odd

YUV420P8 = PixelFormat("yuv", 8, 1, 1)
YUV420P10 = PixelFormat("yuv", 10, 1, 1)
YUV422P10 = PixelFormat("yuv", 10, 1, 0)
YUV444P8 = PixelFormat("yuv", 8)
YUV444P12 = PixelFormat("yuv", 12)

CASES = [
    (YUV420P8, Color(Matrix.SMPTE170M)),
    (YUV420P8, Color(Matrix.BT709)),
    (YUV420P8, Color(Matrix.BT709, full_range=True)),
    (YUV420P8, Color(Matrix.BT470BG, chroma_location=ChromaLocation.CENTER)),
    (YUV420P10, Color(Matrix.BT2020_NCL, chroma_location=ChromaLocation.TOPLEFT)),
    (YUV420P10, Color(Matrix.BT709, full_range=True, chroma_location=ChromaLocation.BOTTOMLEFT)),
    (YUV422P10, Color(Matrix.BT709)),
    (YUV444P8, Color(Matrix.SMPTE240M)),
    (YUV444P12, Color(Matrix.FCC)),
]


@pytest.mark.parametrize(("layout", "color"), CASES)
def test_planes_to_rgb_equals_zimg(layout: PixelFormat, color: Color) -> None:
    planes = smooth_picture(layout, WIDTH, HEIGHT)
    expected = np.stack(
        zimg.planes_of(zimg.convert(zimg.clip_of(planes, zimg.format_id(layout)), zimg.RGBS, color, "in"))
    )
    rgb = PlanesToRGB(layout, color, WIDTH, HEIGHT, CPU)([torch.from_numpy(p) for p in planes])
    assert np.abs(rgb[0].numpy() - expected).max() * 255 < 0.01


@pytest.mark.parametrize(("layout", "color"), CASES)
def test_rgb_to_planes_equals_zimg(layout: PixelFormat, color: Color) -> None:
    rgb = PlanesToRGB(layout, color, WIDTH, HEIGHT, CPU)(
        [torch.from_numpy(p) for p in smooth_picture(layout, WIDTH, HEIGHT)]
    )
    clip = zimg.clip_of(list(rgb[0].numpy()), zimg.RGBS)
    expected = zimg.planes_of(zimg.convert(clip, zimg.format_id(layout), color, "out"))
    planes = RGBToPlanes(layout, color, WIDTH, HEIGHT, CPU)(rgb)
    for got, want in zip(planes, expected, strict=True):
        difference = np.abs(got.numpy().astype(int) - want.astype(int))
        assert difference.max() <= 1
        assert (difference > 0).mean() < 0.01  # values that lie on the edge between two codes


@pytest.mark.parametrize("layout", [YUV444P8, YUV444P12, PixelFormat("gray", 10), PixelFormat("rgb", 8)])
@pytest.mark.parametrize("full_range", [False, True])
def test_round_trip_without_subsampling_is_lossless(layout: PixelFormat, full_range: bool) -> None:
    color = Color(Matrix.RGB if layout.family == "rgb" else Matrix.BT709, full_range=full_range)
    planes = [torch.from_numpy(p) for p in smooth_picture(layout, WIDTH, HEIGHT)]
    back = RGBToPlanes(layout, color, WIDTH, HEIGHT, CPU)(PlanesToRGB(layout, color, WIDTH, HEIGHT, CPU)(planes))
    for got, want in zip(back, planes, strict=True):
        assert torch.equal(got, want)


@pytest.mark.parametrize(("layout", "color"), CASES)
def test_flat_patches_come_back_exactly(layout: PixelFormat, color: Color) -> None:
    """Also beyond black and white, and for colours outside RGB's cube: nothing is clamped in between."""
    unit = 1 << (layout.depth - 8)
    for code in (0, 4 * unit, 16 * unit, 128 * unit, 235 * unit, 254 * unit):
        sizes = layout.plane_sizes(9, 7)
        codes = (code, 255 * unit - code, 90 * unit)
        planes = [torch.from_numpy(np.full(s, v, layout.dtype)) for s, v in zip(sizes, codes, strict=True)]
        back = RGBToPlanes(layout, color, 9, 7, CPU)(PlanesToRGB(layout, color, 9, 7, CPU)(planes))
        for got, want in zip(back, planes, strict=True):
            assert torch.equal(got, want)


def test_known_colours() -> None:
    """ITU-R BT.709 colour bars, 75 %, at 8 bit studio range."""
    layout, color = YUV444P8, Color(Matrix.BT709)
    bars = {(180, 128, 128): (0.75, 0.75, 0.75), (51, 109, 212): (0.75, 0, 0), (28, 212, 120): (0, 0, 0.75)}
    for codes, expected in bars.items():
        planes = [torch.full((1, 1), code, dtype=torch.uint8) for code in codes]
        rgb = PlanesToRGB(layout, color, 1, 1, CPU)(planes).flatten()
        assert rgb.numpy() == pytest.approx(expected, abs=0.004)


@pytest.mark.parametrize("layout", [YUV420P8, YUV444P12, PixelFormat("rgb", 8)])
def test_ordered_dither_keeps_means_and_whole_codes(layout: PixelFormat) -> None:
    """Over each 8x8 block the mean is the value; what is a code value already stays one; strips join."""
    color = Color(Matrix.RGB if layout.family == "rgb" else Matrix.BT709, full_range=True)
    peak = (1 << layout.depth) - 1
    dithered = RGBToPlanes(layout, color, 32, 16, CPU, "ordered")
    picture = torch.full((1, 3, 16, 32), 100.3 / peak)
    first, *others = dithered(picture)
    assert set(first.flatten().tolist()) == {100, 101}
    assert first.float().mean().item() == pytest.approx(100.3, abs=1 / 64)
    whole, *_ = dithered(torch.full((1, 3, 16, 32), 100 / peak))
    assert set(whole.flatten().tolist()) == {100}
    strips = []
    for rows in (range(6), range(6, 16)):
        needed = dithered.needed(rows)
        strips.append(dithered(picture[:, :, needed.start : needed.stop], rows))
    for plane, parts in zip((first, *others), zip(*strips, strict=True), strict=True):
        assert torch.equal(torch.cat(parts), plane)
