"""``rfdn-video script.vpy``: frames, times, sound of another file, and every way it can go wrong."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from fractions import Fraction
from itertools import accumulate
from pathlib import Path

import numpy as np
import pytest

from rfdn_video import Frame, upscale_video
from rfdn_video.cli.main import main
from rfdn_video.errors import InputError, UsageError
from rfdn_video.media.reading import script_server
from rfdn_video.media.reading.script import ScriptDecoder, probe_script
from rfdn_video.media.timing import TimeRange
from tests.oracle import look

vs = pytest.importorskip("vapoursynth", reason="needs VapourSynth: pip install 'rfdn-video[vapoursynth]'")
from conftest import SCRIPT_HEAD  # noqa: E402 (it needs VapourSynth)
from noise import FRAMES, HEIGHT, WIDTH, noise_clip  # noqa: E402

type Write = Callable[[str], Path]
type FFmpeg = Callable[..., bytes]

DURATIONS = [Fraction(1001 + n, 24000) for n in range(FRAMES)]  # noise_clip's


@pytest.fixture
def script(tmp_path: Path) -> Write:
    """Writes a script that sets an output of noise frames, or does what the lines say."""

    def write(lines: str = "noise_clip(vs.YUV420P8).set_output()") -> Path:
        path = tmp_path / "film.vpy"
        path.write_text(f"{SCRIPT_HEAD}{lines}\n", encoding="utf-8")
        return path

    return write


def decode(path: Path, wanted: TimeRange | None = None, sides: Path | None = None) -> list[Frame]:
    with ScriptDecoder(probe_script(path, sides), wanted or TimeRange()) as decoder:
        return list(decoder)


@pytest.mark.parametrize("name", ["YUV420P8", "YUV422P10", "YUV444P16", "GRAY8", "RGB24"])
def test_planes_come_through(script: Write, name: str) -> None:
    frames = decode(script(f"noise_clip(vs.{name}).set_output()"))
    assert len(frames) == FRAMES
    for frame, source in zip(frames, noise_clip(getattr(vs, name)).frames(), strict=True):
        order = (1, 2, 0) if name == "RGB24" else range(source.format.num_planes)  # the core takes G, B, R
        for plane, number in zip(frame.planes, order, strict=True):
            assert np.array_equal(plane, np.asarray(source[number]))


def test_durations_are_exact(script: Write) -> None:
    frames = decode(script())
    assert [frame.duration * frame.time_base for frame in frames] == DURATIONS
    assert [frame.pts * frame.time_base for frame in frames] == [0, *accumulate(DURATIONS[:-1])]


def test_durations_of_two_rates_are_exact(script: Write) -> None:
    lines = "c = noise_clip(vs.GRAY8)\nc = c.std.AssumeFPS(fpsnum=25) + c.std.AssumeFPS(fpsnum=24000, fpsden=1001)"
    lines += "\nc.set_output()"
    durations = [frame.duration * frame.time_base for frame in decode(script(lines))]
    assert durations == [Fraction(1, 25)] * FRAMES + [Fraction(1001, 24000)] * FRAMES


def test_odd_durations_do_not_drift(script: Write) -> None:
    """Beyond any tick: each time is the nearest tick to the exact one."""
    lines = """
    def odd(n, f):
        frame = f.copy()
        frame.props["_DurationNum"], frame.props["_DurationDen"] = 1, 9973 + n
        return frame
    clip = noise_clip(vs.GRAY8, 40)
    clip.std.ModifyFrame(clip, odd).set_output()
    """
    frames = decode(script("\n".join(line[4:] for line in lines.splitlines())))
    exact = [Fraction(0), *accumulate(Fraction(1, 9973 + n) for n in range(40))]
    assert all(abs(f.pts * f.time_base - t) <= f.time_base / 2 for f, t in zip(frames, exact, strict=False))


def test_a_missing_duration_is_the_one_before(script: Write) -> None:
    """Readers of files do not know the last one's."""
    lines = 'c = noise_clip(vs.GRAY8)\n(c[:-1] + c[-1:].std.RemoveFrameProps("_DurationNum")).set_output()'
    frames = decode(script(lines))
    assert [frame.duration * frame.time_base for frame in frames] == [*DURATIONS[:-1], DURATIONS[-2]]


def test_a_part_of_it(script: Write) -> None:
    path = script()
    second = TimeRange(start=DURATIONS[0], end=sum(DURATIONS[:4], Fraction(0)))
    assert [f.pts * f.time_base for f in decode(path, second)] == [sum(DURATIONS[:n], Fraction(0)) for n in (1, 2, 3)]
    assert len(decode(path, TimeRange(frames=2))) == 2


def test_colour_comes_from_the_properties(script: Write) -> None:
    props = "_Matrix=1, _Range=1, _ChromaLocation=2, _Primaries=9, _Transfer=16, _SARNum=4, _SARDen=3"
    video = probe_script(script(f"noise_clip(vs.YUV420P8).std.SetFrameProps({props}).set_output()"), None).video
    color = video.color
    assert (color.matrix, color.full_range, color.chroma_location) == (1, True, 3)
    assert (color.primaries, color.transfer, video.sample_aspect_ratio) == (9, 16, Fraction(4, 3))
    untagged = probe_script(script(), None).video
    assert (untagged.color.matrix, untagged.color.full_range) == (6, False)


