"""Made sources of every kind that is read, and of every trouble with time: same pictures, same times, same sound."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import ffmpeg as ffmpeg_python
import pytest

type CommandLine = Callable[..., subprocess.CompletedProcess[str]]
type FFmpeg = Callable[..., bytes]

VIDEO = "-f lavfi -i testsrc2=size=80x64:rate=25:duration=1"
SOUND = "-f lavfi -i sine=440:duration=1:sample_rate=48000"
H264 = "-c:v libx264 -preset ultrafast -bf 3 -b_strategy 0 -pix_fmt yuv420p"

KINDS = {
    "h264.avi": f"{VIDEO} {SOUND} {H264} -c:a libmp3lame",
    "mpeg4.avi": f"{VIDEO} {SOUND} -c:v mpeg4 -bf 2 -c:a pcm_s16le",
    "a.mxf": f"{VIDEO} {SOUND} -c:v mpeg2video -bf 2 -c:a pcm_s16le",
    "a.ts": f"{VIDEO} {SOUND} {H264} -c:a mp2",
    "a.m2ts": f"{VIDEO} {SOUND} {H264} -c:a ac3 -f mpegts -mpegts_m2ts_mode 1",
    "a.mpg": f"{VIDEO} {SOUND} -c:v mpeg2video -bf 2 -c:a mp2",
    "a.flv": f"{VIDEO} {SOUND} -c:v flv -c:a libmp3lame -ar 44100",
    "a.ogv": f"{VIDEO} {SOUND} -c:v libtheora -c:a libvorbis",
    "repeats.ogv": "-f lavfi -i testsrc2=size=80x64:rate=5:duration=1,fps=25 "  # packets without content
    f"{SOUND} -c:v libtheora -c:a libvorbis",
    "a.nut": f"{VIDEO} {SOUND} {H264} -c:a pcm_s16le",
    "a.ivf": f"{VIDEO} -c:v libvpx",
    "a.webm": f"{VIDEO} {SOUND} -c:v libvpx -c:a libopus",
    "a.3gp": f"{VIDEO} {SOUND} -c:v h263 -s 176x144 -c:a aac",
    "a.mov": f"{VIDEO} {SOUND} -c:v mjpeg -pix_fmt yuvj420p -c:a pcm_s16le",
    "a.y4m": f"{VIDEO} -pix_fmt yuv420p",
    "fragments.mp4": f"{VIDEO} {SOUND} {H264} -c:a aac -movflags +frag_keyframe+empty_moov+default_base_moof",
}
TIMES = {
    "late_sound.mp4": f"{VIDEO} -itsoffset 3 {SOUND} {H264} -c:a aac",
    "late_sound.mkv": f"{VIDEO} -itsoffset 3 {SOUND} {H264} -c:a aac",
    "late_picture.mkv": f"-itsoffset 1.5 {VIDEO} {SOUND} {H264} -c:a aac",
    "late_both.mp4": f"{VIDEO} {SOUND} {H264} -c:a aac -output_ts_offset 12",
    "longer_sound.mp4": f"{VIDEO} -f lavfi -i sine=440:duration=4 {H264} -c:a aac",
    "shorter_sound.mkv": f"{VIDEO} -f lavfi -i sine=440:duration=0.3 {H264} -c:a aac",
    "five_sounds.mkv": f"{VIDEO} {SOUND} -map 0 " + "-map 1 " * 5 + f"{H264} -c:a aac",
    "23.976.mp4": f"-f lavfi -i testsrc2=size=80x64:rate=24000/1001:duration=2 {SOUND} {H264} -c:a aac",
    "single.mp4": f"-f lavfi -i testsrc2=size=80x64:rate=25:duration=0.04 {SOUND} {H264} -c:a aac",
    "single.mkv": f"-f lavfi -i testsrc2=size=80x64:rate=25:duration=0.04 {H264}",
    "wrapping.ts": f"{VIDEO} {SOUND} {H264} -c:a mp2 -output_ts_offset 95442.9",
    "variable_90k.mp4": f"{VIDEO} {SOUND} -vf settb=1/90000,setpts='N*3001+7*mod(N*N\\,13)' -vsync passthrough "
    f"-enc_time_base 1/90000 {H264} -c:a aac",
}


ALIKE = (
    "mpeg4.avi",
    "a.m2ts",
    "a.nut",
    "a.3gp",
    "a.y4m",
    "late_sound.mkv",
    "shorter_sound.mkv",
    "single.mkv",
)  # as others


@pytest.mark.fault(21, 24, 26, 30)
@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=pytest.mark.slow if n in ALIKE else ()) for n in (*KINDS, *TIMES)]
)
def test_same_pictures_times_and_sound(
    command_line: CommandLine, ffmpeg: FFmpeg, nearest_x2: Path, tmp_path: Path, name: str
) -> None:
    source = tmp_path / name
    ffmpeg(*(KINDS | TIMES)[name].split(), source)
    output, warnings = _enlarge(command_line, source, nearest_x2)
    assert warnings == ""
    before, after = _times(source), _times(output)
    tick = Fraction(_streams(output)[0]["time_base"])
    # ffprobe 5 leaves pictures without a time that AVI and MPEG-1 give no packet for.
    known = [(a, b) for a, b in zip(before, after, strict=True) if a is not None and b is not None]
    assert len(known) >= len(before) - 2
    shift = known[0][0] - known[0][1]
    for time, result in known:
        assert abs(time - result - shift) <= tick
    if name not in ("a.ts", "a.m2ts", "a.mpg", "wrapping.ts"):  # their clocks begin anywhere
        assert abs(shift) <= tick
    _check_sound(source, output, shift)


def test_streams_of_pictures_alone(command_line: CommandLine, ffmpeg: FFmpeg, nearest_x2: Path, tmp_path: Path) -> None:
    """A raw stream has no times: they are derived, and that is said."""
    source = tmp_path / "raw.h264"
    ffmpeg(*f"{VIDEO} {H264}".split(), source)
    strict = command_line(source, "-w", nearest_x2, "--strict")
    assert strict.returncode == 3
    assert "25 repaired timestamps, and --strict was given" in strict.stderr
    output, warnings = _enlarge(command_line, source, nearest_x2)
    assert "25 timestamps were missing" in warnings
    assert _times(output) == [Fraction(i, 25) for i in range(25)]


@pytest.mark.usefixtures("ffmpeg")
@pytest.mark.parametrize("suffix", ["mkv", "mp4"])
def test_no_durations(command_line: CommandLine, nearest_x2: Path, tmp_path: Path, suffix: str) -> None:
    """A live recording's header knows no length; it is still done to its end."""
    source = tmp_path / f"live.{suffix}"
    options = "-live 1 -f matroska" if suffix == "mkv" else "-movflags +frag_every_frame+empty_moov -f mp4"
    command = f"ffmpeg -v error {VIDEO} {SOUND} {H264} -c:a aac {options} pipe:".split()
    source.write_bytes(subprocess.run(command, capture_output=True, check=True).stdout)
    output, _ = _enlarge(command_line, source, nearest_x2)
    assert len(_times(output)) == 25
    _check_sound(source, output, Fraction(0))


