"""The main job as a user runs it, on real clips, read back with the ffmpeg command line."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tomllib
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from rfdn_video import Color, Frame, PixelFormat, Upscaler
from rfdn_video.frame import Matrix
from tests.oracle import look, luma, psnr

type CommandLine = Callable[..., subprocess.CompletedProcess[str]]


def test_untagged_output_is_tagged_with_the_matrix_used(
    command_line: CommandLine, shared: Path, nearest_x2: Path, tmp_path: Path
) -> None:
    """Enlarged from SD to HD and untagged, players would take the wrong one."""
    output = tmp_path / "bikes.mp4"
    command_line(shared / "clips" / "bikes.mp4", "-o", output, "-w", nearest_x2, "--frames", 2, "-s", 2)
    assert look(output).tags["color_space"] == "smpte170m"


@pytest.mark.fault(39)
@pytest.mark.parametrize(
    ("suffix", "encoder"), [(".mkv", "ffv1"), (".mkv", "libx264"), (".webm", "libvpx-vp9"), (".mov", "libx264")]
)
def test_shape_of_pixels_in_every_container(
    command_line: CommandLine, shared: Path, nearest_x2: Path, tmp_path: Path, suffix: str, encoder: str
) -> None:
    """Matroska has it from its own element, where neither FFV1 nor VP9 says it."""
    source, output = shared / "clips" / "carphone_distorted.mp4", tmp_path / f"out{suffix}"
    done = command_line(source, "-o", output, "-w", nearest_x2, "--encoder", encoder, "--frames", 5)
    assert done.returncode == 0, done.stderr
    seen = look(output)
    assert seen.stream["sample_aspect_ratio"] == "128:117"
    assert len(seen.times) == 5


def test_command_line_equals_upscaler(command_line: CommandLine, shared: Path, tmp_path: Path) -> None:
    """ffmpeg decodes both ends; what lies between is the API's own result, within one code value."""
    source, output, count = shared / "clips" / "carphone_distorted.mp4", tmp_path / "out.mkv", 4
    done = command_line(source, "-o", output, "--encoder", "ffv1", "--frames", count, "--device", "cpu")
    assert done.returncode == 0, done.stderr
    layout = PixelFormat("yuv", 8, 1, 1)
    raw = _raw(source, count, 176, 144)
    frames = [Frame(planes, layout, Color(Matrix.SMPTE170M), n, 1, Fraction(1, 30)) for n, planes in enumerate(raw)]
    expected = list(Upscaler(scale=2, device="cpu", many=True).stream(frames))
    for planes, frame in zip(_raw(output, count, 352, 288), expected, strict=True):
        for got, want in zip(planes, frame.planes, strict=True):
            assert np.abs(got.astype(int) - want.astype(int)).max() <= 1


def test_picture_is_close_to_bicubic_and_better_on_compressed_video(
    command_line: CommandLine, ffmpeg: Callable[..., bytes], shared: Path, tmp_path: Path
) -> None:
    """A clip reduced by half and encoded at CRF 28: the default gains at least 0.4 dB over bicubic.

    Measured on every 25th picture of the whole clip, decoded by ffmpeg; the mean over all 250 is 0.48 dB.
    """
    source, small, output = shared / "clips" / "bikes.mp4", tmp_path / "s.mp4", tmp_path / "o.mkv"
    reduce = ["-vf", "scale=320:136:flags=bicubic", "-c:v", "libx264", "-crf", "28", "-pix_fmt", "yuv420p"]
    ffmpeg("-i", source, *reduce, small)
    sample = tmp_path / "sample.mkv"
    ffmpeg("-i", small, "-vf", "select=eq(mod(n\\,25)\\,12)", "-fps_mode", "passthrough", "-c:v", "ffv1", sample)
    done = command_line(sample, "-o", output, "--encoder", "ffv1", "--tune", "video")
    assert done.returncode == 0, done.stderr
    size, count = (640, 272), 10
    truth = luma(source, 250, size)[12::25]
    ours, bicubic = luma(output, count, size), luma(sample, count, size, ("scale", *size, "bicubic"))
    assert psnr(ours, bicubic) > 30
    assert not np.array_equal(ours, bicubic)
    assert psnr(ours, truth) > psnr(bicubic, truth) + 0.4


def test_every_way_of_a_size(command_line: CommandLine, shared: Path, nearest_x2: Path, tmp_path: Path) -> None:
    source = shared / "clips" / "carphone_distorted.mp4"
    for arguments, name, size in (
        (["-s", "1.5"], "carphone_distorted_x1.5.mp4", (264, 216)),
        (["-s", "4"], "carphone_distorted_x4.mp4", (704, 576)),
        (["--height", "300"], "carphone_distorted_300p.mp4", (366, 300)),
    ):
        done = command_line(source, "-o", tmp_path, "-w", nearest_x2, "--frames", 2, *arguments)
        assert done.returncode == 0, done.stderr
        stream = look(tmp_path / name).stream
        assert (stream["width"], stream["height"]) == size


