"""Shapes of pixels that no bitstream can express, and that libavcodec takes for errors, stay exact in the container."""

from __future__ import annotations

import struct
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest

from rfdn_video import probe, upscale_video
from tests.oracle import look

SHAPES = [(4319, 1), (1, 4319), (65535, 65534), (2**31 - 1, 1), (1, 2**31 - 1)]
OUTPUTS = [
    ("libx264", "o.mp4", "av"),
    ("libx265", "o.mp4", "av"),
    ("libsvtav1", "o.mp4", "av"),
    ("libx264", "o.mp4", "ffmpeg"),
    ("prores", "o.mov", "av"),
    ("libx264", "o.mkv", "av"),
    ("ffv1", "o.mkv", "av"),
    ("libvpx-vp9", "o.webm", "av"),
]


@pytest.fixture(scope="module")
def clip(ffmpeg: Callable[..., bytes], tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Two pictures, in MP4, whose pixels are 4:3."""
    path = tmp_path_factory.mktemp("shape") / "clip.mp4"
    video = "-f lavfi -i testsrc2=size=48x44:rate=25 -frames:v 2 -pix_fmt yuv420p -vf setsar=4/3 -c:v libx264"
    ffmpeg(*video.split(), path)
    return path.read_bytes()


@pytest.mark.parametrize(("encoder", "name", "backend"), OUTPUTS)
@pytest.mark.parametrize("shape", SHAPES, ids=lambda s: "{}:{}".format(*s))
def test_exact(
    clip: bytes, nearest_x2: Path, tmp_path: Path, shape: tuple[int, int], encoder: str, name: str, backend: str
) -> None:
    source, output = _shaped(clip, shape, tmp_path), tmp_path / name
    pix_fmt = "yuv422p10le" if encoder == "prores" else None
    settings = {"encoder": encoder, "encoder_backend": backend, "pix_fmt": pix_fmt, "weights": nearest_x2}
    summary = upscale_video(source, output, **settings)
    assert (summary.dropped, summary.verified) == ((), True)
    if output.suffix in (".mkv", ".webm"):
        assert look(output).stream["sample_aspect_ratio"] == "{}:{}".format(*shape)
    else:  # FFmpeg 5 reads no more than 15 bits of it
        assert _shape(output.read_bytes()) == shape


@pytest.mark.parametrize("sounds", [1, 3, 6])
def test_beside_several_sounds(ffmpeg: Callable[..., bytes], nearest_x2: Path, tmp_path: Path, sounds: int) -> None:
    """Matroska's list of tracks is written anew for the shape; what lies behind it must not move."""
    source, output = tmp_path / "in.mkv", tmp_path / "o.mkv"
    video = "-f lavfi -i testsrc2=size=72x58:rate=25:duration=0.4,setsar=16/15 -f lavfi -i sine=duration=1"
    date = ["-metadata", "creation_time=2020-01-02T03:04:05Z"]
    ffmpeg(*video.split(), "-map", "0", *["-map", "1"] * sounds, "-c:v", "mpeg2video", "-c:a", "mp2", *date, source)
    assert upscale_video(source, output, weights=nearest_x2).verified
    assert look(output).stream["sample_aspect_ratio"] == look(source).stream["sample_aspect_ratio"]
    for number in range(sounds):
        decoded = [ffmpeg("-i", path, "-map", f"0:a:{number}", "-f", "md5", "-") for path in (source, output)]
        assert decoded[0] == decoded[1]


def test_two_views_side_by_side(ffmpeg: Callable[..., bytes], nearest_x2: Path, tmp_path: Path) -> None:
    """The tag would make Matroska's muxer change the shape; the layout is named as lost."""
    source, output = tmp_path / "in.mkv", tmp_path / "o.mkv"
    video = "-f lavfi -i testsrc2=size=80x64:rate=25:duration=0.2 -pix_fmt yuv420p -c:v libx264"
    ffmpeg(*video.split(), "-metadata:s:v", "stereo_mode=left_right", source)
    summary = upscale_video(source, output, weights=nearest_x2)
    assert summary.verified
    assert any("stereoscopic" in lost for lost in summary.dropped)


@pytest.mark.parametrize("shape", [(0, 1), (1, 0), (2**31 + 5, 7), (7, 2**32 - 1)])
def test_what_is_no_shape_is_passed_over(clip: bytes, nearest_x2: Path, tmp_path: Path, shape: tuple[int, int]) -> None:
    """That of the bitstream counts."""
    source = _shaped(clip, shape, tmp_path)
    assert probe(source).video.sample_aspect_ratio == Fraction(4, 3)
    upscale_video(source, tmp_path / "o.mp4", weights=nearest_x2)
    assert _shape((tmp_path / "o.mp4").read_bytes()) == (4, 3)


def _shaped(clip: bytes, shape: tuple[int, int], folder: Path) -> Path:
    at = clip.index(b"pasp") + 4
    (folder / "in.mp4").write_bytes(clip[:at] + struct.pack(">2I", *shape) + clip[at + 8 :])
    return folder / "in.mp4"


def _shape(data: bytes) -> tuple[int, ...]:
    at = data.index(b"pasp") + 4
    return struct.unpack(">2I", data[at : at + 8])
