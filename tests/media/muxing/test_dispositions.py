"""What streams are there for comes back from every container, or is named as dropped."""

from __future__ import annotations

import io
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import ffmpeg as ffmpeg_python
import pytest
from av.packet import Packet
from av.stream import Disposition

from rfdn_video.errors import InputError
from rfdn_video.media.encoding.target import choose_container
from rfdn_video.media.muxing.dispositions import _TECHNICAL, _kept
from rfdn_video.plan import plan_files
from rfdn_video.settings import Settings

CODECS = {"video": "libx264", "audio": "aac", "mp4": "mov_text", "mov": "mov_text", "mkv": "subrip", "webm": "webvtt"}
OF_WEBM = {"video": "libvpx", "audio": "libopus"}  # the muxer looks into VP9


@pytest.mark.parametrize("kind", ["video", "audio", "subtitle"])
@pytest.mark.parametrize("name", ["mp4", "mov", "mkv", "webm", "nut"])
def test_what_a_container_keeps(name: str, kind: str) -> None:
    if kind not in (*choose_container(None, Path("a"), "", name).carries, "video"):
        pytest.skip(f"{name} holds none")
    marks = [mark for mark in Disposition if mark.name not in _TECHNICAL]
    back = {mark.name for mark in marks if mark in _given_back(name, kind, mark)}
    assert back == _kept(kind, name) - _TECHNICAL


def _given_back(name: str, kind: str, mark: Disposition) -> Disposition:
    codec = CODECS[kind if kind != "subtitle" else name]
    if name == "webm":
        codec = OF_WEBM.get(kind, codec)
    file = io.BytesIO()
    with av.open(file, "w", format=choose_container(None, Path("a"), "", name).muxer) as output:
        stream: Any = output.add_stream(codec)
        stream.disposition = mark
        if kind == "subtitle":
            stream.codec_context.subtitle_header = b"[Script Info]\n"
        output.start_encoding()
        output.mux(_packet(stream))
    file.seek(0)
    with av.open(file) as source:
        return source.streams[0].disposition


def _packet(stream: Any) -> Packet[Any]:
    """What the muxers do not look into, with these codecs."""
    packet: Packet[Any] = Packet(b"\x00\x00\x00\x02hi")
    packet.pts = packet.dts = 0
    packet.duration, packet.time_base, packet.stream, packet.is_keyframe = 40, Fraction(1, 1000), stream, True
    return packet


@pytest.fixture(scope="module")
def source(ffmpeg: Callable[..., bytes], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A commentary, the default sound at that, and forced subtitles for the hard of hearing."""
    folder = tmp_path_factory.mktemp("dispositions")
    (folder / "words.srt").write_text("1\n00:00:00,000 --> 00:00:00,200\nOne\n")
    inputs: list[str | Path] = ["-f", "lavfi", "-i", "testsrc2=size=48x32:rate=25:duration=0.2"]
    inputs += ["-f", "lavfi", "-i", "sine=duration=0.2", "-i", folder / "words.srt"]
    marks = ["-disposition:a", "default+comment", "-disposition:s", "forced+hearing_impaired"]
    ffmpeg(*inputs, "-map", "0", "-map", "1", "-map", "2", "-c:a", "aac", "-c:s", "srt", *marks, folder / "source.mkv")
    return folder / "source.mkv"


@pytest.mark.parametrize(
    ("name", "lost"),
    [
        ("mp4", []),
        ("mkv", []),
        ("mov", ["comment of audio stream 1", "forced, hearing_impaired of subtitle stream 2"]),
        ("webm", ["comment of audio stream 1", "hearing_impaired of subtitle stream 2"]),
    ],
)
def test_what_is_lost_is_told_before_the_first_frame(source: Path, tmp_path: Path, name: str, lost: list[str]) -> None:
    output = str(tmp_path / f"out.{name}")
    expected = tuple(f"disposition {what}: {name} has no place for it" for what in lost)
    settings: dict[str, Any] = {"pix_fmt": "yuv420p"}
    assert plan_files(source, output, Settings(**settings)).dropped == expected
    if lost:
        with pytest.raises(InputError, match=r"disposition comment .* and --strict was given"):
            plan_files(source, output, Settings(**settings, strict=True))


def test_one_word_of_mp4_that_is_read_as_two_is_kept_as_one(
    ffmpeg: Callable[..., bytes], source: Path, tmp_path: Path
) -> None:
    between = tmp_path / "between.mp4"
    ffmpeg("-i", source, "-map", "0", "-c", "copy", "-c:s", "mov_text", "-disposition:s", "hearing_impaired", between)
    with av.open(between) as file:
        assert file.streams[2].disposition & Disposition.captions
    assert plan_files(between, str(tmp_path / "out.mkv"), Settings(pix_fmt="yuv420p", strict=True)).dropped == ()


@pytest.mark.parametrize("name", ["out.mp4", "out.mov", "out.mkv"])
def test_subtitles_that_are_not_shown_unasked(
    command_line: Callable[..., Any], ffmpeg: Callable[..., bytes], nearest_x2: Path, tmp_path: Path, name: str
) -> None:
    """FFmpeg's muxer of MP4 has the first ones shown; nothing else of them changes."""
    (tmp_path / "words.srt").write_text("1\n00:00:00,000 --> 00:00:00,100\nword\n")
    inputs = ["-f", "lavfi", "-i", "testsrc2=size=48x32:rate=25:duration=0.2", "-i", tmp_path / "words.srt"]
    streams = ["-map", "0", "-map", "1", "-map", "1", "-map", "1", "-c:v", "mpeg4", "-c:s", "srt"]
    for marks in ((0, 0, 0), (0, 1, 0)):
        chosen = [word for n, mark in enumerate(marks) for word in (f"-disposition:s:{n}", "default" if mark else "0")]
        ffmpeg(*inputs, *streams, *chosen, tmp_path / "in.mkv")
        done = command_line(tmp_path / "in.mkv", "-o", tmp_path / name, "-w", nearest_x2, "--strict", "--overwrite")
        assert done.returncode == 0, done.stderr
        found = ffmpeg_python.probe(str(tmp_path / name), select_streams="s")["streams"]
        assert tuple(stream["disposition"]["default"] for stream in found) == marks
        assert "word" in ffmpeg("-i", tmp_path / name, "-map", "0:s:2", "-f", "srt", "-").decode()