def test_a_part_of_the_video(command_line: CommandLine, shared: Path, nearest_x2: Path, tmp_path: Path) -> None:
    """The sound that overlaps the range is kept in its place, though it begins a little before the picture."""
    source, output = shared / "clips" / "bigbuckbunny.mp4", tmp_path / "out.mkv"
    arguments = ["--start", "2", "--end", "2.2", "-s", "1.1"]
    done = command_line(source, "-o", output, "-w", nearest_x2, *arguments)
    assert done.returncode == 0, done.stderr
    before, after = look(source), look(output)
    expected = [t for t in before.times if 2 <= t < Fraction("2.2")]
    assert len(after.times) == len(expected) == 5
    shift = expected[0] - after.times[0]
    assert all(abs(a + shift - b) <= after.time_base for a, b in zip(after.times, expected, strict=True))
    sound = [(t, h) for t, h in before.audio if 2 - Fraction(1024, 48000) < t < Fraction("2.2")]
    assert [h for _, h in after.audio] == [h for _, h in sound]
    assert abs(after.audio[0][0] + shift - sound[0][0]) <= Fraction(1, 1000)


def test_standard_output(shared: Path, nearest_x2: Path, tmp_path: Path) -> None:
    """NUT carries exact timestamps and the sound; y4m is plain pictures."""
    source = shared / "clips" / "bt601.mp4"
    for container in ("nut", "y4m"):
        path = tmp_path / f"out.{container}"
        command = [sys.executable, "-m", "rfdn_video", source, "-o", "-", "--container", container, "-w", nearest_x2]
        with path.open("wb") as file:
            subprocess.run(command, stdout=file, check=True, stderr=subprocess.PIPE)
        before, after = look(source), look(path)
        assert (after.stream["width"], len(after.times)) == (720, 30)
        assert all(abs(a - b) <= Fraction(1, 30000) for a, b in zip(after.times, before.times, strict=True))
        assert [h for _, h in after.audio] == ([h for _, h in before.audio] if container == "nut" else [])


def test_dry_run_writes_nothing_and_says_all(command_line: CommandLine, shared: Path, tmp_path: Path) -> None:
    done = command_line(shared / "clips" / "bt601.mp4", "-o", tmp_path, "--dry-run", "-s", "5")
    assert done.returncode == 0, done.stderr
    for word in ("bt601_x5.mp4", "libx264 1800x1200", "SMPTE170M", "e-rfdn", "audio", "2 times", "resampled", "frames"):
        assert word in done.stdout
    assert "QP 21.5\n" in done.stdout  # of which 29 is "light" and 29.4 is not
    assert "primaries smpte170m, transfer smpte170m" in done.stdout
    assert not os.listdir(tmp_path)


@pytest.mark.parametrize(("suffix", "starts"), [("mkv", (0.97, 1.5)), ("ts", (1, 9)), ("h264", (1, 9))])
def test_dry_run_refuses_a_part_without_pictures(
    command_line: CommandLine,
    ffmpeg: Callable[..., bytes],
    nearest_x2: Path,
    tmp_path: Path,
    suffix: str,
    starts: tuple[float],
) -> None:
    """As the run does; though the sound goes on for a second, where there is any."""
    source = tmp_path / f"in.{suffix}"
    sound = [] if suffix == "h264" else ["-f", "lavfi", "-i", "sine=duration=2"]
    ffmpeg("-f", "lavfi", "-i", "testsrc2=s=64x48:r=25:d=1", *sound, "-c:v", "libx264", "-bf", "0", source)
    for start in (0.9, *starts):
        arguments = [source, "-o", tmp_path / "o.mkv", "-w", nearest_x2, "--start", start, "--overwrite"]
        dry, run = command_line(*arguments, "--dry-run"), command_line(*arguments)
        assert dry.returncode == run.returncode == (0 if start == 0.9 else 3)
        if dry.returncode:
            assert dry.stderr == run.stderr
            assert "no pictures in the part that was asked for" in dry.stderr


def test_progress_and_summary_as_json(
    command_line: CommandLine, shared: Path, nearest_x2: Path, tmp_path: Path
) -> None:
    source = shared / "clips" / "carphone_distorted.mp4"
    done = command_line(source, "-o", tmp_path, "-w", nearest_x2, "--progress", "json", "--json")
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert lines[-1]["frames"] == lines[-1]["total"] == 120
    assert {"event", "fps", "eta_seconds"} <= lines[-1].keys()
    summary = json.loads(done.stdout)
    assert (summary["frames"], summary["width"], summary["verified"]) == (120, 352, True)


@pytest.mark.fault(64)
def test_several_inputs_go_on_after_a_bad_one(
    command_line: CommandLine, shared: Path, nearest_x2: Path, tmp_path: Path
) -> None:
    bad = tmp_path / "bad.mp4"
    bad.write_text("no video")
    clips = shared / "clips"
    inputs = [clips / "sample_audio_only.mp4", bad, clips / "h264-10bits.mp4"]
    out = tmp_path / "out"
    out.mkdir()
    done = command_line(*inputs, "-o", out, "-w", nearest_x2, "--frames", 2)
    assert done.returncode == 3
    assert len(done.stderr.splitlines()) == 2
    assert os.listdir(out) == ["h264-10bits_x2.mp4"]