@pytest.mark.fault(23)
@pytest.mark.parametrize("order", [(0, 0), (0, 1), (1, 0), (0, 0, 1, 0)])
@pytest.mark.parametrize("kind", ["ts", "mpg"])
def test_a_clock_that_jumps(
    command_line: CommandLine, ffmpeg: FFmpeg, nearest_x2: Path, tmp_path: Path, order: Sequence[int], kind: str
) -> None:
    """Recordings joined as bytes, one of them an hour later: no gap, no overlap, and in each part the same sync."""
    codec = H264 if kind == "ts" else "-c:v mpeg2video -bf 2"
    for i in (0, 1):
        later = ["-output_ts_offset", str(3600 * i)] if i else []
        ffmpeg(*f"{VIDEO} {SOUND} {codec} -c:a mp2".split(), *later, tmp_path / f"{i}.{kind}")
    source = tmp_path / f"joined.{kind}"
    source.write_bytes(b"".join((tmp_path / f"{i}.{kind}").read_bytes() for i in order))
    output, warnings = _enlarge(command_line, source, nearest_x2)
    assert f"{len(order) - 1} jumps of the recording's clock" in warnings
    if kind == "ts":  # a program stream's parser takes the time of the picture before a jump from behind it
        assert "timestamps" not in warnings

    times, tick = _times(output), Fraction(1, 1000)
    assert len(times) == 25 * len(order)
    for a, b in pairwise(times):
        assert abs(b - a - Fraction(1, 25)) <= 2 * tick
    sound = [Fraction(p["pts_time"]) for p in _packets(output, "a:0")]
    part = len(_packets(tmp_path / f"0.{kind}", "a:0"))
    assert len(sound) == part * len(order)
    offsets = [sound[i * part] - times[25 * i] for i in range(len(order))]
    assert all(abs(offset - offsets[0]) <= 3 * tick for offset in offsets)


