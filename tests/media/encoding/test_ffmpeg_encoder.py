"""Encoding by the ffmpeg program: timestamps stay exact, its end is our error, and no process is left."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from rfdn_video import upscale_video
from rfdn_video.errors import OutputError
from tests.oracle import look


@pytest.fixture
def clip(ffmpeg: Callable[..., bytes], tmp_path: Path) -> Path:
    """Twelve pictures at irregular times, with sound."""
    path = tmp_path / "vfr.mkv"
    picture = "testsrc2=size=48x40:rate=12:duration=1,settb=1/1000,setpts='83*N+N*N*7'"
    sound = ("-f", "lavfi", "-i", "sine=duration=1.5", "-c:a", "aac")
    ffmpeg("-f", "lavfi", "-i", picture, *sound, "-vsync", "passthrough", "-pix_fmt", "yuv420p", path)
    return path


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Puts a script before the real program; gives the file where it notes the process of each encoding."""

    def install(script: str) -> Path:
        folder, log = tmp_path / "bin", tmp_path / "processes"
        folder.mkdir()
        log.touch()
        real = shutil.which("ffmpeg")
        text = f'#!/bin/sh\ncase "$*" in *pipe:0*) ;; *) exec {real} "$@";; esac\necho $$ >> {log}\n{script}\n'
        (folder / "ffmpeg").write_text(text.replace("REAL", str(real)).replace("LOG", str(log)))
        (folder / "ffmpeg").chmod(0o755)
        monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
        return log

    return install


def processes_left(log: Path) -> list[int]:
    return [pid for pid in map(int, log.read_text().split()) if Path(f"/proc/{pid}").exists()]


@pytest.mark.parametrize(
    ("name", "encoder", "preset"),
    [
        ("o.mkv", "h264", "fast"),
        ("o.mp4", "h264", "medium"),
        ("o.mp4", "hevc", "fast"),
        ("o.mkv", "libaom-av1", "8"),
        ("o.mkv", "vp9", "8"),
        ("o.mp4", "av1", "10"),
    ],
)
def test_times_and_tags_are_exact(
    clip: Path, nearest_x2: Path, tmp_path: Path, name: str, encoder: str, preset: str
) -> None:
    output = tmp_path / name
    upscale_video(
        clip,
        output,
        weights=nearest_x2,
        encoder_backend="ffmpeg",
        encoder=encoder,
        encoder_preset=preset,
        verify="full",
    )
    before, after = look(clip), look(output)
    assert after.times == before.times
    assert len({b - a for a, b in pairwise(after.times)}) > 5  # it is irregular
    assert [data for _, data in after.audio] == [data for _, data in before.audio]
    assert (after.stream["width"], after.stream["height"]) == (96, 80)
    assert (after.tags["color_space"], after.tags["color_range"]) == ("smpte170m", "tv")


