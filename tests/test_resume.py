"""Long work that is cut off, by whatever, goes on where it was; its pictures are those of work that was not."""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from rfdn_video import upscale_video
from rfdn_video.errors import InputError, OutputError, UsageError
from rfdn_video.media.keeping.journal import Journal
from rfdn_video.media.keeping.work_folder import WorkFolder, work_folder
from rfdn_video.pipeline import Summary, _larger, prepare, run
from rfdn_video.settings import Settings

type FFmpeg = Callable[..., bytes]
type Upscale = Callable[..., Summary]
type Finish = Callable[..., dict[str, Any]]

FRAMES, SEGMENT = 110, 16


class Cut(BaseException):
    """Stands for whatever ends the work: no handler of the package knows it."""


@pytest.fixture(scope="module")
def clip(ffmpeg: FFmpeg, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight bits, constant rate, with sound."""
    path = tmp_path_factory.mktemp("clips") / "clip.mp4"
    pictures = ["-f", "lavfi", "-i", f"testsrc2=size=96x80:rate=25:duration={FRAMES / 25}"]
    sound = ["-f", "lavfi", "-i", f"sine=duration={FRAMES / 25}", "-c:a", "aac"]
    ffmpeg(*pictures, *sound, "-pix_fmt", "yuv420p", path)
    return path


@pytest.fixture(scope="module")
def uneven(ffmpeg: FFmpeg, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten bits; fast up to the first joint, slow behind it, so that decoding times would go back there."""
    path = tmp_path_factory.mktemp("clips") / "uneven.mkv"
    times = f"setpts='if(lt(N,{SEGMENT}),N,{SEGMENT}+(N-{SEGMENT})*9+mod(N,3))/100/TB'"
    pictures = ["-f", "lavfi", "-i", f"testsrc2=size=96x80:rate=100:duration={FRAMES / 100}", "-vf", times]
    ffmpeg(*pictures, "-fps_mode", "passthrough", "-c:v", "ffv1", "-pix_fmt", "yuv420p10le", path)
    return path


@pytest.fixture
def upscale(nearest_x2: Path) -> Upscale:
    """In this process; ``cut`` ends it after so many frames, as far as this thread knows."""

    def run(source: Path, output: Path, cut: int | None = None, **settings: object) -> Summary:
        def on_frame(count: int) -> None:
            if count == cut:
                patience = time.monotonic() + 60
                while not _encoded(output, count) and time.monotonic() < patience:
                    time.sleep(0.01)
                raise Cut

        fixed = {"weights": nearest_x2, "device": "cpu", "engine": "torch", "segment_frames": SEGMENT}
        return upscale_video(source, output, on_frame=on_frame, **fixed | settings)

    return run


def _encoded(output: Path, count: int) -> bool:
    """All whole segments among so many frames are finished; the encoder works a little behind."""
    return _finished(output) >= (count - 8) // SEGMENT


def _finished(output: Path) -> int:
    """Segments that will be gone on with: the journal names them. A file alone may have been cut off from its entry."""
    journal = Journal.read(work_folder(output))
    return len(journal.segments) if journal is not None else 0


def _pictures(ffmpeg: FFmpeg, path: Path) -> list[bytes]:
    """Time and MD5 of every picture, as ffmpeg sees them, and of every packet of sound."""
    listing = ffmpeg("-i", path, "-map", "0:V", "-map", "0:a?", "-c:a", "copy", "-f", "framemd5", "-")
    return [line for line in listing.splitlines() if not line.startswith(b"#")]


@pytest.mark.parametrize(
    ("name", "suffix", "settings"),
    [
        ("clip", ".mp4", {}),  # x264, B-frames, sound
        ("clip", ".mkv", {"encoder": "ffv1"}),
        pytest.param("clip", ".mov", {"encoder": "prores", "pix_fmt": "yuv422p10le"}, marks=pytest.mark.slow),
        pytest.param("clip", ".mp4", {"encoder": "libx265"}, marks=pytest.mark.slow),
        pytest.param("clip", ".mkv", {"encoder": "libsvtav1", "encoder_preset": "10"}, marks=pytest.mark.slow),
        ("clip", ".webm", {"encoder": "libvpx-vp9", "encoder_preset": "8", "audio": "none"}),
        ("clip", ".mkv", {"encoder_backend": "ffmpeg", "encoder": "libx264"}),
        pytest.param("clip", ".mkv", {"encoder_backend": "ffmpeg", "encoder": "libx265"}, marks=pytest.mark.slow),
        ("uneven", ".mkv", {}),
        ("uneven", ".mp4", {}),
        ("uneven", ".mp4", {"encoder": "libx265"}),
        pytest.param("uneven", ".mkv", {"encoder": "ffv1"}, marks=pytest.mark.slow),
        pytest.param("uneven", ".mp4", {"encoder_backend": "ffmpeg", "encoder": "libx264"}, marks=pytest.mark.slow),
    ],
)
@pytest.mark.fault(60)
def test_fault_60_every_encoder_goes_on(
    request: pytest.FixtureRequest,
    ffmpeg: FFmpeg,
    upscale: Upscale,
    tmp_path: Path,
    name: str,
    suffix: str,
    settings: dict[str, str],
) -> None:
    source, whole, cut = request.getfixturevalue(name), tmp_path / f"whole{suffix}", tmp_path / f"cut{suffix}"
    upscale(source, whole, **settings)
    for frames, reused in ((40, 0), (70, 2)):
        with pytest.raises(Cut) as caught:
            upscale(source, cut, frames, resume=True, **settings)
        assert "--resume" in caught.value.__notes__[0]
        assert _finished(cut) >= reused
        assert not cut.exists()
    summary = upscale(source, cut, resume=True, **settings)
    assert summary.frames == FRAMES
    assert summary.frames_reused >= 3 * SEGMENT
    assert summary.frames_reused % SEGMENT == 0
    assert _pictures(ffmpeg, cut) == _pictures(ffmpeg, whole)
    assert sorted(os.listdir(tmp_path)) == sorted((whole.name, cut.name))


@pytest.mark.fault(60)
@pytest.mark.parametrize(("reuse", "groups"), [("exact", [10]), ("off", [10]), ("near", [4, 4, 2])])
def test_fault_60_what_depends_on_the_frame_before_begins_anew(reuse: str, groups: list[int]) -> None:
    """--reuse near copies rows for which only something far away has changed: not from another segment's frame."""
    seen: list[int] = []

    def stream(frames: Iterator[int], **_: object) -> Iterator[int]:
        seen.append(0)
        for frame in frames:
            seen[-1] += 1
            yield frame

    files = SimpleNamespace(target=SimpleNamespace(layout=None), layout=SimpleNamespace(color=None), dither="none")
    job = SimpleNamespace(files=files, upscaler=SimpleNamespace(reuse=reuse, stream=stream))
    assert list(_larger(job, iter(range(10)), SimpleNamespace(frames=0, number_of=lambda n: n // 4))) == list(range(10))  # type: ignore[arg-type]
    assert seen == groups


def test_segments_are_closed(ffmpeg: FFmpeg, clip: Path, upscale: Upscale, tmp_path: Path) -> None:
    """What ffmpeg cuts out at a joint decodes to the same pictures: nothing refers to what lies outside."""
    output = tmp_path / "o.mp4"
    upscale(clip, output)
    begin = ["-ss", str(2 * SEGMENT / 25), "-i", output, "-frames:v", str(SEGMENT), "-c", "copy", "-an"]
    ffmpeg(*begin, tmp_path / "part.mp4")
    part = [line.split()[-1] for line in _pictures(ffmpeg, tmp_path / "part.mp4")]
    whole = [line.split()[-1] for line in _pictures(ffmpeg, output) if line.startswith(b"0")]
    assert part == whole[2 * SEGMENT : 3 * SEGMENT]


def test_in_one_piece_where_it_is_short(clip: Path, upscale: Upscale, tmp_path: Path) -> None:
    """A segment that is not full is nothing that could be gone on with."""
    with pytest.raises(Cut) as caught:
        upscale(clip, tmp_path / "o.mp4", 10)
    assert not hasattr(caught.value, "__notes__")
    assert not os.listdir(tmp_path)


def test_nothing_is_thrown_away_unasked(clip: Path, upscale: Upscale, tmp_path: Path) -> None:
    output = tmp_path / "o.mp4"
    with pytest.raises(Cut):
        upscale(clip, output, 60)
    for settings in ({}, {"overwrite": True}):
        with pytest.raises(OutputError, match=r"48 frames .* --resume goes on .* --no-resume throws") as caught:
            upscale(clip, output, **settings)
        assert _finished(output) == 3
    assert caught.value.exit_code == 4
    assert upscale(clip, output, resume=False).frames_reused == 0
    assert os.listdir(tmp_path) == [output.name]


def test_frames_of_before_are_told_apart(clip: Path, upscale: Upscale, nearest_x2: Path, tmp_path: Path) -> None:
    """They are no measure of the speed."""
    output, new, old = tmp_path / "o.mp4", list[int](), list[int]()
    with pytest.raises(Cut):
        upscale(clip, output, 60)
    settings = Settings(weights=nearest_x2, device="cpu", engine="torch", segment_frames=SEGMENT, resume=True)
    summary = run(prepare(clip, str(output), settings), new.append, on_reused=old.append)
    assert summary.frames_reused == len(old) == 3 * SEGMENT
    assert old + new == list(range(1, FRAMES + 1))


def test_sound_may_change(clip: Path, upscale: Upscale, tmp_path: Path) -> None:
    """Finished segments hold pictures alone."""
    with pytest.raises(Cut):
        upscale(clip, tmp_path / "o.mp4", 60, frames=None)
    assert upscale(clip, tmp_path / "o.mp4", resume=True, audio="none").frames_reused == 3 * SEGMENT


def test_nothing_to_go_on_with(clip: Path, upscale: Upscale, tmp_path: Path) -> None:
    """Whoever always says --resume gets a plain run."""
    assert upscale(clip, tmp_path / "o.mp4", resume=True).frames_reused == 0


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"crf": 30}, r"encoder's crf \(was 18, is 30\)"),
        ({"encoder_preset": "fast"}, r"encoder's preset \(was medium, is fast\)"),
        ({"frames": 100}, r"frames \(was None, is 100\)"),
        ({"segment_frames": 20}, r"segment_frames \(was 16, is 20\)"),
        ({"scale": 3}, r"width \(was 192, is 288\)"),
        ({"engine": "torch"}, r"engine \(was openvino .*, is torch\)"),
    ],
)
@pytest.mark.fault(60)
def test_fault_60_other_settings_are_refused(
    clip: Path, upscale: Upscale, tmp_path: Path, settings: dict[str, object], words: str
) -> None:
    output = tmp_path / "o.mp4"
    with pytest.raises(Cut):
        upscale(clip, output, 40, frames=None, engine="openvino")
    with pytest.raises(UsageError, match=words):
        upscale(clip, output, resume=True, **{"engine": "openvino"} | settings)
    assert _finished(output) == 2
    assert upscale(clip, output, resume=True, engine="openvino", strict=True).frames_reused == 2 * SEGMENT