@pytest.mark.fault(23)
@pytest.mark.parametrize("name", ["out.mkv", "out.mp4"])
def test_a_long_hole_in_the_pictures(
    command_line: CommandLine, ffmpeg: FFmpeg, nearest_x2: Path, tmp_path: Path, name: str
) -> None:
    """While the sound runs on it is no jump of the clock: every picture stays with its sound."""
    source, output = tmp_path / "in.ts", tmp_path / name
    inputs = f"{VIDEO} -f lavfi -i sine=duration=13:sample_rate=32000".split()
    hole = ["-filter_complex", "[0:v]setpts='PTS+gt(N,12)*12/TB'[v]", "-map", "[v]", "-map", "1", "-vsync", "vfr"]
    ffmpeg(*inputs, *hole, "-c:v", "mpeg2video", "-bf", "2", "-c:a", "mp2", source)
    done = command_line(source, "-o", output, "-w", nearest_x2)
    assert done.returncode == 0, done.stderr
    assert "jump" not in done.stderr
    before, after = _times(source), _times(output)
    assert after[-1] - after[0] > 12
    shift = before[0] - after[0]
    assert all(abs(a - b - shift) <= Fraction(1, 1000) for a, b in zip(before, after, strict=True) if a is not None)
    _check_sound(source, output, shift)


@pytest.mark.fault(20)
@pytest.mark.parametrize("name", ["in.mp4", "in.mkv"])
def test_one_time_that_is_far_off(
    command_line: CommandLine, ffmpeg: FFmpeg, nearest_x2: Path, tmp_path: Path, name: str
) -> None:
    """A picture that claims to be 10 s later than it is: it alone is moved, the others stay with their sound."""
    made, source = tmp_path / "made.mp4", tmp_path / name
    late = "setts=pts=PTS+eq(N\\,12)*128000:dts=DTS"  # ticks of 1/12800 s
    ffmpeg(*f"{VIDEO} {SOUND} -c:v mjpeg -pix_fmt yuvj420p -c:a aac -bsf:v".split(), late, made)
    ffmpeg("-i", made, "-c", "copy", "-copyts", source)
    before = _times(source)
    assert before[12] - before[11] > 10
    output, warnings = _enlarge(command_line, source, nearest_x2)
    assert "1 timestamps were missing, went back or were far off" in warnings
    wanted = [*before[:12], (before[11] + before[13]) / 2, *before[13:]]
    assert all(abs(a - b) <= Fraction(1, 1000) for a, b in zip(_times(output), wanted, strict=True))
    _check_sound(source, output, Fraction(0))


@pytest.mark.fault(20)
def test_first_pictures_without_a_time(
    command_line: CommandLine, ffmpeg: FFmpeg, nearest_x2: Path, tmp_path: Path
) -> None:
    """They come right before the first that has one, not at 0, a second and a half before the recording begins."""
    whole, source = tmp_path / "whole.ts", tmp_path / "in.ts"
    ffmpeg(*f"{VIDEO} {SOUND} {H264} -c:a mp2".split(), whole)
    source.write_bytes(_without_first_times(whole.read_bytes(), 3))
    assert _times(source)[0] is None
    output, warnings = _enlarge(command_line, source, nearest_x2)
    assert "timestamps were missing" in warnings
    times, wanted = _times(output), _times(whole)
    shift = wanted[-1] - times[-1]
    assert all(abs(a - b - shift) <= Fraction(1, 1000) for a, b in zip(wanted, times, strict=True))
    _check_sound(source, output, shift)


def _without_first_times(stream: bytes, count: int) -> bytes:
    """A transport stream whose first pictures have no PTS and DTS (ISO/IEC 13818-1, 2.4.3.6): stuffing instead."""
    data = bytearray(stream)
    for at in range(0, len(data), 188):
        begins, has_adaptation = data[at + 1] & 0x40, data[at + 3] & 0x20
        pes = at + 4 + (1 + data[at + 4] if has_adaptation else 0)
        if begins and data[pes : pes + 3] == b"\0\0\1" and data[pes + 3] >> 4 == 0xE and count:
            data[pes + 7] &= 0x3F
            data[pes + 9 : pes + 9 + data[pes + 8]] = b"\xff" * data[pes + 8]
            count -= 1
    return bytes(data)


