"""Files that are cut off: found before the first frame, whatever part of them is gone."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from rfdn_video.media.reading.truncation import missing_bytes
from tests.oracle import look

type CommandLine = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def films(ffmpeg: Callable[..., bytes], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same film as MP4 with its index first, MOV with it last, Matroska, AVI."""
    folder = tmp_path_factory.mktemp("films")
    for name, flags in (("a.mp4", "+faststart"), ("a.mov", "0"), ("a.mkv", None), ("a.webm", None), ("a.avi", None)):
        codec = ["libvpx"] if name == "a.webm" else ["libx264", "-g", "10", "-bf", "2", "-pix_fmt", "yuv420p"]
        options = ["-movflags", flags] if flags else []
        ffmpeg("-f", "lavfi", "-i", "testsrc2=size=64x48:rate=25:duration=4", "-c:v", *codec, *options, folder / name)
    return folder


@pytest.mark.parametrize("name", ["a.mp4", "a.mov", "a.mkv", "a.webm", "a.avi"])
def test_says_how_much_is_missing(films: Path, tmp_path: Path, name: str) -> None:
    data = (films / name).read_bytes()
    assert missing_bytes(films / name) == 0
    for kept in (len(data) - 1, len(data) - 100, len(data) * 2 // 3):
        (tmp_path / name).write_bytes(data[:kept])
        missing = missing_bytes(tmp_path / name)
        # Of a MOV whose index comes last, nothing speaks of the index once it is gone.
        assert missing == len(data) - kept or (name == "a.mov" and 0 < missing < len(data) - kept)
    (tmp_path / name).write_bytes(data + b"\0" * 5)  # padding behind the end is no harm
    assert missing_bytes(tmp_path / name) == 0


def test_a_live_recording_does_not_say(films: Path, tmp_path: Path) -> None:
    """Its segment is of unknown size (RFC 8794, section 6.2)."""
    live = tmp_path / "live.mkv"
    copy = ["ffmpeg", "-v", "error", "-i", films / "a.mkv", "-c", "copy", "-live", "1", "-f", "matroska", "pipe:"]
    live.write_bytes(subprocess.run(copy, capture_output=True, check=True).stdout)
    assert missing_bytes(live) == 0


@pytest.mark.fault(6)
@pytest.mark.parametrize("name", ["a.mp4", "a.mkv"])
def test_refused_unless_told_otherwise(
    command_line: CommandLine, films: Path, nearest_x2: Path, tmp_path: Path, name: str
) -> None:
    data, source = (films / name).read_bytes(), tmp_path / name
    source.write_bytes(data[: len(data) * 2 // 3])
    for arguments in ([], ["--start", "1"], ["--end", "3.9"], ["--frames", "99"]):
        done = command_line(source, "-w", nearest_x2, *arguments)
        assert done.returncode == 3
        assert "ends early" in done.stderr
        assert "--salvage" in done.stderr
        assert list(tmp_path.iterdir()) == [source]

    assert command_line(source, "-w", nearest_x2, "--frames", "20").returncode == 0
    done = command_line(source, "-w", nearest_x2, "--salvage", "--overwrite", "--json")
    assert done.returncode == 0, done.stderr
    record = json.loads(done.stdout)
    assert record["missing_bytes"] == missing_bytes(source)
    assert "bytes are missing at the end of the file" in done.stderr
    assert len(look(tmp_path / f"a_x2.{name[2:]}").times) == record["frames"] > 50
