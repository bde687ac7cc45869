"""What was asked for with the encoder options is what ffprobe sees in the finished file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from rfdn_video import upscale_video
from tests.oracle import look


@pytest.fixture
def clip(ffmpeg: Callable[..., bytes], tmp_path: Path) -> Path:
    path = tmp_path / "clip.mkv"
    source = "testsrc2=size=48x40:rate=12:duration=0.5"
    ffmpeg("-f", "lavfi", "-i", source, "-pix_fmt", "yuv420p", "-c:v", "ffv1", path)
    return path


@pytest.mark.parametrize(
    ("name", "settings", "codec", "pix_fmt", "matrix"),
    [
        ("o.mkv", {"encoder": "h264", "encoder_preset": "ultrafast"}, "h264", "yuv420p", "smpte170m"),
        ("o.mp4", {"encoder": "hevc", "pix_fmt": "yuv420p10le"}, "hevc", "yuv420p10le", "smpte170m"),
        ("o.webm", {"encoder": "av1", "encoder_preset": "12"}, "av1", "yuv420p", "smpte170m"),
        ("o.webm", {"encoder": "vp9", "encoder_preset": "8"}, "vp9", "yuv420p", "smpte170m"),
        ("o.mov", {"encoder": "prores", "pix_fmt": "yuv422p10le"}, "prores", "yuv422p10le", "smpte170m"),
        ("o.mkv", {"encoder": "ffv1", "pix_fmt": "gbrp"}, "ffv1", "bgr0", "gbr"),
        ("o.m4v", {"container": "mp4"}, "h264", "yuv420p", "smpte170m"),
    ],
)
def test_as_asked(
    clip: Path,
    nearest_x2: Path,
    tmp_path: Path,
    name: str,
    settings: dict[str, Any],
    codec: str,
    pix_fmt: str,
    matrix: str,
) -> None:
    upscale_video(clip, tmp_path / name, weights=nearest_x2, **settings)
    seen = look(tmp_path / name)
    assert (seen.stream["codec_name"], seen.stream["pix_fmt"]) == (codec, pix_fmt)
    assert seen.tags["color_space"] == matrix
    assert len(seen.times) == 6


def test_a_result_in_rgb_is_the_picture_that_ffmpeg_converts_to(
    ffmpeg: Callable[..., bytes], nearest_x2: Path, tmp_path: Path
) -> None:
    """4:4:4, so that no siting and no kernel of chroma matters; a code of rounding is allowed."""
    import numpy as np

    source = tmp_path / "clip.mkv"
    # Codes that stand for RGB within 0 to 255: what lies outside cannot be compared.
    pattern = "nullsrc=size=32x32:rate=5:duration=0.2,format=yuv444p,geq=lum='100+X':cb='120+Y/2':cr='120+X/2'"
    ffmpeg("-f", "lavfi", "-i", pattern, "-colorspace", "smpte170m", "-color_range", "tv", "-c:v", "ffv1", source)
    upscale_video(source, tmp_path / "o.mkv", weights=nearest_x2, encoder="ffv1", pix_fmt="gbrp")
    got = ffmpeg("-i", tmp_path / "o.mkv", "-f", "rawvideo", "-pix_fmt", "rgb24", "-")
    exact = "scale=64:64:flags=neighbor+accurate_rnd+full_chroma_int+full_chroma_inp:in_color_matrix=smpte170m"
    expected = ffmpeg("-i", source, "-vf", exact, "-f", "rawvideo", "-pix_fmt", "rgb24", "-")
    pictures = [np.frombuffer(data, np.uint8).astype(int) for data in (got, expected)]
    assert np.abs(pictures[0] - pictures[1]).max() <= 2


def test_svt_av1_keeps_silent(
    command_line: Callable[..., CompletedProcess[str]], clip: Path, nearest_x2: Path, tmp_path: Path
) -> None:
    done = command_line(
        clip,
        "-o",
        tmp_path / "o.mkv",
        "-w",
        nearest_x2,
        "--encoder",
        "av1",
        "--encoder-preset",
        "12",
        "--progress",
        "off",
    )
    assert done.returncode == 0
    assert done.stderr == ""
