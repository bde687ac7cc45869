"""Closed captions that travel inside the pictures (CEA-708 in ATSC A/53 user data)."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import ffmpeg as ffmpeg_python
import pytest

type CommandLine = Callable[..., subprocess.CompletedProcess[str]]

COUNT = 12


@pytest.fixture(scope="module")
def captioned(ffmpeg: Callable[..., bytes], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """H.264 with a caption message (ITU-T H.264, D.1.6; ATSC A/53-4, 6.2.3) before the slices of every picture."""
    folder = tmp_path_factory.mktemp("captions")
    video = f"-f lavfi -i testsrc2=size=80x64:rate=25 -frames:v {COUNT} -pix_fmt yuv420p -c:v libx264"
    ffmpeg(*video.split(), "-preset", "ultrafast", "-x264-params", "aud=1:slices=1", folder / "plain.h264")
    pictures = re.split(rb"(?=\x00\x00\x00\x01\x09)", (folder / "plain.h264").read_bytes())[1:]
    assert len(pictures) == COUNT
    data = b"".join(_with_message(picture, number) for number, picture in enumerate(pictures))
    (folder / "captioned.h264").write_bytes(data)
    ffmpeg("-r", "25", "-i", folder / "captioned.h264", "-c", "copy", folder / "captioned.mp4")
    path = folder / "captioned.mp4"
    assert _captioned_frames(path) == COUNT
    return path


def test_carried_by_x264(command_line: CommandLine, captioned: Path, nearest_x2: Path, tmp_path: Path) -> None:
    done = command_line(captioned, "-o", tmp_path / "out.mp4", "-w", nearest_x2)
    assert done.returncode == 0, done.stderr
    assert "captions" not in done.stderr
    assert _captioned_frames(tmp_path / "out.mp4") == COUNT
    assert _captions(tmp_path / "out.mp4") == _captions(captioned)


def test_said_to_be_dropped_elsewhere(
    command_line: CommandLine, captioned: Path, nearest_x2: Path, tmp_path: Path
) -> None:
    done = command_line(captioned, "-o", tmp_path / "out.mkv", "--encoder", "ffv1", "-w", nearest_x2)
    assert done.returncode == 0, done.stderr
    assert "dropped closed captions" in done.stderr


def test_the_ffmpeg_program_does_not_get_them_and_that_is_said(
    command_line: CommandLine, captioned: Path, nearest_x2: Path, tmp_path: Path
) -> None:
    arguments = ["-o", tmp_path / "out.mp4", "--encoder-backend", "ffmpeg", "-w", nearest_x2]
    said = "closed captions in the pictures: encoder libx264 does not take them here, libx264 of PyAV does"
    done = command_line(captioned, *arguments, "--strict")
    assert (done.returncode, said in done.stderr) == (3, True)
    done = command_line(captioned, *arguments)
    assert done.returncode == 0, done.stderr
    assert f"dropped {said}" in done.stderr
    assert _captioned_frames(tmp_path / "out.mp4") == 0


def _with_message(picture: bytes, number: int) -> bytes:
    triplet = bytes([0xFC, 0x94, 0x80 | (0x20 + number)])
    message = b"\xb5\x00\x31GA94\x03\x41\xff" + triplet + b"\xff"
    sei = b"\x00\x00\x00\x01\x06\x04" + bytes([len(message)]) + message + b"\x80"
    slices = re.search(rb"\x00*\x00\x00\x01[\x65\x41\x01\x61\x21\x25]", picture[6:])
    assert slices is not None
    begin = 6 + slices.start()
    return picture[:begin] + sei + picture[begin:]


def _captioned_frames(path: Path) -> int:
    frames = ffmpeg_python.probe(str(path), show_frames=None)["frames"]
    kinds = [d["side_data_type"] for frame in frames for d in frame.get("side_data_list", [])]
    return sum("A53" in kind for kind in kinds)


def _captions(path: Path) -> list[bytes]:
    """All messages; which picture has which, the numbers in them say."""
    return sorted(re.findall(rb"GA94\x03\x41.(...)", path.read_bytes(), re.DOTALL))
