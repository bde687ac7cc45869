"""What describes a film goes along, its part gets its part of it, and what has no place is said."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ffmpeg as ffmpeg_python
import pytest

from rfdn_video import upscale_video
from tests.oracle import look

type CommandLine = Callable[..., subprocess.CompletedProcess[str]]

VIDEO = ["-f", "lavfi", "-i", "testsrc2=size=48x32:rate=30000/1001:duration=4"]
SOUND = ["-f", "lavfi", "-i", "sine=440:duration=4"]
CODECS = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-c:a", "aac"]


def _probe(path: Path) -> dict[str, Any]:
    return dict(ffmpeg_python.probe(str(path), show_chapters=None))


@pytest.fixture(scope="module")
def film(ffmpeg: Callable[..., bytes], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four seconds with sound, 40 chapters of 0.1 s, two attachments, tags, one of them of nobody else's."""
    folder = tmp_path_factory.mktemp("metadata")
    lines = [";FFMETADATA1", "title=A film", "artist=Somebody", "my_own_key=kept in Matroska"]
    for i in range(40):
        lines += ["[CHAPTER]", "TIMEBASE=1/1000", f"START={100 * i}", f"END={100 * i + 100}", f"title=Part {i}"]
    (folder / "meta.txt").write_text("\n".join(lines) + "\n")
    (folder / "a.ttf").write_bytes(bytes(range(100)))
    (folder / "b.txt").write_bytes(b"words")
    attach = ["-attach", folder / "a.ttf", "-metadata:s:t:0", "mimetype=application/x-truetype-font"]
    attach += ["-attach", folder / "b.txt", "-metadata:s:t:1", "mimetype=text/plain"]
    path = folder / "film.mkv"
    ffmpeg(*VIDEO, *SOUND, "-i", folder / "meta.txt", "-map_metadata", "2", *CODECS, *attach, path)
    return path


@pytest.mark.fault(36)
@pytest.mark.parametrize("name", ["out.mkv", "out.mp4", "out.mov"])
def test_chapters_and_attachments(
    command_line: CommandLine, film: Path, nearest_x2: Path, tmp_path: Path, name: str
) -> None:
    done = command_line(film, "-o", tmp_path / name, "-w", nearest_x2)
    assert done.returncode == 0, done.stderr
    before, after = _probe(film), _probe(tmp_path / name)
    assert len(after["chapters"]) == 40
    for one, other in zip(before["chapters"], after["chapters"], strict=True):
        assert abs(float(one["start_time"]) - float(other["start_time"])) <= 0.001
        assert abs(float(one["end_time"]) - float(other["end_time"])) <= 0.001
        assert one["tags"]["title"] == other["tags"]["title"]
    assert after["format"]["tags"]["title"] == "A film"
    attachments = [s["tags"]["filename"] for s in after["streams"] if s["codec_type"] == "attachment"]
    assert attachments == (["a.ttf", "b.txt"] if name == "out.mkv" else [])
    if name == "out.mkv":
        assert after["format"]["tags"]["MY_OWN_KEY"] == "kept in Matroska"
        assert "dropped" not in done.stderr
    else:
        assert f"dropped metadata my_own_key: {name[4:]} has no place for it" in done.stderr


@pytest.mark.parametrize("name", ["part.mkv", "part.mp4"])
@pytest.mark.parametrize(("arguments", "last"), [(["--end", "2.55"], 25), (["--frames", "30"], 20)])
def test_chapters_of_a_part(
    command_line: CommandLine, film: Path, nearest_x2: Path, tmp_path: Path, name: str, arguments: list[str], last: int
) -> None:
    done = command_line(film, "-o", tmp_path / name, "-w", nearest_x2, "--start", "1.05", *arguments)
    assert done.returncode == 0, done.stderr
    chapters = _probe(tmp_path / name)["chapters"]
    assert [c["tags"]["title"] for c in chapters] == [f"Part {i}" for i in range(10, last + 1)]
    assert abs(float(chapters[0]["start_time"])) <= 0.001
    for i, chapter in enumerate(chapters[1:], start=11):
        assert abs(float(chapter["start_time"]) - (i / 10 - 1.05)) <= 0.002
    assert float(chapters[-1]["end_time"]) <= float(_probe(tmp_path / name)["format"]["duration"]) + 0.05