@pytest.mark.fault(22)
def test_decoding_times_that_go_back(
    command_line: CommandLine, ffmpeg: FFmpeg, nearest_x2: Path, tmp_path: Path
) -> None:
    """Sound whose packets overlap, as careless joins leave it: all there, said, and playable."""
    source = tmp_path / "in.flv"
    ffmpeg(*f"{VIDEO} {SOUND} {H264} -c:a libmp3lame -ar 44100".split(), source)
    _move_tag(source, SOUND_TAG, number=10, milliseconds=-60)
    before = [int(p["dts"]) for p in _packets(source, "a:0")]
    assert before != sorted(before)
    output, warnings = _enlarge(command_line, source, nearest_x2)
    times = [int(p["dts"]) for p in _packets(output, "a:0")]
    assert len(times) == len(before)
    assert times == sorted(times)
    assert "packets of sound or subtitles had no time, a time that went back" in warnings


@pytest.mark.fault(23)
@pytest.mark.parametrize("name", ["out.mkv", "out.mp4"])
def test_an_flv_whose_clock_starts_again(
    command_line: CommandLine, ffmpeg: FFmpeg, nearest_x2: Path, tmp_path: Path, name: str
) -> None:
    """A stream that was recorded in two goes: the second goes on from the first, in the sync that it has itself."""
    part, source, output = tmp_path / "part.flv", tmp_path / "in.flv", tmp_path / name
    ffmpeg(*f"{VIDEO} {SOUND} {H264} -c:a libmp3lame -ar 44100".split(), part)
    tags = part.read_bytes()
    source.write_bytes(tags + tags[FIRST_TAG:])
    done = command_line(source, "-o", output, "-w", nearest_x2)
    assert done.returncode == 0, done.stderr
    assert "1 jumps of the recording's clock" in done.stderr
    assert "timestamps" not in done.stderr

    before = {kind: [Fraction(p["pts_time"]) for p in _packets(part, f"{kind}:0")] for kind in "va"}
    after = {kind: [Fraction(p["pts_time"]) for p in _packets(output, f"{kind}:0")] for kind in "va"}
    shift = sorted(after["v"])[25] - min(before["v"])
    assert abs(shift - 1) <= Fraction(2, 1000)  # 25 pictures, 25 a second
    for kind in "va":
        wanted = before[kind] + [time + shift for time in before[kind]]
        apart = [abs(a - b) for a, b in zip(sorted(after[kind]), sorted(wanted), strict=True)]
        # The sound of the first go ends behind its last picture, so some packets lie over each other.
        assert max(apart) <= Fraction(2 if kind == "v" else 60, 1000)
        assert sum(error > Fraction(2, 1000) for error in apart) <= 4


@pytest.mark.fault(20)
@pytest.mark.parametrize("seconds", [10, -3, -0.4])
def test_one_tag_of_an_flv_with_a_wrong_time(
    command_line: CommandLine, ffmpeg: FFmpeg, nearest_x2: Path, tmp_path: Path, seconds: float
) -> None:
    """It is no clock that starts again: its picture alone is moved."""
    whole, source = tmp_path / "whole.flv", tmp_path / "in.flv"
    ffmpeg(*f"{VIDEO} {SOUND} {H264} -bf 0 -c:a libmp3lame -ar 44100 -output_ts_offset 4".split(), whole)
    source.write_bytes(whole.read_bytes())
    _move_tag(source, VIDEO_TAG, number=13, milliseconds=round(1000 * seconds))
    assert _times(source) != _times(whole)
    output, _ = _enlarge(command_line, source, nearest_x2)
    assert all(abs(a - b) <= Fraction(21, 1000) for a, b in zip(_times(output), _times(whole), strict=True))
    assert _times(output)[:12] + _times(output)[13:] == _times(whole)[:12] + _times(whole)[13:]
    _check_sound(source, output, Fraction(0))


