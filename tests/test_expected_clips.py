"""Every clip of ../shared/clips gives what its EXPECTED.md says, read with the ffmpeg command line.

A tiny network; of the large clips only the first pictures.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import ffmpeg
import pytest

from tests.oracle import look

type CommandLine = Callable[..., subprocess.CompletedProcess[str]]


@dataclass(frozen=True)
class Expected:
    """A row of the table; ``suffix`` is that of the default output, ``frames`` limits what is done."""

    clip: str
    suffix: str = ".mp4"
    frames: int | None = None
    says: str = ""


GOOD = [
    Expected("bikes.mp4", frames=24),
    Expected("bigbuckbunny.mp4", frames=6),
    Expected("carphone_pristine.mp4"),
    Expected("carphone_distorted.mp4"),
    Expected("bt601.mp4"),
    Expected("bear-vp9-odd-dimensions.webm", ".webm"),
    Expected("edit_list_positive_shift.mp4", frames=3),
    Expected("long_1080p_lowbitrate.mp4", frames=3),
    Expected("h264-10bits.mp4"),
    Expected("h264-anim.mkv", ".mkv"),
    Expected("h264-brokensps.mp4", ".mkv", says="rescaled to the first one's"),
    Expected("h264-displaymatrix.mp4", frames=30),  # it is cut off soon after them
    Expected("h264-mov-3elist.mp4", frames=24),
    Expected("hlg10-color-test.mp4", frames=2),
    Expected("sample_with_colr_mdcv_and_clli.mp4", frames=2),
    Expected("sample.flv", ".mkv", frames=8),
    Expected("sample_h264_mpeg_audio.ts", ".mkv"),
    Expected("sample_15fps_720p_1s.mp4", frames=4),
    Expected("sample_shorter_audio.mp4"),
    Expected("sample_rotate_and_reflect.mp4", frames=4),
    Expected("sample_with_chapters.mp4", frames=4),
    Expected("sample_with_srt.mkv", ".mkv", frames=4),
    Expected("sample_with_ass_subtitles.mkv", ".mkv", frames=4),
    Expected("sample_with_vobsub.mkv", ".mkv", frames=4),
    Expected("sample_missing_stsd.mp4", frames=4, says="does not describe its codec"),
    Expected("var-fps.mp4"),
    Expected("vp9-resize.mp4", ".mkv", says="rescaled to the first one's"),
]

TAGS = ("color_range", "color_primaries", "color_transfer", "chroma_location")


@pytest.mark.fault(19, 25, 27, 35, 38, 50)
@pytest.mark.parametrize("expected", GOOD, ids=lambda e: e.clip)
def test_done(command_line: CommandLine, shared: Path, nearest_x2: Path, tmp_path: Path, expected: Expected) -> None:
    source = shared / "clips" / expected.clip
    limit = ["--frames", expected.frames] if expected.frames else []
    done = command_line(source, "-o", tmp_path, "-w", nearest_x2, *limit)
    assert done.returncode == 0, done.stderr
    assert expected.says in done.stderr
    output = tmp_path / f"{source.stem}_x2{expected.suffix}"
    # The first pictures of a few more packets: none is displayed much later than it is decoded.
    before, after = look(source, expected.frames and expected.frames + 20), look(output)

    count = expected.frames or len(before.times)
    shift = before.times[0] - after.times[0]
    assert len(after.times) == min(count, len(before.times))
    for time, wanted in zip(after.times, before.times, strict=False):
        assert abs(time + shift - wanted) <= after.time_base
    if expected.clip.endswith(".ts"):  # its clock begins anywhere; all streams move together
        assert after.times[0] == 0
    else:
        assert abs(shift) <= after.time_base
    _check_sound(before.audio, after.audio, shift, whole=expected.frames is None)

    width, height = before.stream["width"], before.stream["height"]
    if expected.clip not in ("h264-brokensps.mp4", "vp9-resize.mp4"):  # their size changes on the way
        assert (after.stream["width"], after.stream["height"]) == (2 * width, 2 * height)
    assert after.stream["pix_fmt"] == before.stream["pix_fmt"]
    for tag in TAGS:
        if before.stream.get(tag) not in (None, "unspecified", "unknown"):
            assert after.stream.get(tag) == before.stream[tag], tag
    assert _shape(after.stream) == _shape(before.stream)
    assert _turned(after.stream) == _turned(before.stream)
    assert _subtitles(output) == _subtitles(source)
    assert os.listdir(tmp_path) == [output.name]


@pytest.mark.fault(12)
@pytest.mark.parametrize(
    ("clip", "words"),
    [
        ("h264-interlaced_crop.mp4", "interlaced"),
        ("prores-gray.mp4", "interlaced"),
        ("invalid-bitstream.webm", "no picture"),
        ("sample_audio_only.mp4", "no video stream"),
        ("sample_fragmented_widevine.mp4", "encrypted"),
        ("h264-displaymatrix.mp4", "ends early"),
    ],
)
def test_refused(
    command_line: CommandLine, shared: Path, nearest_x2: Path, tmp_path: Path, clip: str, words: str
) -> None:
    done = command_line(shared / "clips" / clip, "-o", tmp_path, "-w", nearest_x2)
    assert done.returncode == 3
    assert words in done.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("clip", "count"), [("h264-interlaced_crop.mp4", 126), ("prores-gray.mp4", 2)])
def test_deinterlaced(
    command_line: CommandLine, shared: Path, nearest_x2: Path, tmp_path: Path, clip: str, count: int
) -> None:
    source, output = shared / "clips" / clip, tmp_path / "out.mkv"
    limit = min(count, 6)
    done = command_line(source, "-o", output, "-w", nearest_x2, "--deinterlace", "--frames", limit)
    assert done.returncode == 0, done.stderr
    before, after = look(source), look(output)
    assert len(before.times) == count
    assert [abs(a - b) <= after.time_base for a, b in zip(after.times, before.times, strict=False)] == [True] * limit
    assert _shape(after.stream) == _shape(before.stream)


@pytest.mark.fault(37)
def test_strict(command_line: CommandLine, shared: Path, nearest_x2: Path, tmp_path: Path) -> None:
    """Sound that the file does not describe would be dropped."""
    done = command_line(shared / "clips" / "sample_missing_stsd.mp4", "-o", tmp_path, "-w", nearest_x2, "--strict")
    assert done.returncode == 3
    assert "does not describe its codec, and --strict was given" in done.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.fault(6)
def test_salvage(command_line: CommandLine, shared: Path, nearest_x2: Path, tmp_path: Path) -> None:
    """Of 708 pictures 33 are there; ffmpeg finds as many."""
    source = shared / "clips" / "h264-displaymatrix.mp4"
    done = command_line(source, "-o", tmp_path, "-w", nearest_x2, "--salvage")
    assert done.returncode == 0, done.stderr
    assert "938476 or more bytes are missing" in done.stderr
    before, after = look(source), look(tmp_path / "h264-displaymatrix_x2.mp4")
    assert len(after.times) == len(before.times) == 33
    assert _turned(after.stream) == _turned(before.stream)
    assert _shape(after.stream) == _shape(before.stream)


def test_alpha_is_scaled_or_refused(command_line: CommandLine, shared: Path, nearest_x2: Path, tmp_path: Path) -> None:
    source, output = shared / "clips" / "prores4444-alpha.mp4", tmp_path / "out.mkv"
    done = command_line(source, "-o", tmp_path / "out.mp4", "-w", nearest_x2)
    assert done.returncode == 4
    assert "no encoder for yuva444p12le in mp4" in done.stderr
    assert "--encoder ffv1" in done.stderr
    done = command_line(source, "-o", output, "-w", nearest_x2)
    assert done.returncode == 0, done.stderr
    with av.open(str(output)) as container:  # FFmpeg 5.1 does not decode this layout of FFV1
        assert next(container.decode(video=0)).format.name == "yuva444p12le"


def _with_small_pictures(source: Path, folder: Path) -> Path:
    """All of a file as it is, but for its pictures."""
    path = folder / source.name
    whole = ffmpeg.input(str(source))
    whole.output(str(path), map=0, c="copy", s="96x64", **{"c:v": "libx264"}).run(quiet=True)
    return path


def test_chapters(command_line: CommandLine, shared: Path, nearest_x2: Path, tmp_path: Path) -> None:
    """Of whole files."""
    source, output = shared / "clips" / "sample_with_chapters.mp4", tmp_path / "out.mkv"
    done = command_line(_with_small_pictures(source, tmp_path), "-o", output, "-w", nearest_x2)
    assert done.returncode == 0, done.stderr
    before, after = (ffmpeg.probe(str(path), show_chapters=None)["chapters"] for path in (source, output))
    assert len(before) == 3
    for one, other in zip(before, after, strict=True):
        assert abs(float(one["start_time"]) - float(other["start_time"])) < 0.001
        assert one["tags"] == other["tags"]


@pytest.mark.fault(34)
@pytest.mark.parametrize("clip", ["sample_with_srt.mkv", "sample_with_ass_subtitles.mkv"])
def test_text_subtitles_into_mp4(
    command_line: CommandLine, ffmpeg: Callable[..., bytes], shared: Path, nearest_x2: Path, tmp_path: Path, clip: str
) -> None:
    source, output = shared / "clips" / clip, tmp_path / "out.mp4"
    done = command_line(_with_small_pictures(source, tmp_path), "-o", output, "-w", nearest_x2)
    assert done.returncode == 0, done.stderr
    texts = [ffmpeg("-i", path, "-map", "0:s:0", "-f", "srt", "-") for path in (source, output)]
    plain = [re.sub(rb"<[^>]*>|\{[^}]*\}", b"", b"".join(text.split(b"\n")[2:])).strip() for text in texts]
    assert plain[0] == plain[1] != b""


def _check_sound(
    before: list[tuple[Fraction | None, str]],
    after: list[tuple[Fraction | None, str]],
    shift: Fraction,
    *,
    whole: bool,
) -> None:
    """Payloads byte for byte, times to a millisecond; of a part, those that belong to it."""
    if not after:
        return
    hashes = [h for _, h in before]
    assert [h for _, h in after] == hashes[: len(after)]
    if whole:
        assert len(after) == len(before)
    for (time, _), (wanted, _) in zip(after, before, strict=False):
        if time is not None and wanted is not None:
            assert abs(time + shift - wanted) <= Fraction(1, 1000)


def _shape(stream: dict[str, object]) -> object:
    shape = stream.get("sample_aspect_ratio")
    return "1:1" if shape in (None, "0:1") else shape


def _turned(stream: dict[str, object]) -> object:
    """The rotating and reflecting part of the display matrix, as ffprobe prints it."""
    side_data = stream.get("side_data_list") or []
    matrices = [d["displaymatrix"].split() for d in side_data if "displaymatrix" in d]
    return [[word for word in m if ":" not in word][:6] for m in matrices]


def _subtitles(path: Path) -> list[str]:
    return [s["codec_name"] for s in ffmpeg.probe(str(path))["streams"] if s["codec_type"] == "subtitle"]