@pytest.mark.parametrize(
    ("name", "key"), [("out.mov", "handler_name"), ("out.mp4", "handler_name"), ("out.mkv", "title")]
)
def test_the_name_of_the_video(
    ffmpeg: Callable[..., bytes], nearest_x2: Path, tmp_path: Path, name: str, key: str
) -> None:
    source, output = tmp_path / "in.mkv", tmp_path / name
    ffmpeg(*VIDEO, "-frames:v", "2", "-c:v", "libx264", "-metadata:s:v", "title=Main view", source)
    upscale_video(source, output, weights=nearest_x2)
    assert look(output).stream["tags"][key] == "Main view"


@pytest.mark.parametrize("name", ["out.mov", "out.mp4", "out.mkv"])
def test_timecode(
    command_line: CommandLine, ffmpeg: Callable[..., bytes], nearest_x2: Path, tmp_path: Path, name: str
) -> None:
    """A track of its own in MOV and MP4, which the muxer makes from the tag; of a part it begins later."""
    source = tmp_path / "in.mov"
    ffmpeg(*VIDEO, *SOUND, *CODECS, "-timecode", "00:59:58;28", source)
    parts: list[tuple[list[str], str]] = [([], "00:59:58;28"), (["--start", "1.1", "--frames", "9"], "01:00:00;01")]
    for arguments, wanted in parts:
        done = command_line(source, "-o", tmp_path / name, "-w", nearest_x2, "--overwrite", *arguments)
        assert done.returncode == 0, done.stderr
        assert "dropped" not in done.stderr
        streams = _probe(tmp_path / name)["streams"]
        video = {key.lower(): value for key, value in streams[0]["tags"].items()}
        assert video["timecode"] == wanted
        tracks = [s for s in streams if s["codec_type"] == "data"]
        assert [s["tags"]["timecode"] for s in tracks] == ([] if name == "out.mkv" else [wanted])


def test_timecode_of_a_part_that_begins_between_pictures(
    ffmpeg: Callable[..., bytes], nearest_x2: Path, tmp_path: Path
) -> None:
    """The picture at 0.08 s is the third."""
    source, output = tmp_path / "in.mkv", tmp_path / "out.mkv"
    video = "-f lavfi -i testsrc2=s=48x32:r=25:d=0.2 -c:v libx264 -metadata:s:v timecode=01:00:00:00"
    ffmpeg(*video.split(), source)
    upscale_video(source, output, weights=nearest_x2, start=0.05)
    assert len(look(output).times) == 3
    assert look(output).stream["tags"]["TIMECODE"] == "01:00:00:02"


@pytest.mark.parametrize("name", ["out.mov", "out.mkv"])
def test_timecode_of_a_variable_rate(ffmpeg: Callable[..., bytes], nearest_x2: Path, tmp_path: Path, name: str) -> None:
    """Counted 25 a second, though there are 9 pictures in one: at 9 a second there is no label 20."""
    source = tmp_path / "in.mov"
    video = "-f lavfi -i testsrc2=s=48x32:r=25:d=0.4 -vf setpts=N*N/25/TB/2 -vsync vfr -c:v libx264"
    ffmpeg(*video.split(), "-timecode", "01:00:00:20", "-r", "25", source)
    summary = upscale_video(source, tmp_path / name, weights=nearest_x2)
    dropped, streams = " ".join(summary.dropped), _probe(tmp_path / name)["streams"]
    found = {value for s in streams for key, value in s["tags"].items() if key.lower() == "timecode"}
    assert found == ({"01:00:00:20"} if name == "out.mkv" else set())
    assert ("timecode 01:00:00:20: its labels are counted 25 a second" in dropped) == (name == "out.mov")


def test_statistics_of_the_source_are_left_behind(
    command_line: CommandLine, film: Path, nearest_x2: Path, tmp_path: Path
) -> None:
    """mkvmerge writes how many bytes and pictures a stream has; of another stream that is a lie."""
    merged = tmp_path / "merged.mkv"
    subprocess.run(["mkvmerge", "-q", "-o", merged, film], check=True)
    assert any(key.startswith("NUMBER_OF_BYTES") for key in _probe(merged)["streams"][0]["tags"])
    done = command_line(merged, "-o", tmp_path / "out.mkv", "-w", nearest_x2)
    assert done.returncode == 0, done.stderr
    for stream in _probe(tmp_path / "out.mkv")["streams"]:
        stale = [key for key in stream["tags"] if key.startswith(("BPS", "NUMBER_OF", "_STATISTICS"))]
        assert not stale
