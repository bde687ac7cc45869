"""What a result says of where its chroma lies is where it lies; ffprobe, ffmpeg and zimg read it."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import ffmpeg as ffmpeg_python
import numpy as np
import pytest

from rfdn_video import upscale_video
from rfdn_video.frame import ChromaLocation, Color, Matrix, PixelFormat
from rfdn_video.media.encoding.result_color import moves, result_color
from rfdn_video.media.formats import ffmpeg_name
from tests.zimg import RGBS, clip_of, convert, format_id, planes_of, smooth_picture, vs

ALL = ["left", "center", "topleft", "top", "bottomleft", "bottom"]
YUV420, YUV422 = PixelFormat("yuv", 8, 1, 1), PixelFormat("yuv", 10, 1, 0)
OUTPUTS = [
    *(("libx264", name, "av", ALL) for name in ("o.mp4", "o.mkv")),
    pytest.param("libx264", "o.mov", "av", ALL, marks=pytest.mark.slow),
    *(("libx265", name, "av", ALL) for name in ("o.mov", "o.mkv")),
    pytest.param("libx265", "o.mp4", "av", ALL, marks=pytest.mark.slow),
    ("libsvtav1", "o.mp4", "av", ["left", "topleft"]),
    ("libsvtav1", "o.mkv", "av", ALL[:4]),
    pytest.param("libsvtav1", "o.webm", "av", ALL[:4], marks=pytest.mark.slow),
    ("libvpx-vp9", "o.mp4", "av", ["left"]),
    ("libvpx-vp9", "o.webm", "av", ALL[:4]),
    pytest.param("libvpx-vp9", "o.mkv", "av", ALL[:4], marks=pytest.mark.slow),
    ("ffv1", "o.mkv", "av", ALL[:4]),
    ("libx264", "o.mp4", "ffmpeg", ALL),
    pytest.param("libx265", "o.mkv", "ffmpeg", ALL, marks=pytest.mark.slow),
    ("libvpx-vp9", "o.mp4", "ffmpeg", ["left"]),
    ("libaom-av1", "o.webm", "ffmpeg", ALL[:4]),
]


@pytest.fixture(scope="module")
def clips(ffmpeg: Callable[..., bytes], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """4:2:0 by its location, from one picture, lossless."""
    folder = tmp_path_factory.mktemp("siting")
    raw, height, width = folder / "clip.yuv", 40, 48
    raw.write_bytes(b"".join(plane.tobytes() for plane in smooth_picture(YUV420, width, height)) * 2)
    for location in ALL:
        video = f"-f rawvideo -pix_fmt yuv420p -s {width}x{height} -i {raw} -colorspace bt709 -color_range tv"
        ffmpeg(
            *video.split(),
            "-c:v",
            "libx264",
            "-qp",
            "0",
            "-chroma_sample_location",
            location,
            folder / f"{location}.mkv",
        )
    return {location: folder / f"{location}.mkv" for location in ALL}


@pytest.mark.parametrize(("encoder", "name", "backend", "told"), OUTPUTS)
def test_told_or_left(
    clips: dict[str, Path], nearest_x2: Path, tmp_path: Path, encoder: str, name: str, backend: str, told: list[str]
) -> None:
    output = tmp_path / name
    for location in ("left", "center", "topleft", "bottom"):
        settings = {"weights": nearest_x2, "encoder": encoder, "encoder_backend": backend, "overwrite": True}
        upscale_video(clips[location], output, **settings)
        expected = location if location in told else "left"
        said = ffmpeg_python.probe(str(output))["streams"][0].get("chroma_location", "left")
        assert said == expected, location


@pytest.mark.fault(48)
@pytest.mark.parametrize("location", ALL)
@pytest.mark.parametrize(("encoder", "name"), [("ffv1", "o.mkv"), ("libx264", "o.mp4")])
def test_the_pixels_lie_there(
    ffmpeg: Callable[..., bytes],
    clips: dict[str, Path],
    nearest_x2: Path,
    tmp_path: Path,
    location: str,
    encoder: str,
    name: str,
) -> None:
    """FFV1 cannot say the lower ones: there the chroma is zimg's, down from RGB to left."""
    crf = 0 if encoder == "libx264" else None
    upscale_video(clips[location], tmp_path / name, weights=nearest_x2, encoder=encoder, crf=crf)
    data = np.frombuffer(ffmpeg("-i", tmp_path / name, "-frames:v", "1", "-f", "rawvideo", "-"), np.uint8)
    said = "left" if encoder == "ffv1" and location.startswith("bottom") else location
    before, after = (Color(Matrix.BT709, False, ChromaLocation[word.upper()]) for word in (location, said))
    rgb = convert(clip_of(smooth_picture(YUV420, 48, 40), format_id(YUV420)), RGBS, before, "in")
    larger = vs.core.resize.Point(rgb, width=2 * rgb.width, height=2 * rgb.height)
    expected = planes_of(convert(larger, format_id(YUV420), after, "out"))
    start = 0
    for plane in expected:
        got = data[start : start + plane.size].reshape(plane.shape)
        assert np.abs(got.astype(int) - plane).max() <= 1
        start += plane.size


@pytest.mark.parametrize(
    ("encoder", "name", "words"),
    [
        (
            "libvpx-vp9",
            "o.mp4",
            "chroma is resampled from topleft to left: libvpx-vp9 in mp4 cannot say otherwise",
        ),
        ("libx264", "o.mp4", None),
        ("ffv1", "o.mkv", None),
    ],
)
def test_the_plan_says_so(
    command_line: Callable[..., subprocess.CompletedProcess[str]],
    clips: dict[str, Path],
    nearest_x2: Path,
    tmp_path: Path,
    encoder: str,
    name: str,
    words: str | None,
) -> None:
    arguments = ["-o", tmp_path / name, "-w", nearest_x2, "--encoder", encoder, "--dry-run"]
    done = command_line(clips["topleft"], *arguments)
    assert done.returncode == 0, done.stderr
    assert (words or "") in done.stdout
    assert (words is not None) == ("chroma is resampled" in done.stdout)


@pytest.mark.parametrize(("encoder", "name"), [("prores", "o.mov"), ("prores", "o.mkv"), ("libx265", "o.mp4")])
def test_422_is_left(ffmpeg: Callable[..., bytes], nearest_x2: Path, tmp_path: Path, encoder: str, name: str) -> None:
    """The location counts across only, where all but Matroska know the left."""
    source, output = tmp_path / "in.mkv", tmp_path / name
    video = f"-f lavfi -i testsrc2=size=48x40 -frames:v 2 -pix_fmt {ffmpeg_name(YUV422)} -c:v ffv1"
    ffmpeg(*video.split(), "-chroma_sample_location", "center", source)
    upscale_video(source, output, weights=nearest_x2, encoder=encoder)
    said = ffmpeg_python.probe(str(output))["streams"][0].get("chroma_location", "left")
    assert said == ("center" if (encoder, name) == ("prores", "o.mkv") else "left")


def test_what_counts_as_another_place() -> None:
    top_left, left, center = ChromaLocation.TOPLEFT, ChromaLocation.LEFT, ChromaLocation.CENTER
    assert moves(top_left, left, YUV420)
    assert not moves(top_left, left, YUV422)
    assert moves(center, left, YUV422)
    assert not moves(center, left, PixelFormat("yuv", 8))
    color = Color(Matrix.BT709, chroma_location=center)
    assert result_color(color, YUV420, "rawvideo", "nut").chroma_location == left