def test_the_whole_way(script: Write, nearest_x2: Path, ffmpeg: FFmpeg, capsys: pytest.CaptureFixture[str]) -> None:
    """Beside the script, its pictures enlarged, silent, and said so; what a script prints does no harm."""
    path = script('print("x" * 100000)\nnoise_clip(vs.YUV444P8).std.SetFrameProps(_Matrix=1).set_output()')
    options = ["-w", str(nearest_x2), "--encoder", "ffv1", "--json", "--progress", "json"]
    assert main([str(path), *options]) == 0
    printed = capsys.readouterr()
    assert json.loads(printed.out)["frames"] == FRAMES
    assert json.loads(printed.err.splitlines()[0])["total"] == FRAMES
    assert "dropped sound and subtitles: a script has none of its own; --audio-from FILE takes" in printed.err
    output = path.with_name("film_x2.mkv")
    assert look(output).tags["color_space"] == "bt709"
    raw = ffmpeg("-i", output, "-f", "rawvideo", "-fps_mode", "passthrough", "-pix_fmt", "yuv444p", "-")
    pictures = np.frombuffer(raw, np.uint8).reshape(FRAMES, 3, 2 * HEIGHT, 2 * WIDTH)
    for picture, source in zip(pictures, noise_clip(vs.YUV444P8).frames(), strict=True):
        for plane in range(3):
            assert np.array_equal(picture[plane], np.asarray(source[plane]).repeat(2, 0).repeat(2, 1))


def test_mp4_holds_the_exact_times(script: Write, nearest_x2: Path, tmp_path: Path) -> None:
    output = tmp_path / "out.mp4"
    assert upscale_video(script(), output, scale=2, weights=nearest_x2, audio="none").dropped == ()
    assert look(output).times == [0, *accumulate(DURATIONS[:-1])]


@pytest.fixture
def film(tmp_path: Path, ffmpeg: FFmpeg) -> Path:
    """Pictures from 0.5 s on, sound from 0, a subtitle, a chapter."""
    words, notes = tmp_path / "words.srt", tmp_path / "notes.txt"
    words.write_text("1\n00:00:00,100 --> 00:00:00,300\nhello\n")
    notes.write_text(";FFMETADATA1\ntitle=A film\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=400\ntitle=One\n")
    path = tmp_path / "film.mkv"
    sound = ["-f", "lavfi", "-i", "sine=duration=1"]
    picture = ["-itsoffset", "0.5", "-f", "lavfi", "-i", "testsrc2=size=48x32:rate=24:duration=0.25"]
    chosen = ["-map", "1", "-map", "0", "-map", "2", "-map_metadata", "3"]
    ffmpeg(*sound, *picture, "-i", words, "-i", notes, *chosen, "-c:v", "ffv1", "-c:a", "flac", path)
    return path


def test_sound_of_a_file_goes_along(script: Write, film: Path, nearest_x2: Path, tmp_path: Path) -> None:
    """As far from the pictures as in the file."""
    output = tmp_path / "out.mkv"
    summary = upscale_video(script(), output, scale=2, weights=nearest_x2, audio_from=film)
    assert summary.dropped == ()
    before, after = look(film), look(output)
    assert [content for _, content in after.audio] == [content for _, content in before.audio]
    assert after.audio[0][0] - after.times[0] == before.audio[0][0] - before.times[0] == Fraction(-1, 2)
    import ffmpeg as ffprobe

    found = ffprobe.probe(str(output), show_chapters=None)
    assert [s["codec_type"] for s in found["streams"]] == ["video", "audio", "subtitle"]
    assert [c["tags"]["title"] for c in found["chapters"]] == ["One"]
    assert found["format"]["tags"]["title"] == "A film"


def test_sound_of_a_file_of_sound(script: Write, ffmpeg: FFmpeg, nearest_x2: Path, tmp_path: Path) -> None:
    sound, output = tmp_path / "sound.mka", tmp_path / "out.mkv"
    ffmpeg("-f", "lavfi", "-i", "sine=duration=0.3", "-c:a", "flac", sound)
    upscale_video(script(), output, scale=2, weights=nearest_x2, audio_from=sound)
    seen = look(output)
    assert len(seen.times) == FRAMES
    assert [content for _, content in seen.audio] == [content for _, content in look_at_sound(sound)]


def look_at_sound(path: Path) -> list[tuple[Fraction, str]]:
    import ffmpeg as ffprobe

    packets = ffprobe.probe(str(path), select_streams="a:0", show_packets=None, show_data_hash="md5")["packets"]
    return [(Fraction(packet["pts_time"]), packet["data_hash"]) for packet in packets]


