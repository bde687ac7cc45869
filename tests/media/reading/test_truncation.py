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
    assert "or more bytes are missing at the end of the file" in done.stderr
    assert len(look(tmp_path / f"a_x2.{name[2:]}").times) == record["frames"] > 50


OTHERS = {
    "a.wmv": ("asf", "-c:v wmv2 -c:a wmav2"),
    "a.flv": ("flv", "-c:v flv1 -c:a libmp3lame -ar 44100"),
    "a.ogv": ("ogg", "-c:v libtheora -c:a libvorbis"),
    "a.mxf": ("mxf", "-s 720x576 -c:v mpeg2video -c:a pcm_s16le -ar 48000 -t 0.2"),
    "a.rm": ("rm", "-c:v rv20 -c:a ac3"),
    "a.ivf": ("ivf", "-c:v libvpx -an"),
    "a.gif": ("gif", "-an"),
    "a.y4m": ("yuv4mpegpipe", "-pix_fmt yuv420p -s 62x46 -an"),
    "b.y4m": ("yuv4mpegpipe", "-pix_fmt yuv422p10le -strict -1 -an"),
    "c.y4m": ("yuv4mpegpipe", "-pix_fmt gray -an"),
    "a.dv": ("dv", "-c:v dvvideo -s 720x576 -pix_fmt yuv420p -ar 48000 -ac 2 -t 0.2"),
    "b.dv": ("dv", "-c:v dvvideo -s 720x480 -r 30000/1001 -pix_fmt yuv411p -ar 48000 -ac 2 -t 0.2"),
    "a.nut": ("nut", "-c:v ffv1 -c:a pcm_s16le"),
}
DO_NOT_SAY_WHEN_LIVE = ("a.wmv", "a.mxf", "a.rm")


@pytest.fixture(scope="module")
def others(ffmpeg: Callable[..., bytes], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A second of each kind, and the same in ``live`` as it comes out of a pipe, where no length can be set later."""
    folder = tmp_path_factory.mktemp("others")
    (folder / "live").mkdir()
    made = ["-f", "lavfi", "-i", "testsrc2=s=64x48:r=25:d=1", "-f", "lavfi", "-i", "sine=440:d=1"]
    for name, (muxer, options) in OTHERS.items():
        ffmpeg(*made, *options.split(), folder / name)
        (folder / "live" / name).write_bytes(ffmpeg(*made, *options.split(), "-f", muxer, "pipe:"))
    return folder


@pytest.mark.fault(6)
@pytest.mark.parametrize("name", OTHERS)
def test_other_kinds(command_line: CommandLine, others: Path, nearest_x2: Path, tmp_path: Path, name: str) -> None:
    """Whole ones never say so, live ones neither; of an IVF one knows when it has been read."""
    assert missing_bytes(others / name) == missing_bytes(others / "live" / name) == 0
    data, source = (others / name).read_bytes(), tmp_path / name
    for kept in (len(data) - 3000, len(data) * 2 // 3):
        source.write_bytes(data[:kept])
        assert 0 < missing_bytes(source) <= len(data) - kept or name == "a.ivf"
    arguments = [source, "-o", tmp_path / "o.mkv", "-w", nearest_x2, "--audio", "none", "--deinterlace"]
    done = command_line(*arguments)
    assert done.returncode == 3, done.stderr
    assert "ends early" in done.stderr
    if name != "a.rm":  # FFmpeg gives up where it is cut off
        done = command_line(*arguments, "--salvage")
        assert done.returncode == 0, done.stderr
        assert "what is there was done" in done.stderr

    live = (others / "live" / name).read_bytes()
    source.write_bytes(live[: len(live) * 2 // 3])
    assert (missing_bytes(source) == 0) == (name in (*DO_NOT_SAY_WHEN_LIVE, "a.ivf"))


@pytest.mark.fault(6)
@pytest.mark.parametrize("name", ["a.ts", "a.mpg", "a.h264"])
def test_those_that_never_say(ffmpeg: Callable[..., bytes], tmp_path: Path, name: str) -> None:
    source = tmp_path / name
    ffmpeg("-f", "lavfi", "-i", "testsrc2=s=64x48:r=25:d=1", source)
    source.write_bytes(source.read_bytes()[:-500])
    assert missing_bytes(source) == 0


@pytest.mark.shared
def test_shared_clips_are_whole_but_one(shared: Path) -> None:
    cut = {path.name for path in (shared / "clips").iterdir() if missing_bytes(path)}
    assert cut == {"h264-displaymatrix.mp4"}
