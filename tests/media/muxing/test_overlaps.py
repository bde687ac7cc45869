"""Subtitles that overlap, into MP4 and MOV: each is there as long as it was, as the ffmpeg program reads them."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import av
import pytest

from rfdn_video.media.muxing.overlaps import joined

type CommandLine = Callable[..., subprocess.CompletedProcess[str]]
type Cue = tuple[int, int, str]

CUES: list[Cue] = [
    (200, 2000, "one"),
    (1000, 1500, "two"),
    (1200, 2500, "three"),
    (2500, 2800, "four"),
    (2500, 2900, "five"),
    (3000, 24000, "long"),
    (23500, 24500, "last"),
]


def _time(milliseconds: int) -> str:
    seconds, rest = divmod(milliseconds, 1000)
    return f"00:00:{seconds:02},{rest:03}"


def _srt(cues: list[Cue]) -> str:
    return "".join(f"{n}\n{_time(b)} --> {_time(e)}\n{text}\n\n" for n, (b, e, text) in enumerate(cues, 1))


def _read_back(ffmpeg: Callable[..., bytes], path: Path) -> list[tuple[int, int, list[str]]]:
    """When what lines are shown."""
    shown = []
    text = ffmpeg("-i", path, "-map", "0:s", "-f", "srt", "-").decode().replace("\r", "").strip()
    for block in text.split("\n\n"):
        _, times, *lines = block.split("\n")
        parts = [[int(n) for n in re.split("[:,]", time)] for time in times.split(" --> ")]
        begin, end = (((h * 60 + m) * 60 + s) * 1000 + ms for h, m, s, ms in parts)
        shown.append((begin, end, lines))
    return shown


def _film(ffmpeg: Callable[..., bytes], folder: Path, subtitles: str, codec: str) -> Path:
    (folder / f"words.{codec}").write_text(subtitles)
    video = ["-f", "lavfi", "-i", "testsrc2=size=48x32:rate=5:duration=25", "-i", folder / f"words.{codec}"]
    ffmpeg(*video, "-c:v", "mpeg4", "-c:s", codec, folder / "in.mkv")
    return folder / "in.mkv"


@pytest.mark.parametrize("name", ["out.mp4", "out.mov"])
def test_each_is_there_as_long_as_it_was(
    command_line: CommandLine, ffmpeg: Callable[..., bytes], nearest_x2: Path, tmp_path: Path, name: str
) -> None:
    """At every change there is one sample with all that is shown, also with one line of half a minute."""
    output = tmp_path / name
    done = command_line(_film(ffmpeg, tmp_path, _srt(CUES), "srt"), "-o", output, "-w", nearest_x2)
    assert done.returncode == 0, done.stderr
    changes = sorted({time for begin, end, _ in CUES for time in (begin, end)})
    wanted = [
        (at, until, lines)
        for at, until in pairwise(changes)
        if (lines := [text for begin, end, text in CUES if begin <= at < end])
    ]
    assert _read_back(ffmpeg, output) == wanted


def test_styles_end_where_they_did(
    command_line: CommandLine, ffmpeg: Callable[..., bytes], nearest_x2: Path, tmp_path: Path
) -> None:
    """What is italic in one line is not in the next one, and what is there twice, for its border, is so once."""
    cues = [(200, 2000, r"{\i1}one"), (1000, 2000, "two"), (1000, 2000, r"{\b1}two")]
    header = ffmpeg("-f", "srt", "-i", _written(tmp_path, _srt(CUES)), "-f", "ass", "-").decode().split("Dialogue")[0]
    times = [[f"0:00:{t // 1000:02}.{t % 1000 // 10:02}" for t in cue[:2]] for cue in cues]
    lines = [f"Dialogue: 0,{b},{e},Default,,0,0,0,,{cue[2]}\n" for (b, e), cue in zip(times, cues, strict=True)]
    output = tmp_path / "out.mp4"
    done = command_line(_film(ffmpeg, tmp_path, header + "".join(lines), "ass"), "-o", output, "-w", nearest_x2)
    assert done.returncode == 0, done.stderr
    assert _read_back(ffmpeg, output) == [(200, 1000, ["<i>one</i>"]), (1000, 2000, ["<i>one</i>", "two"])]


def _written(folder: Path, text: str) -> Path:
    (folder / "any.srt").write_text(text)
    return folder / "any.srt"


def test_what_does_not_say_how_long_is_shown_until_the_next(
    command_line: CommandLine, ffmpeg: Callable[..., bytes], nearest_x2: Path, tmp_path: Path
) -> None:
    """Matroska need not say it."""
    untimed, output = tmp_path / "untimed.mkv", tmp_path / "out.mp4"
    with av.open(_film(ffmpeg, tmp_path, _srt(CUES[:2]), "srt")) as source, av.open(untimed, "w") as film:
        streams = [film.add_stream_from_template(stream) for stream in source.streams]
        for packet in source.demux():
            if packet.size:
                packet.duration = 0 if packet.stream_index == 1 else packet.duration
                packet.stream = streams[packet.stream_index]
                film.mux(packet)
    done = command_line(untimed, "-o", output, "-w", nearest_x2)
    assert done.returncode == 0, done.stderr
    assert _read_back(ffmpeg, output) == [(200, 1000, ["one"]), (1000, 6000, ["two"])]


def test_lines_that_look_alike_are_one() -> None:
    events = [b"0,0,Default,,0,0,0,,a, b", rb"1,1,Glow,,0,0,0,,{\blur5}a, b", b"2,0,Sign,,0,0,0,,c"]
    assert joined(events) == rb"0,0,Default,,0,0,0,,a, b{\b0\i0\u0\c}\Nc"