@pytest.mark.parametrize(
    ("lines", "text"),
    [
        ("\nx = core.std.Nothing()", "line 8: AttributeError: There is no function named Nothing"),
        ("def (", "line 7: SyntaxError: invalid syntax"),
        ("", "it sets no output; end it with clip.set_output()"),
        ("core.std.BlankAudio().set_output()", "its output 0 is sound; give a video clip"),
        ("raise SystemExit('stop')", "line 7: SystemExit: stop"),
        ("c = noise_clip(vs.YUV420P8)\nc.set_output(0, alpha=noise_clip(vs.GRAY8))", "has an alpha channel"),
        ("noise_clip().set_output()", "its clip is RGBS; integers of 8 to 16 bit are allowed, for example core.resize"),
        ("noise_clip(vs.YUV420P8).std.SetFieldBased(1).set_output()", "frame 0 is interlaced, enlarging would tear"),
        ("noise_clip(vs.YUV420P8).std.SetFrameProps(_Matrix=14).set_output()", "colour matrix 14 of ITU-T H.273"),
        (
            "core.std.Splice([noise_clip(), noise_clip(vs.RGBH)], mismatch=1).set_output()",
            "its clip changes its format or size; give a clip of constant format and size",
        ),
        (
            "noise_clip(vs.GRAY8).std.BlankClip(fpsnum=0, fpsden=1).set_output()",
            "its clip has no frame rate and no durations; set one: std.AssumeFPS(clip, fpsnum=25)",
        ),
        ("import os\nos.abort()", "its process ended (SIGABRT) before all frames were there"),
        (
            "clip = noise_clip(vs.YUV420P8)\n(clip[:2] + clip[2:].std.SetFieldBased(2)).set_output()",
            "frame 2 is interlaced, enlarging would tear it; deinterlace it in the script",
        ),
        (
            "clip = noise_clip(vs.YUV420P8)\n(clip[:2] + clip[2:].std.SetFrameProps(_Matrix=9)).set_output()",
            "frame 2 has other colour properties than the first; convert it in the script",
        ),
    ],
)
def test_scripts_that_fail(script: Write, lines: str, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    path = script(lines)
    assert main([str(path)]) == 3
    printed = capsys.readouterr().err
    assert printed.startswith(f"rfdn-video: {path}: ")
    assert text in printed
    assert len(printed.splitlines()) == 1
    assert os.listdir(path.parent) == [path.name]


@pytest.mark.parametrize(
    ("body", "text"), [("raise ValueError('seven')", "frame 3: ValueError: seven"), ("os.abort()", "(SIGABRT)")]
)
def test_a_frame_that_fails_leaves_nothing(script: Write, nearest_x2: Path, body: str, text: str) -> None:
    lines = f"""import os
def fail(n, f):
    if n == 3:
        {body}
    return f
clip = noise_clip(vs.YUV420P8)
clip.std.ModifyFrame(clip, fail).set_output()"""
    path = script(lines)
    with pytest.raises(InputError) as caught:
        upscale_video(path, scale=2, weights=nearest_x2)
    assert text in str(caught.value)
    assert os.listdir(path.parent) == [path.name]


def test_without_vapoursynth(script: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(script_server, "find_spec", lambda _: None)
    with pytest.raises(UsageError, match=r"scripts need VapourSynth; pip install 'rfdn-video\[vapoursynth\]'"):
        upscale_video(script(), scale=2)


def test_sound_from_a_file_is_for_scripts(film: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(film), "--audio-from", str(film)]) == 2
    assert "only a VapourSynth script (.vpy) takes sound from another file" in capsys.readouterr().err


def test_bad_files_of_sound(script: Write, film: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = script()
    assert main([str(path), "--audio-from", "nowhere.mkv"]) == 3
    assert main([str(path), "--audio-from", str(path)]) == 3
    assert main([str(path), "--audio-from", str(film), "-o", str(film), "--overwrite"]) == 4
    printed = capsys.readouterr().err.splitlines()
    assert "nowhere.mkv: no such file" in printed[0]
    assert "is the input itself" in printed[-1]


def test_stopping_ends_the_script(script: Write, nearest_x2: Path, tmp_path: Path) -> None:
    """An endless one, stopped by a signal: it is gone, and so is the output."""
    lines = f"""import os, pathlib, time
pathlib.Path({str(tmp_path / "pid")!r}).write_text(str(os.getpid()))
def wait(n, f):
    time.sleep(0.02)
    return f
clip = noise_clip(vs.YUV420P8, 2**31 - 1)
clip.std.ModifyFrame(clip, wait).set_output()"""
    path = script(lines)
    command = [sys.executable, "-m", "rfdn_video", str(path), "-w", str(nearest_x2), "--progress", "json"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        next(line for line in process.stderr if '"frames"' in line and '"frames": 0' not in line)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
    assert process.returncode == 130
    pid = int((tmp_path / "pid").read_text())
    deadline = time.monotonic() + 30
    while Path(f"/proc/{pid}").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert sorted(os.listdir(tmp_path)) == ["film.vpy", "pid"]