def test_the_program_is_missing(clip: Path, nearest_x2: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(OutputError, match="no ffmpeg program on the PATH"):
        upscale_video(clip, tmp_path / "o.mkv", weights=nearest_x2, encoder_backend="ffmpeg")


def test_an_encoder_is_missing(clip: Path, nearest_x2: Path, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"no video encoder 'libx266' in the ffmpeg program .*did you mean libx26"):
        upscale_video(clip, tmp_path / "o.mkv", weights=nearest_x2, encoder_backend="ffmpeg", encoder="libx266")


def test_it_refuses_at_once(clip: Path, nearest_x2: Path, tmp_path: Path, fake: Callable[[str], Path]) -> None:
    log = fake('echo "out of licences" >&2; exit 3')
    with pytest.raises(OutputError, match="the ffmpeg program with encoder libx264: out of licences; use"):
        upscale_video(clip, tmp_path / "o.mkv", weights=nearest_x2, encoder_backend="ffmpeg")
    assert len(log.read_text().split()) == 1
    assert not (tmp_path / "o.mkv").exists()


@pytest.mark.parametrize(
    ("encoder", "option"),
    [("h264", "x264-params=nosuch=1"), ("h264", "x264-params=keyint=abc"), ("av1", "svtav1-params=nosuch=1")],
)
def test_parameters_that_the_program_only_warns_of(
    clip: Path, nearest_x2: Path, tmp_path: Path, encoder: str, option: str
) -> None:
    _, parameter, _ = option.split("=")
    settings = {"weights": nearest_x2, "encoder_backend": "ffmpeg", "encoder": encoder, "encoder_options": [option]}
    with pytest.raises(OutputError, match=rf"does not take all of \w+-params: .*{parameter}.*; correct"):
        upscale_video(clip, tmp_path / "o.mkv", **settings)


def test_it_dies_on_the_way(clip: Path, nearest_x2: Path, tmp_path: Path, fake: Callable[[str], Path]) -> None:
    """The last run encodes the film; what went before were trials. It takes some pictures, then ends."""
    dies = 'head -c 60000 >/dev/null; echo "lost the device" >&2; exit 3'
    log = fake(f'if [ $(wc -l < LOG) -ge 5 ]; then {dies}; fi\nexec REAL "$@"')
    with pytest.raises(OutputError, match="lost the device"):
        upscale_video(clip, tmp_path / "o.mkv", weights=nearest_x2, encoder_backend="ffmpeg")
    assert sorted(path.name for path in tmp_path.iterdir() if path.suffix == ".mkv") == ["vfr.mkv"]
    assert processes_left(log) == []


def test_an_interrupt_leaves_no_process(
    clip: Path, nearest_x2: Path, tmp_path: Path, fake: Callable[[str], Path]
) -> None:
    def interrupt(count: int) -> None:
        if count == 5:
            raise KeyboardInterrupt

    log = fake('exec REAL "$@"')
    with pytest.raises(KeyboardInterrupt):
        upscale_video(clip, tmp_path / "o.mkv", on_frame=interrupt, weights=nearest_x2, encoder_backend="ffmpeg")
    assert log.read_text()
    assert processes_left(log) == []
    assert not (tmp_path / "o.mkv").exists()


@pytest.mark.parametrize("encoder", ["libvpx-vp9", "ffv1", "libxvid"])
def test_tags_that_the_program_does_not_hand_on(clip: Path, nearest_x2: Path, tmp_path: Path, encoder: str) -> None:
    """NUT holds no colour, and the bitstreams of these encoders none, or not all of it."""
    source = tmp_path / "tagged.mkv"
    tags = ("-color_primaries", "bt709", "-color_trc", "bt709", "-colorspace", "bt709", "-color_range", "tv")
    settings = {"weights": nearest_x2, "encoder_backend": "ffmpeg", "encoder": encoder}
    subprocess.run(["ffmpeg", "-v", "error", "-i", clip, "-vf", "setsar=4/3", *tags, source], check=True)
    upscale_video(source, tmp_path / "o.mkv", **settings)
    seen = look(tmp_path / "o.mkv")
    assert set(seen.tags.values()) == {"bt709", "tv"}
    assert seen.stream["sample_aspect_ratio"] == "4:3"


@pytest.mark.parametrize("option", ["y=1", "i=/dev/null", "vf=negate", "f=mp4", "vcodec=mpeg4", "colorspace=1", "t=1"])
def test_only_options_of_the_encoder_get_through(
    clip: Path, nearest_x2: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, option: str
) -> None:
    """The program's own would name files that it writes, or another encoder."""
    monkeypatch.chdir(tmp_path)
    settings = {"weights": nearest_x2, "encoder_backend": "ffmpeg", "encoder_options": [option]}
    with pytest.raises(OutputError, match=rf"does not know the option '{option.partition('=')[0]}'"):
        upscale_video(clip, tmp_path / "o.mkv", **settings)
    assert sorted(os.listdir(tmp_path)) == ["vfr.mkv"]


@pytest.mark.parametrize("silent", ["exec sleep 60", 'REAL "$@"; exec sleep 60'], ids=["from the start", "at the end"])
def test_silence_is_not_waited_for_without_end(
    clip: Path,
    nearest_x2: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    fake: Callable[[str], Path],
    silent: str,
) -> None:
    monkeypatch.setattr("rfdn_video.media.encoding.ffmpeg_process.PATIENCE", 2)
    log = fake(silent)
    with pytest.raises(OutputError, match="after 2 seconds without a sign of life; use --encoder"):
        upscale_video(clip, tmp_path / "o.mkv", weights=nearest_x2, encoder_backend="ffmpeg")
    assert processes_left(log) == []
    assert not (tmp_path / "o.mkv").exists()


def test_it_is_killed(clip: Path, nearest_x2: Path, tmp_path: Path, fake: Callable[[str], Path]) -> None:
    fake("kill -9 $$")
    with pytest.raises(OutputError, match="it was killed by signal 9"):
        upscale_video(clip, tmp_path / "o.mkv", weights=nearest_x2, encoder_backend="ffmpeg")


def test_it_is_too_old(clip: Path, nearest_x2: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "bin" / "ffmpeg"
    program.parent.mkdir()
    program.write_text('#!/bin/sh\necho "ffmpeg version 4.4.2 Copyright (c) 2000-2021"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent))
    with pytest.raises(OutputError, match=r"ffmpeg version 4\.4\.2 is too old; 5\.1 or later is needed"):
        upscale_video(clip, tmp_path / "o.mkv", weights=nearest_x2, encoder_backend="ffmpeg")
