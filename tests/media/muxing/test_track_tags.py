"""What streams say of themselves in words: kept, or named as dropped."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ffmpeg as ffmpeg_python
import pytest

from rfdn_video.media.encoding.target import choose_container
from rfdn_video.media.muxing.tags import lost_track_tags

type CommandLine = Callable[..., subprocess.CompletedProcess[str]]

LANGUAGES = ["deu", "ger", "fra", "fre", "nld", "dut", "zho"]
"""Terminological and bibliographic codes of ISO 639-2."""


def _source(ffmpeg: Callable[..., bytes], path: Path, *tags: str) -> Path:
    sounds = [word for _ in LANGUAGES for word in ("-map", "1")]
    languages = [word for n, code in enumerate(LANGUAGES) for word in (f"-metadata:s:a:{n}", f"language={code}")]
    inputs = ["-f", "lavfi", "-i", "testsrc2=size=48x32:rate=25:duration=0.2", "-f", "lavfi", "-i", "sine=duration=0.2"]
    ffmpeg(*inputs, "-map", "0", *sounds, "-c:v", "mpeg4", "-c:a", "aac", *languages, *tags, path)
    return path


def _tags(path: Path) -> list[dict[str, Any]]:
    return [stream.get("tags", {}) for stream in ffmpeg_python.probe(str(path))["streams"]]


@pytest.mark.parametrize("kind", ["mp4", "mkv"])
def test_languages_come_back(
    command_line: CommandLine, ffmpeg: Callable[..., bytes], nearest_x2: Path, tmp_path: Path, kind: str
) -> None:
    """Also in MOV, whose muxer knows the Macintosh's languages only."""
    source = _source(ffmpeg, tmp_path / f"in.{kind}")
    for name in ("out.mp4", "out.mov", "out.mkv"):
        done = command_line(source, "-o", tmp_path / name, "-w", nearest_x2, "--strict")
        assert done.returncode == 0, done.stderr
        assert [tags["language"] for tags in _tags(tmp_path / name)[1:]] == LANGUAGES


def test_names_from_mp4(
    command_line: CommandLine, ffmpeg: Callable[..., bytes], nearest_x2: Path, tmp_path: Path
) -> None:
    """It has two: of the track, which ffprobe 5 does not read, and of its handler."""
    tags = ["-metadata:s:a:0", "title=Commentaire", "-metadata:s:a:0", "handler_name=Second"]
    source = _source(ffmpeg, tmp_path / "in.mp4", *tags)
    assert b"nameCommentaire" in source.read_bytes()
    for name in ("out.mp4", "out.mov"):
        done = command_line(source, "-o", tmp_path / name, "-w", nearest_x2, "--strict")
        assert done.returncode == 0, done.stderr
        assert b"nameCommentaire" in (tmp_path / name).read_bytes()
        assert _tags(tmp_path / name)[1]["handler_name"] == "Second"
    assert command_line(source, "-o", tmp_path / "out.mkv", "-w", nearest_x2, "--strict").returncode == 0
    assert _tags(tmp_path / "out.mkv")[1]["title"] == "Commentaire"


def test_what_mp4_has_no_place_for_is_named(
    command_line: CommandLine, ffmpeg: Callable[..., bytes], nearest_x2: Path, tmp_path: Path
) -> None:
    source = _source(ffmpeg, tmp_path / "in.mkv", "-metadata:s:a:0", "artist=Me", "-metadata:s:a:1", "language=fr-CA")
    done = command_line(source, "-o", tmp_path / "out.mp4", "-w", nearest_x2)
    assert done.returncode == 0, done.stderr
    assert "metadata artist of audio stream 1: mp4 has no place for it" in done.stderr
    assert "metadata language fr-CA (it holds three letters) of audio stream 2" in done.stderr
    assert "artist" not in {key.lower() for key in _tags(tmp_path / "out.mp4")[1]}
    assert command_line(source, "-o", tmp_path / "s.mp4", "-w", nearest_x2, "--strict").returncode == 3
    assert command_line(source, "-o", tmp_path / "s.mkv", "-w", nearest_x2, "--strict").returncode == 0


@pytest.mark.parametrize("name", ["mp4", "mov", "mkv", "webm", "nut"])
def test_what_is_usual_is_never_lost(name: str) -> None:
    usual = [{}, {"language": "und", "handler_name": "VideoHandler"}, {"title": "T", "BPS-eng": "1", "ENCODER": "x"}]
    assert lost_track_tags(usual, choose_container(None, Path("a"), "", name)) == [[], [], []]