def test_a_gap_in_an_flv_stays(command_line: CommandLine, ffmpeg: FFmpeg, nearest_x2: Path, tmp_path: Path) -> None:
    """However long; its clock begins at 0, and is not set forward."""
    source = tmp_path / "in.flv"
    gap = "-vf setpts=PTS+gt(N\\,12)*15/TB -vsync vfr"
    ffmpeg(*f"{VIDEO} {gap} -c:v flv".split(), source)
    before = _times(source)
    assert max(b - a for a, b in pairwise(before)) > 15
    output, warnings = _enlarge(command_line, source, nearest_x2)
    assert warnings == ""
    assert _times(output) == before


FIRST_TAG = 13  # an FLV's header, and the size of the tag before the first: 0
SOUND_TAG, VIDEO_TAG = 8, 9


def _move_tag(flv: Path, wanted: int, number: int, milliseconds: int) -> None:
    """Gives the n-th tag of a kind in an FLV file another time (a tag: type, size, time, stream, data, size)."""
    data, at, seen = bytearray(flv.read_bytes()), FIRST_TAG, 0
    while seen <= number:
        kind, size = data[at], int.from_bytes(data[at + 1 : at + 4])
        seen += kind == wanted
        if seen > number:
            time = int.from_bytes(data[at + 4 : at + 7]) + milliseconds
            data[at + 4 : at + 7] = time.to_bytes(3)
        at += 11 + size + 4
    flv.write_bytes(data)


@pytest.mark.fault(7)
@pytest.mark.parametrize(("harmed", "code"), [(1, 0), (5, 3)])
def test_harmed_packets_are_counted(
    command_line: CommandLine, ffmpeg: FFmpeg, nearest_x2: Path, tmp_path: Path, harmed: int, code: int
) -> None:
    """One of 25 is put up with and counted; one in five is too many, unless that is wanted."""
    source, output = tmp_path / "in.mov", tmp_path / "out.mkv"
    ffmpeg(*f"{VIDEO} -c:v mjpeg".split(), source)
    data, packets = bytearray(source.read_bytes()), _packets(source, "v:0")
    for number in range(harmed):
        begin, size = (int(packets[3 + 4 * number][key]) for key in ("pos", "size"))
        data[begin : begin + size] = bytes(size)
    source.write_bytes(data)
    done = command_line(source, "-o", output, "-w", nearest_x2, "--json")
    assert done.returncode == code, done.stderr
    if code:
        assert f"{harmed} of {len(packets)} video packets are damaged" in done.stderr
        done = command_line(source, "-o", output, "-w", nearest_x2, "--json", "--salvage")
    assert json.loads(done.stdout)["damaged_packets"] == harmed
    assert json.loads(done.stdout)["frames"] == len(packets) - harmed


def _enlarge(command_line: CommandLine, source: Path, weights: Path) -> tuple[Path, str]:
    done = command_line(source, "-w", weights)
    assert done.returncode == 0, done.stderr
    return next(path for path in source.parent.iterdir() if path.stem == f"{source.stem}_x2"), done.stderr


def _streams(path: Path) -> list[dict[str, Any]]:
    return list(ffmpeg_python.probe(str(path))["streams"])


def _times(path: Path) -> list[Any]:
    """When each picture is shown, in seconds as fractions; None where ffprobe cannot tell."""
    seen = ffmpeg_python.probe(str(path), select_streams="V:0", show_frames=None)
    tick = Fraction(seen["streams"][0]["time_base"])
    stamps = [frame.get("best_effort_timestamp") for frame in seen["frames"]]
    return [None if stamp is None else stamp * tick for stamp in stamps]


def _packets(path: Path, stream: str) -> list[dict[str, Any]]:
    seen = ffmpeg_python.probe(str(path), select_streams=stream, show_packets=None, show_data_hash="md5")
    return list(seen.get("packets", []))


def _check_sound(source: Path, output: Path, shift: Fraction) -> None:
    """Every packet of every sound stream, byte for byte, a millisecond at most from its place."""
    count = sum(s["codec_type"] == "audio" for s in _streams(source))
    assert sum(s["codec_type"] == "audio" for s in _streams(output)) == count
    for i in range(count):
        before, after = _packets(source, f"a:{i}"), _packets(output, f"a:{i}")
        assert [p["data_hash"] for p in after] == [p["data_hash"] for p in before]
        for one, other in zip(before, after, strict=True):
            if "pts_time" in one:
                error = Fraction(one["pts_time"]) - Fraction(other["pts_time"]) - shift
                assert abs(error) <= Fraction(2, 1000)
