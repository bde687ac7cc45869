"""The pictures and crops that a preview shows: scenes that differ, detail, quickly found in long files."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from rfdn_video.frame import Color, Frame, Matrix, PixelFormat
from rfdn_video.media.reading.decode import Decoder
from rfdn_video.media.reading.glance import Glance
from rfdn_video.media.reading.probe import probe
from rfdn_video.media.timing import TimeRange
from rfdn_video.quality.crops import detailed_windows
from rfdn_video.quality.moments import choose, sketch, telling_moments

type FFmpeg = Callable[..., bytes]

GRAY = PixelFormat("gray", 8)
SIZE = "160x96"


def frame_of(luma: np.ndarray) -> Frame:
    return Frame((luma.astype(np.uint8),), GRAY, Color(Matrix.BT709), 0, 1, Fraction(1, 25))


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory, ffmpeg: FFmpeg) -> Path:
    """Four scenes of 2 s each, the second one plain; a key picture at the beginning of each."""
    path = tmp_path_factory.mktemp("clips") / "scenes.mp4"
    sources = [
        f"mandelbrot=s={SIZE}:r=25",
        f"color=gray:s={SIZE}:r=25",
        f"testsrc=s={SIZE}:r=25",
        f"yuvtestsrc=s={SIZE}:r=25",
    ]
    inputs = [word for source in sources for word in ("-f", "lavfi", "-t", "2", "-i", source)]
    graph = "".join(f"[{i}]format=yuv420p[v{i}];" for i in range(4)) + "[v0][v1][v2][v3]concat=n=4"
    ffmpeg(*inputs, "-lavfi", graph, "-c:v", "libx264", "-g", "50", "-sc_threshold", "0", path)
    return path


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "ts", "avi"])
def test_each_scene_with_detail_is_shown_once(scenes: Path, ffmpeg: FFmpeg, tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"scenes.{suffix}"
    ffmpeg("-i", scenes, "-c", "copy", path)
    info = probe(path)
    times = [frame.pts * frame.time_base - info.start_time for frame in telling_moments(info, 3)]
    assert [round(float(time) / 2) for time in times] == [0, 2, 3]


def test_a_key_picture_is_the_one_that_the_decoder_gives(scenes: Path) -> None:
    info = probe(scenes)
    pictures = {frame.pts: frame.planes[0].copy() for frame in Decoder(info, TimeRange())}
    with Glance(info) as glance:
        for seconds, expected in ((0, 0), (3, 2), (5, 4), (7, 6)):
            frame = glance.key_picture(Fraction(seconds))
            assert frame is not None
            assert frame.pts * frame.time_base == expected
            np.testing.assert_array_equal(frame.planes[0], pictures[frame.pts])


def test_a_clip_with_one_key_picture_is_looked_through(scenes: Path, ffmpeg: FFmpeg, tmp_path: Path) -> None:
    path = tmp_path / "one.mkv"
    ffmpeg("-i", scenes, "-c:v", "libx264", "-g", "999", "-sc_threshold", "0", path)
    times = [float(frame.pts * frame.time_base) for frame in telling_moments(probe(path), 3)]
    assert len(times) == 3
    assert {int(time / 2) for time in times} == {0, 2}


def test_a_still_film_gives_one_moment(ffmpeg: FFmpeg, tmp_path: Path) -> None:
    path = tmp_path / "still.mp4"
    ffmpeg("-f", "lavfi", "-i", f"smptebars=s={SIZE}:r=25", "-t", "3", "-pix_fmt", "yuv420p", path)
    assert len(telling_moments(probe(path), 5)) == 1


def test_a_long_film_is_only_looked_into(
    scenes: Path, ffmpeg: FFmpeg, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two hours: no more pictures are decoded than for a short film."""
    path = tmp_path / "long.mkv"
    ffmpeg("-stream_loop", "899", "-i", scenes, "-c", "copy", path)
    info = probe(path)
    assert info.duration is not None
    assert info.duration > 7100
    decoded: list[Fraction] = []
    key_picture = Glance.key_picture

    def counted(self: Glance, time: Fraction) -> Frame | None:
        decoded.append(time)
        return key_picture(self, time)

    def refused(_: Glance, count: int) -> None:
        raise AssertionError(f"{count} pictures were decoded in turn")

    monkeypatch.setattr(Glance, "key_picture", counted)
    monkeypatch.setattr(Glance, "first_pictures", refused)
    assert len(telling_moments(info, 3)) == 3
    assert len(decoded) == 48 + 3
    assert max(decoded) > 7000


def test_most_detail_comes_first_and_copies_are_left_out() -> None:
    random = np.random.default_rng(2)
    noisy = random.integers(0, 256, (64, 96))
    plain, ramp = np.full((64, 96), 30), np.tile(np.arange(96) * 2, (64, 1))
    sketches = [sketch(frame_of(luma)) for luma in (plain, ramp, noisy, noisy)]
    assert choose(sketches, 4) == [2, 1, 0] or choose(sketches, 4) == [2, 0, 1]
    assert choose(sketches, 1) == [2]
    assert choose([], 3) == []


def test_windows_are_where_the_detail_is_and_do_not_overlap() -> None:
    luma = np.full((200, 300), 90)
    random = np.random.default_rng(3)
    luma[140:, 220:] = random.integers(0, 256, (60, 80))
    luma[16:56, 32:112] = random.integers(60, 120, (40, 80))
    first, second, third = detailed_windows(frame_of(luma), (80, 60), 3)
    assert first == (slice(140, 200), slice(220, 300))
    assert second[1] == slice(32, 112)
    assert second[0].start <= 16 <= 56 <= second[0].stop
    inside = np.zeros(luma.shape, int)
    for rows, columns in (first, second, third):
        inside[rows, columns] += 1
    assert inside.max() == 1
    assert detailed_windows(frame_of(luma), (999, 999), 3) == [(slice(0, 200), slice(0, 300))]
