"""How strongly a source was compressed is read from its bitstream."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from rfdn_video import probe

type FFmpeg = Callable[..., bytes]

CLIP = "testsrc2=size=160x128:rate=25"
SAME_FOR_ALL = ["-c:v", "libx264", "-x264-params", "ipratio=1:pbratio=1"]  # kinds of pictures


def made(ffmpeg: FFmpeg, path: Path, *options: str) -> float | None:
    ffmpeg("-f", "lavfi", "-i", CLIP, "-frames:v", "50", *options, path)
    return probe(path).video.qp


@pytest.mark.parametrize(
    ("pix_fmt", "asked", "qp"), [("yuv420p", 20, 20), ("yuv420p", 35, 35), ("yuv420p10le", 32, 20)]
)
@pytest.mark.parametrize("suffix", [".mp4", ".ts"])  # of the latter only the beginning is looked at
def test_a_constant_quantiser(ffmpeg: FFmpeg, tmp_path: Path, pix_fmt: str, asked: int, qp: int, suffix: str) -> None:
    """x264 counts from the depth's lowest: of 10 bit, 32 is what 20 is of 8."""
    found = made(ffmpeg, tmp_path / f"a{suffix}", *SAME_FOR_ALL, "-qp", str(asked), "-pix_fmt", pix_fmt)
    assert found == qp


@pytest.mark.parametrize("crf", ["18", "33"])
def test_another_one_for_each_block(tmp_path: Path, crf: str) -> None:
    """CRF with adaptive quantisation, against what x264 tells of every kind of picture when it is done."""
    program = shutil.which("ffmpeg")
    if program is None:
        pytest.skip("the ffmpeg command line is absent; it is the oracle of this test")
    path, options = tmp_path / "a.mp4", ["-frames:v", "12", "-pix_fmt", "yuv420p", "-c:v", "libx264", "-crf"]
    command = [program, "-nostdin", "-f", "lavfi", "-i", CLIP, *options, crf, path]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stderr
    kinds = [(int(count), float(qp)) for count, qp in re.findall(r"frame [IPB]:(\d+) +Avg QP: *([\d.]+)", told)]
    assert sum(count for count, _ in kinds) == 12
    assert probe(path).video.qp == pytest.approx(sum(count * qp for count, qp in kinds) / 12, abs=0.02)


@pytest.mark.parametrize("codec", ["libx265", "mpeg2video", "ffv1"])
def test_codecs_that_do_not_say(ffmpeg: FFmpeg, tmp_path: Path, codec: str) -> None:
    assert made(ffmpeg, tmp_path / "a.mkv", "-c:v", codec, "-pix_fmt", "yuv420p") is None