@pytest.mark.fault(60)
def test_fault_60_another_network_is_refused(clip: Path, upscale: Upscale, nearest_x2: Path, tmp_path: Path) -> None:
    """By its content: the file's name stays."""
    from safetensors.torch import load_file, save_file

    weights, output = tmp_path / "w.safetensors", tmp_path / "o.mp4"
    shutil.copy(nearest_x2, weights)
    with pytest.raises(Cut):
        upscale(clip, output, 40, weights=weights)
    state = load_file(weights)
    state["upsampler.0.bias"] += 0.1
    save_file(state, weights, {"pixel_range": "1.0"})
    with pytest.raises(UsageError, match="weights"):
        upscale(clip, output, resume=True, weights=weights)
    shutil.copy(nearest_x2, tmp_path / "other name.safetensors")
    assert upscale(clip, output, resume=True, weights=tmp_path / "other name.safetensors").frames_reused == 32


@pytest.mark.fault(60)
def test_fault_60_another_input_is_refused(clip: Path, upscale: Upscale, tmp_path: Path) -> None:
    """One byte in the middle, the size and the date as they were."""
    source, output = tmp_path / "in.mp4", tmp_path / "o.mp4"
    shutil.copy2(clip, source)
    with pytest.raises(Cut):
        upscale(source, output, 40)
    data = bytearray(source.read_bytes())
    data[len(data) // 2] ^= 1
    source.write_bytes(data)
    shutil.copystat(clip, source)
    with pytest.raises(InputError, match="input"):
        upscale(source, output, resume=True)
    assert _finished(output) == 2


@pytest.mark.fault(60)
def test_fault_60_a_damaged_segment_is_made_again(ffmpeg: FFmpeg, clip: Path, upscale: Upscale, tmp_path: Path) -> None:
    """As a power failure may leave one: a flipped bit, a shorter file, none at all."""
    whole, output = tmp_path / "whole.mp4", tmp_path / "o.mp4"
    upscale(clip, whole)

    def flip(path: Path) -> None:
        data = bytearray(path.read_bytes())
        data[200] ^= 1
        path.write_bytes(data)

    for damage in (flip, lambda path: os.truncate(path, 100), Path.unlink):
        output.unlink(missing_ok=True)
        with pytest.raises(Cut):
            upscale(clip, output, 60)
        damage(sorted(work_folder(output).glob("*.packets"))[1])
        assert upscale(clip, output, resume=True).frames_reused == SEGMENT
        assert _pictures(ffmpeg, output) == _pictures(ffmpeg, whole)


def test_a_journal_that_cannot_be_read(clip: Path, upscale: Upscale, tmp_path: Path) -> None:
    output = tmp_path / "o.mp4"
    for content in (b"{", b"[]", b'{"form": 99}', b'{"form": 1, "job": {}, "segments": [{}]}'):
        work_folder(output).mkdir()
        (work_folder(output) / "journal.json").write_bytes(content)
        with pytest.raises(OutputError, match="--no-resume"):
            upscale(clip, output, resume=True)
        assert (work_folder(output) / "journal.json").read_bytes() == content
        upscale(clip, output, resume=False, frames=5)
        assert os.listdir(tmp_path) == [output.name]
        output.unlink()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one and a half megabytes."""
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1500k", "tmpfs", folder], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("no file system can be mounted here: only root may; a full disk was NOT tried")
    yield folder
    subprocess.run(["umount", folder], check=True)


@pytest.mark.fault(56)
def test_fault_56_full_disk(ffmpeg: FFmpeg, clip: Path, upscale: Upscale, small_disk: Path, tmp_path: Path) -> None:
    """Said so, nothing half is left, and what is finished is of use when there is room."""
    whole, output, settings = tmp_path / "whole.mkv", small_disk / "o.mkv", {"encoder": "ffv1"}
    upscale(clip, whole, **settings)
    with pytest.raises(OutputError, match="No space left") as caught:
        upscale(clip, output, **settings)
    assert caught.value.exit_code == 4
    assert "--resume" in caught.value.__notes__[0]
    assert _finished(output) >= 1
    assert all(path.suffix in (".packets", ".json", "") for path in work_folder(output).iterdir())
    with pytest.raises(OutputError, match="No space left"):
        upscale(clip, output, resume=True, **settings)
    subprocess.run(["mount", "-o", "remount,size=50m", small_disk], check=True)
    assert upscale(clip, output, resume=True, **settings).frames_reused >= SEGMENT
    assert _pictures(ffmpeg, output) == _pictures(ffmpeg, whole)
    assert os.listdir(small_disk) == [output.name]


def _words(source: Path, output: Path, weights: Path, *more: str) -> list[str | Path]:
    settings = ["--segment-frames", str(SEGMENT), "--device", "cpu", "--engine", "torch", "--json"]
    return [source, "-o", output, "-w", weights, *settings, *more]


def _command(source: Path, output: Path, weights: Path, *more: str) -> list[str | Path]:
    return [sys.executable, "-m", "rfdn_video", *_words(source, output, weights, *more)]


@pytest.fixture
def finish(command_line: Callable[..., subprocess.CompletedProcess[str]], nearest_x2: Path) -> Finish:
    """Does a job to its end by the command; gives its summary."""

    def run(source: Path, output: Path, *more: str) -> dict[str, Any]:
        done = command_line(*_words(source, output, nearest_x2, *more))
        assert done.returncode == 0, done.stderr
        summary: dict[str, Any] = json.loads(done.stdout)
        return summary

    return run


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.fault(59)
def test_fault_59_a_signal_keeps_what_is_finished(
    clip: Path, finish: Finish, nearest_x2: Path, tmp_path: Path, number: signal.Signals, code: int
) -> None:
    output = tmp_path / "o.mp4"
    with subprocess.Popen(_command(clip, output, nearest_x2), stderr=subprocess.PIPE, text=True) as process:
        while not _finished(output) and process.poll() is None:
            time.sleep(0.005)
        process.send_signal(number)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == code
    assert "interrupted" in errors
    assert "--resume goes on with them" in errors
    assert len(errors.splitlines()) == 1
    assert not output.exists()
    assert finish(clip, output, "--resume")["frames_reused"] >= SEGMENT
    assert os.listdir(tmp_path) == [output.name]


HANGING = """
import sys, threading
from rfdn_video.cli.main import main
from rfdn_video.media.encoding.{module} import {owner}

whole, count = {owner}.{method}, iter(range(10_000))

def hangs(self, *arguments):
    if next(count) >= 60:
        print("hangs", flush=True)
        threading.Event().wait()  # for ever
    return whole(self, *arguments)

{owner}.{method} = hangs
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.parametrize(
    ("number", "module", "owner", "method", "options"),
    [
        (signal.SIGINT, "video_encoder", "LibavEncoder", "encode", []),
        (signal.SIGTERM, "ffmpeg_process", "FFmpegProcess", "feed", ["--encoder-backend", "ffmpeg"]),
    ],
)
@pytest.mark.fault(59)
def test_fault_59_the_second_signal_ends_what_does_not_stop(
    clip: Path,
    finish: Finish,
    nearest_x2: Path,
    tmp_path: Path,
    number: int,
    module: str,
    owner: str,
    method: str,
    options: list[str],
) -> None:
    """Even an encoder that never answers. Nothing holds the target, and what is finished is gone on with."""
    output, elsewhere = tmp_path / "o.mp4", tmp_path / "elsewhere"
    elsewhere.mkdir()
    script = HANGING.format(module=module, owner=owner, method=method)
    command = [sys.executable, "-c", script, *_words(clip, output, nearest_x2, *options)]
    environment = os.environ | {"TMPDIR": str(elsewhere)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"hangs\n"
        children = _children(process.pid)
        process.send_signal(number)
        while _caught(process.pid, number):
            time.sleep(0.005)
        assert process.poll() is None
        process.send_signal(number)
        process.communicate(timeout=60)
    assert process.returncode == -number  # a shell says 130 or 143
    with WorkFolder(output) as work:
        work.keep_all()
    assert not os.listdir(elsewhere)
    assert not output.exists()
    _gone(children)
    assert finish(clip, output, "--resume", *options)["frames_reused"] >= SEGMENT
    assert sorted(os.listdir(tmp_path)) == ["elsewhere", "o.mp4"]


def _caught(pid: int, number: int) -> bool:
    """Whether the process still has a handler for the signal: the first one takes it away."""
    status = Path(f"/proc/{pid}/status").read_text()
    return bool(int(status.split("SigCgt:")[1].split()[0], 16) >> (number - 1) & 1)


def _children(pid: int) -> list[Path]:
    """Of a process, and theirs."""
    direct = [Path("/proc", number) for number in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return direct + [below for child in direct for below in _children(int(child.name))]


def _gone(processes: list[Path]) -> None:
    """They end by themselves, for whom they served is no more."""
    patience = time.monotonic() + 60
    while any(path.exists() for path in processes):
        assert time.monotonic() < patience
        time.sleep(0.05)


@pytest.mark.fault(62)
def test_fault_62_a_second_job_on_one_target(
    command_line: Callable[..., subprocess.CompletedProcess[str]], clip: Path, nearest_x2: Path, tmp_path: Path
) -> None:
    output = tmp_path / "o.mp4"
    with subprocess.Popen(_command(clip, output, nearest_x2), stdout=subprocess.PIPE) as first:
        while not work_folder(output).joinpath("draft.mp4").exists() and first.poll() is None:
            time.sleep(0.005)
        first.send_signal(signal.SIGSTOP)
        second = command_line(*_words(clip, output, nearest_x2))
        first.send_signal(signal.SIGCONT)
        first.communicate(timeout=60)
    assert second.returncode == 4
    assert "another job is writing it" in second.stderr
    assert first.returncode == 0
    assert os.listdir(tmp_path) == [output.name]


@pytest.mark.parametrize("kills", [4, pytest.param(50, marks=pytest.mark.slow)])
@pytest.mark.fault(60)
def test_fault_60_killed_at_random_moments(
    ffmpeg: FFmpeg, clip: Path, finish: Finish, nearest_x2: Path, tmp_path: Path, kills: int
) -> None:
    """Again and again, each time gone on with; a job that ends in time begins anew."""
    whole, output = tmp_path / "whole.mp4", tmp_path / "o.mp4"
    random_ = random.Random(kills)  # noqa: S311 (no secret)
    before = _state(clip)
    finish(clip, whole)
    expected, killed = _pictures(ffmpeg, whole), 0
    while killed < kills:
        finished = _finished(output)
        with subprocess.Popen(_command(clip, output, nearest_x2, "--resume"), stdout=subprocess.PIPE) as process:
            while not work_folder(output).joinpath("draft.mp4").exists() and process.poll() is None:
                time.sleep(0.002)
            time.sleep(random_.uniform(0, 0.8))
            process.kill()
            printed, _ = process.communicate()
        if process.returncode == -signal.SIGKILL and not output.exists():
            killed += 1
            assert _finished(output) >= finished
        else:
            assert _pictures(ffmpeg, output) == expected
            assert not printed or json.loads(printed)["frames_reused"] >= finished * SEGMENT
            output.unlink()
    finished = _finished(output)
    assert finish(clip, output, "--resume")["frames_reused"] >= finished * SEGMENT
    assert _pictures(ffmpeg, output) == expected
    assert _state(clip) == before
    assert sorted(os.listdir(tmp_path)) == ["o.mp4", "whole.mp4"]


def _state(path: Path) -> tuple[str, int]:
    return hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_mtime_ns


CRASHING = """
import os, signal, sys
from rfdn_video.cli.main import main
from rfdn_video.media.reading.decode import Decoder
given = Decoder._frame
def crash(self, picture, pts, duration):
    if pts >= {pts}:
        os.kill(os.getpid(), signal.SIGSEGV)
    return given(self, picture, pts, duration)
Decoder._frame = crash
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.fault(60)
def test_fault_60_a_decoder_that_crashes(
    ffmpeg: FFmpeg, clip: Path, finish: Finish, nearest_x2: Path, tmp_path: Path
) -> None:
    """In mid-file, in the job's own process: a shell sees the signal, nothing half has the name, the rest is kept."""
    output, whole, time_base = tmp_path / "o.mp4", tmp_path / "whole.mp4", 12800
    arguments = _words(clip, output, nearest_x2)
    late = CRASHING.format(pts=90 * time_base // 25)
    crashed = subprocess.run([sys.executable, "-c", late, *arguments], capture_output=True, check=False)
    assert crashed.returncode == -signal.SIGSEGV
    assert not output.exists()
    assert _finished(output) >= 1
    assert finish(clip, output, "--resume")["frames_reused"] >= SEGMENT
    finish(clip, whole)
    assert _pictures(ffmpeg, output) == _pictures(ffmpeg, whole)
    assert sorted(os.listdir(tmp_path)) == ["o.mp4", "whole.mp4"]
