"""PCM whose packets leave a gap or overlap: in MP4 and MOV, too, what follows is heard at its time."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from av.packet import Packet
from numpy.typing import NDArray

from rfdn_video.cli.main import main
from rfdn_video.media.muxing.steady_sound import SteadySound

type CommandLine = Callable[..., subprocess.CompletedProcess[str]]

RATE = 8000
CLICK = 2.5


def _source(ffmpeg: Callable[..., bytes], path: Path, codec: str, times: str = "", *more: str) -> Path:
    """Three seconds; a click at 2.5 s, and no packets from 0.5 to 1.5 s, or times of another kind."""
    inputs = ["-f", "lavfi", "-i", "testsrc2=size=48x32:rate=25:duration=3", "-f", "lavfi"]
    inputs += ["-i", f"aevalsrc='0.8*between(t,{CLICK},{CLICK}+0.01)':s={RATE}:d=3"]
    filters = "asetnsamples=400," + (times or r"aselect=not(between(t\,0.5\,1.499))")
    ffmpeg(*inputs, "-c:v", "mpeg4", "-af", filters, "-c:a", codec, *more, path)
    return path


def _heard(ffmpeg: Callable[..., bytes], path: Path) -> NDArray[np.int16]:
    """Samples one after the other, as players play what has no gaps."""
    return np.frombuffer(ffmpeg("-i", path, "-map", "0:a", "-f", "s16le", "-"), np.int16)


def _click(samples: NDArray[np.int16]) -> float:
    return float(np.flatnonzero(abs(samples.astype(int)) > 8000)[0] / RATE)


@pytest.mark.parametrize(
    ("codec", "name", "arguments"),
    [
        ("pcm_s16le", "out.mp4", []),
        ("pcm_s24le", "out.mov", []),
        ("pcm_u8", "out.mov", []),
        ("pcm_alaw", "out.mov", []),
        ("pcm_mulaw", "out.mov", []),
        ("flac", "out.mov", ["--audio", "pcm_s16le"]),
    ],
)
def test_a_gap_becomes_silence(
    command_line: CommandLine,
    ffmpeg: Callable[..., bytes],
    nearest_x2: Path,
    tmp_path: Path,
    codec: str,
    name: str,
    arguments: list[str],
) -> None:
    output = tmp_path / name
    done = command_line(
        _source(ffmpeg, tmp_path / "in.mkv", codec), "-o", output, "-w", nearest_x2, "--strict", *arguments
    )
    assert done.returncode == 0, done.stderr
    samples = _heard(ffmpeg, output)
    assert abs(len(samples) / RATE - 3) < 0.01
    assert abs(_click(samples) - CLICK) < 0.01
    assert abs(samples[: int(2.4 * RATE)]).max() <= 8  # A-law has no 0; its smallest value is 8


def test_a_gap_between_fragments(
    command_line: CommandLine, ffmpeg: Callable[..., bytes], nearest_x2: Path, tmp_path: Path
) -> None:
    """MP4 whose fragments say their times can have gaps."""
    source = _source(ffmpeg, tmp_path / "in.mov", "pcm_s16le", "", "-movflags", "frag_every_frame+empty_moov")
    assert _heard(ffmpeg, source).size == 2 * RATE
    done = command_line(source, "-o", tmp_path / "out.mov", "-w", nearest_x2)
    assert done.returncode == 0, done.stderr
    assert abs(_click(_heard(ffmpeg, tmp_path / "out.mov")) - CLICK) < 0.01


def test_what_overlaps_is_heard_once(
    command_line: CommandLine, ffmpeg: Callable[..., bytes], nearest_x2: Path, tmp_path: Path
) -> None:
    """All from 1.5 s on comes half a second earlier; that is counted; at 2 s is what belongs there."""
    source = _source(ffmpeg, tmp_path / "in.mkv", "pcm_s16le", r"asetpts=PTS-gte(T\,1.5)*0.5/TB")
    done = command_line(source, "-o", tmp_path / "out.mov", "-w", nearest_x2)
    assert done.returncode == 0, done.stderr
    assert "packets of sound or subtitles had" in done.stderr
    samples = _heard(ffmpeg, tmp_path / "out.mov")
    assert abs(len(samples) / RATE - 2.5) < 0.01
    assert abs(_click(samples) - (CLICK - 0.5)) < 0.01


def test_times_that_are_rounded_are_no_gaps(
    command_line: CommandLine, ffmpeg: Callable[..., bytes], nearest_x2: Path, tmp_path: Path
) -> None:
    """Matroska's milliseconds, and 5 ms more or less: not a sample is added or lost."""
    source = _source(ffmpeg, tmp_path / "in.mkv", "pcm_s16le", r"asetpts=PTS+(mod(N\,3)-1)*0.004/TB")
    done = command_line(source, "-o", tmp_path / "out.mov", "-w", nearest_x2, "--strict")
    assert done.returncode == 0, done.stderr
    assert np.array_equal(_heard(ffmpeg, tmp_path / "out.mov"), _heard(ffmpeg, source))


def test_a_gap_that_is_closed_is_not_called_checked(
    ffmpeg: Callable[..., bytes],
    nearest_x2: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def as_it_is(_: SteadySound, packet: Packet[Any]) -> Iterator[Packet[Any]]:
        yield packet

    monkeypatch.setattr(SteadySound, "placed", as_it_is)
    source = _source(ffmpeg, tmp_path / "in.mkv", "pcm_s16le")
    assert main([str(source), "-o", str(tmp_path / "out.mov"), "-w", str(nearest_x2), "--device", "cpu"]) == 7
    assert "audio stream 1 (pcm_s16le) ends 1.000 s early" in capsys.readouterr().err


def test_a_gap_of_hours_is_refused(
    command_line: CommandLine, ffmpeg: Callable[..., bytes], nearest_x2: Path, tmp_path: Path
) -> None:
    """A damaged time would fill the disk with silence."""
    source = _source(ffmpeg, tmp_path / "in.mkv", "pcm_s16le", r"asetpts=PTS+gte(T\,1.5)*7000/TB")
    done = command_line(source, "-o", tmp_path / "out.mov", "-w", nearest_x2)
    assert done.returncode == 4
    assert "has a gap of 7000 s" in done.stderr
    assert not (tmp_path / "out.mov").exists()
