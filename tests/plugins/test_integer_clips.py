"""Clips of integer samples: through the core's own colour path, as the command line takes them."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from rfdn_video import Color, Frame, PixelFormat, Upscaler
from rfdn_video.frame import ChromaLocation, Matrix

vs = pytest.importorskip("vapoursynth", reason="needs VapourSynth: pip install 'rfdn-video[vapoursynth]'")
from noise import FRAMES, noise_clip  # noqa: E402 (it needs VapourSynth)
from vsrfdn import rfdn  # noqa: E402


def planes(frame) -> list[NDArray]:
    return [np.array(frame[plane]) for plane in range(frame.format.num_planes)]


@pytest.mark.parametrize(
    "name", ["YUV444P8", "YUV444P10", "YUV444P12", "YUV444P16", "GRAY8", "GRAY10", "GRAY16", "RGB24", "RGB48"]
)
def test_every_plane_at_its_place(name: str, nearest_x2: Path) -> None:
    """The test network repeats every pixel: a closed form."""
    clip = noise_clip(getattr(vs, name), 2)
    result = rfdn(clip, weights=nearest_x2)
    assert result.format.id == clip.format.id
    for source, frame in zip(clip.frames(), result.frames(), strict=True):
        for plane, larger in zip(planes(source), planes(frame), strict=True):
            assert np.array_equal(larger, plane.repeat(2, 0).repeat(2, 1))


COLORS = [
    ({}, Color(Matrix.SMPTE170M)),  # the rule for SD
    ({"_Matrix": 1, "_Range": 1}, Color(Matrix.BT709, full_range=True)),
    ({"_Matrix": 9, "_ChromaLocation": 2}, Color(Matrix.BT2020_NCL, chroma_location=ChromaLocation.TOPLEFT)),
    ({"_Matrix": 5, "_ChromaLocation": 1}, Color(Matrix.BT470BG, chroma_location=ChromaLocation.CENTER)),
    ({"_Matrix": 2, "_Range": 0}, Color(Matrix.SMPTE170M)),
    ({"_Matrix": 0}, Color(Matrix.SMPTE170M)),  # RGB on YUV contradicts itself
]


@pytest.mark.parametrize(("props", "color"), COLORS)
@pytest.mark.parametrize("name", ["YUV420P8", "YUV422P10", "YUV420P16"])
def test_colour_is_honoured_and_set(name: str, props: dict[str, int], color: Color) -> None:
    clip = noise_clip(getattr(vs, name), 2).std.SetFrameProps(**props)
    layout = PixelFormat("yuv", clip.format.bits_per_sample, clip.format.subsampling_w, clip.format.subsampling_h)
    sources = [
        Frame(tuple(planes(frame)), layout, color, n, 1, Fraction(1, 24)) for n, frame in enumerate(clip.frames())
    ]
    expected = Upscaler(scale=2, many=True).stream(sources)
    for frame, wanted in zip(rfdn(clip).frames(), expected, strict=True):
        assert frame.props["_Matrix"] == color.matrix
        assert frame.props["_Range"] == color.full_range
        assert frame.props["_ChromaLocation"] == color.chroma_location - 1
        for plane, values in zip(planes(frame), wanted.planes, strict=True):
            assert np.array_equal(plane, values)


def test_an_untagged_hd_clip_is_709(nearest_x2: Path) -> None:
    clip = vs.core.std.BlankClip(format=vs.YUV420P8, width=1280, height=8, length=1)
    assert rfdn(clip, weights=nearest_x2).get_frame(0).props["_Matrix"] == Matrix.BT709


def test_old_property_of_range_counts(nearest_x2: Path) -> None:
    """``_ColorRange`` of older filters: 0 is full."""
    clip = noise_clip(vs.YUV420P8, 1)
    with pytest.warns(DeprecationWarning, match="_ColorRange"):
        clip = clip.std.SetFrameProps(_ColorRange=0)
    assert rfdn(clip, weights=nearest_x2).get_frame(0).props["_Range"] == 1


def test_other_properties_and_times_are_kept(nearest_x2: Path) -> None:
    clip = noise_clip(vs.YUV420P8).std.SetFrameProps(_Transfer=14, _Primaries=9, _SARNum=4, _SARDen=3)
    result = rfdn(clip, weights=nearest_x2)
    assert (result.num_frames, result.fps) == (FRAMES, Fraction(24000, 1001))
    for source, frame in zip(clip.frames(), result.frames(), strict=True):
        decided = {"_Matrix": 6, "_Range": 0, "_ChromaLocation": 0}
        assert dict(frame.props) == dict(source.props) | decided


def test_gray_gets_no_chroma_location(nearest_x2: Path) -> None:
    assert "_ChromaLocation" not in rfdn(noise_clip(vs.GRAY8, 1), weights=nearest_x2).get_frame(0).props


def test_size_suits_the_subsampling() -> None:
    result = rfdn(noise_clip(vs.YUV420P8, 1).resize.Bicubic(50, 34), 1.5)
    assert (result.width, result.height) == (76, 52)
    assert result.get_frame(0).width == 76


def test_colour_may_change_in_mid_clip() -> None:
    """Colour belongs to the frame."""
    clip = noise_clip(vs.YUV420P8, 2)
    ones = clip.std.SetFrameProps(_Matrix=1), clip.std.SetFrameProps(_Matrix=6)
    mixed = rfdn(vs.core.std.Interleave(ones))
    apart = [rfdn(one) for one in ones]
    for n in (0, 1, 2, 3):
        frame, expected = mixed.get_frame(n), apart[n % 2].get_frame(n // 2)
        assert frame.props["_Matrix"] == expected.props["_Matrix"]
        assert all(np.array_equal(a, b) for a, b in zip(planes(frame), planes(expected), strict=True))


@pytest.mark.parametrize("num_streams", [1, 2, 4])
def test_random_requests_give_the_sequential_frames(num_streams: int, nearest_x2: Path) -> None:
    """500, from four threads, repeated and out of order."""
    clip = noise_clip(vs.YUV420P10, 60)
    expected = [planes(frame) for frame in rfdn(clip, weights=nearest_x2).frames()]
    result = rfdn(clip, weights=nearest_x2, num_streams=num_streams)
    result.std.SetVideoCache(mode=0)  # repeated requests are worked out again
    order = random.Random(8).choices(range(60), k=500)  # noqa: S311

    def check(n: int) -> bool:
        return all(np.array_equal(a, b) for a, b in zip(planes(result.get_frame(n)), expected[n], strict=True))

    with ThreadPoolExecutor(4) as threads:
        assert all(threads.map(check, order))


def test_interlaced_later_on_is_found_there(nearest_x2: Path) -> None:
    clip = noise_clip(vs.YUV420P8)
    late = clip[:3] + clip[3:].std.SetFieldBased(1)
    result = rfdn(late, weights=nearest_x2)
    result.get_frame(2)
    with pytest.raises(vs.Error, match="rfdn: frame 3 is interlaced"):
        result.get_frame(3)


def test_one_network_serves_all_clips(nearest_x2: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A script that is run again, as players do at every seek, finds its network."""
    from vsrfdn import filter as vsrfdn_filter

    opened = []
    monkeypatch.setattr(vsrfdn_filter, "Upscaler", lambda **options: opened.append(options) or Upscaler(**options))
    for _ in range(3):
        rfdn(noise_clip(vs.YUV420P8), weights=nearest_x2)
    assert len(opened) == 1
    nearest_x2.touch()  # another file, for all that is known
    rfdn(noise_clip(vs.YUV420P8), weights=nearest_x2)
    rfdn(noise_clip(vs.YUV420P8), weights=nearest_x2, precision="bf16")
    assert len(opened) == 3