@pytest.mark.parametrize("start", ["import runpy; runpy.run_module('rfdn_video', run_name='__main__')", "script"])
@pytest.mark.parametrize("module", ["rfdn_video.cli.main", "argparse", "rfdn_video.settings", "av"])
def test_an_interrupt_while_it_is_loaded(nearest_x2: Path, tmp_path: Path, start: str, module: str) -> None:
    """Ctrl-C comes when a module is looked for."""
    if start == "script":
        project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())["project"]
        home, function = project["scripts"]["rfdn-video"].split(":")
        start = f"from {home} import {function}; {function}()"
    (tmp_path / "text.mp4").write_text("no video")
    code = (
        "import os, signal, sys\n"
        "class Finder:\n"
        "    def find_spec(name, path, target=None):\n"
        f"        if name == {module!r}: os.kill(os.getpid(), signal.SIGINT)\n"
        "sys.meta_path.insert(0, Finder)\n"
        f"sys.modules.pop({module!r}, None)\n"
        f"sys.argv = ['rfdn-video', {str(tmp_path / 'text.mp4')!r}, '-w', {str(nearest_x2)!r}]\n{start}\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (130, "")
    assert re.fullmatch("rfdn-video: interrupted.*\n", done.stderr)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_leaves_nothing_behind(
    shared: Path, nearest_x2: Path, tmp_path: Path, number: signal.Signals, code: int
) -> None:
    source, output = shared / "clips" / "bigbuckbunny.mp4", tmp_path / "out.mp4"
    command = [sys.executable, "-m", "rfdn_video", source, "-o", output, "-w", nearest_x2, "--progress", "json"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        process.stderr.readline()  # it is at work
        process.send_signal(number)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == code
    assert "interrupted" in errors.splitlines()[-1]
    assert "Traceback" not in errors
    assert not os.listdir(tmp_path)


@pytest.mark.fault(31)
def test_memory_does_not_grow_with_length(ffmpeg: Callable[..., bytes], nearest_x2: Path, tmp_path: Path) -> None:
    """Ten times as long, within 5 %."""
    script = (
        "import resource, sys; from rfdn_video import upscale_video; "
        "upscale_video(sys.argv[1], sys.argv[2], weights=__import__('pathlib').Path(sys.argv[3]), device='cpu'); "
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    )
    peaks = []
    for seconds in (4, 40):
        clip = tmp_path / f"{seconds}.mp4"
        sound = ["-f", "lavfi", "-i", f"sine=duration={seconds}", "-c:a", "aac"]
        ffmpeg(
            "-f", "lavfi", "-i", f"testsrc2=size=96x64:rate=15:duration={seconds}", *sound, "-pix_fmt", "yuv420p", clip
        )
        command = [sys.executable, "-c", script, clip, tmp_path / f"{seconds}.mkv", nearest_x2]
        peaks.append(int(subprocess.run(command, capture_output=True, check=True, text=True).stdout))
    assert peaks[1] < 1.05 * peaks[0]


def test_help_and_version_are_quick_and_light() -> None:
    """Asking for help imports neither torch nor av."""
    for option in ("--help", "--version"):
        script = (
            "import sys; from rfdn_video.cli.main import main\n"
            f"try: main(['{option}'])\n"
            "except SystemExit: pass\n"
            "print('torch' in sys.modules, 'av' in sys.modules, 'numpy' in sys.modules)"
        )
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True, text=True)
        assert done.stdout.splitlines()[-1] == "False False False"


def test_time_of_start_is_bounded_by_what_is_imported(tmp_path: Path) -> None:
    """A missing input is refused without waiting for torch."""
    script = (
        "import sys; from rfdn_video.cli.main import main\n"
        f"code = main([{str(tmp_path / 'missing.mp4')!r}])\n"
        "print(code, 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True, text=True)
    assert done.stdout.split() == ["3", "False"]


def _raw(path: Path, count: int, width: int, height: int) -> list[tuple[np.ndarray, ...]]:
    """Y, U and V of the first pictures of a 4:2:0 file, decoded by ffmpeg."""
    import ffmpeg

    output = ffmpeg.input(str(path)).output("pipe:", format="rawvideo", pix_fmt="yuv420p", vframes=count)
    raw, _ = output.run(capture_stdout=True, quiet=True)
    pictures = np.frombuffer(raw, np.uint8).reshape(count, width * height * 3 // 2)
    y, c = width * height, width * height // 4
    return [
        (
            p[:y].reshape(height, width),
            p[y : y + c].reshape(height // 2, width // 2),
            p[y + c :].reshape(height // 2, width // 2),
        )
        for p in pictures
    ]
