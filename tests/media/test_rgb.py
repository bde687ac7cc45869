"""RGB becomes what players show where it goes to be played, and that is said; elsewhere, and on demand, it stays."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import ffmpeg as ffmpeg_python
import numpy as np
import pytest

from rfdn_video import upscale_video
from rfdn_video.errors import InputError, OutputError

type FFmpeg = Callable[..., bytes]


def flat(ffmpeg: FFmpeg, folder: Path, pix_fmt: str) -> Path:
    """Three pictures of one colour."""
    color = "color=0xc83c64:s=96x64:r=25:d=0.12"
    ffmpeg("-f", "lavfi", "-i", color, "-c:v", "ffv1", "-pix_fmt", pix_fmt, folder / "in.mkv")
    return folder / "in.mkv"


def wanted(ffmpeg: FFmpeg, source: Path) -> list[int]:
    """Y'CbCr in studio range of the source's first pixel, at its depth (ITU-R BT.601-7, 2.5)."""
    deep = ffmpeg_python.probe(str(source))["streams"][0]["pix_fmt"] == "gbrp10le"
    raw = ffmpeg("-i", source, "-frames:v", "1", "-f", "rawvideo", "-pix_fmt", "gbrp10le" if deep else "gbrp", "-")
    planes = np.frombuffer(raw, np.uint16 if deep else np.uint8).reshape(3, -1)
    green, blue, red = planes[:, 0] / (1023 if deep else 255)
    y = 0.299 * red + 0.587 * green + 0.114 * blue
    scaled = (16 + 219 * y, 128 + 224 * (blue - y) / 1.772, 128 + 224 * (red - y) / 1.402)
    return [round(float(value) * (4 if deep else 1)) for value in scaled]


@pytest.mark.parametrize(
    ("pix_fmt", "output", "settings", "codec", "written"),
    [
        ("bgr0", "o.mp4", {}, "h264", "yuv420p"),
        ("bgr0", "o.mov", {"encoder": "hevc"}, "hevc", "yuv420p"),
        ("bgr0", "o.webm", {}, "vp9", "yuv420p"),
        ("gbrp10le", "o.mp4", {}, "h264", "yuv420p10le"),
        ("bgr0", "o.mkv", {"encoder": "h264"}, "h264", "yuv420p"),
    ],
)
def test_it_plays(
    ffmpeg: FFmpeg,
    nearest_x2: Path,
    tmp_path: Path,
    pix_fmt: str,
    output: str,
    settings: dict[str, str],
    codec: str,
    written: str,
) -> None:
    source = flat(ffmpeg, tmp_path, pix_fmt)
    summary = upscale_video(source, tmp_path / output, weights=nearest_x2, device="cpu", crf=2, **settings)
    (said,) = summary.dropped
    assert f"RGB becomes {written}" in said
    assert "--pix-fmt gbrp" in said
    stream = ffmpeg_python.probe(str(tmp_path / output))["streams"][0]
    assert (stream["codec_name"], stream["pix_fmt"]) == (codec, written)
    assert (stream["color_space"], stream["color_range"]) == ("smpte170m", "tv")
    raw = ffmpeg("-i", tmp_path / output, "-f", "rawvideo", "-frames:v", "1", "-")
    samples = np.frombuffer(raw, np.uint16 if "10" in written else np.uint8).astype(int)
    planes = np.split(samples, [192 * 128, 192 * 128 * 5 // 4])
    assert all(np.abs(plane - value).max() <= 1 for plane, value in zip(planes, wanted(ffmpeg, source), strict=True))


@pytest.mark.parametrize(
    ("output", "settings", "codec", "written"),
    [
        ("o.mp4", {"pix_fmt": "gbrp"}, "hevc", "gbrp"),
        ("o.mkv", {}, "hevc", "gbrp"),
        ("o.mkv", {"encoder": "ffv1"}, "ffv1", "bgr0"),
        ("o.mov", {"encoder": "libx264rgb"}, "h264", "gbrp"),
    ],
)
def test_it_stays(
    ffmpeg: FFmpeg, nearest_x2: Path, tmp_path: Path, output: str, settings: dict[str, str], codec: str, written: str
) -> None:
    source = flat(ffmpeg, tmp_path, "bgr0")
    summary = upscale_video(source, tmp_path / output, weights=nearest_x2, device="cpu", **settings)
    assert not summary.dropped
    stream = ffmpeg_python.probe(str(tmp_path / output))["streams"][0]
    assert (stream["codec_name"], stream["pix_fmt"], stream["color_space"]) == (codec, written, "gbr")


def test_strict_wants_to_be_told(ffmpeg: FFmpeg, nearest_x2: Path, tmp_path: Path) -> None:
    """And what cannot be done as it was asked for is still refused."""
    source, common = flat(ffmpeg, tmp_path, "bgr0"), {"weights": nearest_x2, "device": "cpu"}
    with pytest.raises(InputError, match=r"RGB becomes yuv420p.*--pix-fmt gbrp keeps it.*--strict"):
        upscale_video(source, tmp_path / "o.mp4", strict=True, **common)
    assert not upscale_video(source, tmp_path / "o.mp4", strict=True, pix_fmt="yuv420p", **common).dropped
    with pytest.raises(OutputError, match="libx264 does not take gbrp"):
        upscale_video(source, tmp_path / "p.mp4", pix_fmt="gbrp", encoder="h264", **common)
