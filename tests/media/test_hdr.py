"""Mastering display and light level come through every encoder that takes them, and are missed where none does."""

from __future__ import annotations

import struct
import subprocess
from collections.abc import Callable
from pathlib import Path

import av
import pytest

type CommandLine = Callable[..., subprocess.CompletedProcess[str]]

DISPLAY = "master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,50)"
NUMBERS = [0.68, 0.32, 0.265, 0.69, 0.15, 0.06, 0.3127, 0.329, 0.005, 1000]


@pytest.fixture(scope="module")
def source(ffmpeg: Callable[..., bytes], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """HDR10: H.265, 10 bit, PQ."""
    path = tmp_path_factory.mktemp("hdr") / "hdr.mp4"
    video = "-f lavfi -i testsrc2=size=96x80:rate=25 -frames:v 5 -pix_fmt yuv420p10le -c:v libx265"
    tags = "-color_primaries bt2020 -color_trc smpte2084 -colorspace bt2020nc"
    parameters = f"log-level=error:bframes=0:{DISPLAY}:max-cll=1100,180:hdr10=1"
    ffmpeg(*video.split(), *tags.split(), "-x265-params", parameters, path)
    return path


@pytest.mark.parametrize(
    ("name", "encoder"),
    [("a.mp4", "libx264"), ("a.mkv", "libx264"), ("a.mp4", "libx265"), ("a.mkv", "libx265"), ("a.mp4", "libsvtav1"),
     ("a.webm", "libsvtav1")],
)  # fmt: skip
def test_carried(
    command_line: CommandLine, source: Path, nearest_x2: Path, tmp_path: Path, name: str, encoder: str
) -> None:
    arguments = ["-o", tmp_path / name, "-w", nearest_x2, "--encoder", encoder]
    done = command_line(source, *arguments)
    assert done.returncode == 0, done.stderr
    assert "mastering" not in done.stderr
    display, light = _seen(tmp_path / name)
    assert display == pytest.approx(NUMBERS, rel=0.002)
    assert light == (1100, 180)


def test_the_users_own_parameters_win(
    command_line: CommandLine, source: Path, nearest_x2: Path, tmp_path: Path
) -> None:
    arguments = ["-o", tmp_path / "a.mkv", "-w", nearest_x2, "--encoder-opt", "x264-params=cll=900,90"]
    done = command_line(source, *arguments)
    assert done.returncode == 0, done.stderr
    display, light = _seen(tmp_path / "a.mkv")
    assert display == pytest.approx(NUMBERS, rel=0.002)
    assert light == (900, 90)


def test_said_where_they_are_lost(command_line: CommandLine, source: Path, nearest_x2: Path, tmp_path: Path) -> None:
    done = command_line(source, "-o", tmp_path / "a.mkv", "-w", nearest_x2, "--encoder", "ffv1")
    assert done.returncode == 0, done.stderr
    assert "dropped mastering display and light level: encoder ffv1 does not take them" in done.stderr


def _seen(path: Path) -> tuple[list[float], tuple[int, int]]:
    """What PyAV's decoders find in the first picture (ffprobe 5 does not show H.264's)."""
    with av.open(str(path)) as container:
        picture = next(container.decode(video=0))
        data = {kind.name: bytes(picture.side_data[kind]) for kind in picture.side_data}
    numbers = struct.unpack("=20i", data["MASTERING_DISPLAY_METADATA"][:80])
    values = [n / d for n, d in zip(numbers[::2], numbers[1::2], strict=True)]
    return values, struct.unpack("=2I", data["CONTENT_LIGHT_LEVEL"][:8])
