"""Interlaced sources: refused with the remedy, or made whole exactly as the ffmpeg command line's bwdif does."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import ffmpeg as ffmpeg_python
import numpy as np
import pytest

from rfdn_video import probe
from rfdn_video.errors import InputError
from tests.oracle import look, luma

type CommandLine = Callable[..., subprocess.CompletedProcess[str]]
type FFmpeg = Callable[..., bytes]

SIZE = (96, 64)
COUNT = 15


@pytest.fixture(scope="module", params=["tff", "bff"])
def interlaced(request: pytest.FixtureRequest, ffmpeg: FFmpeg, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A moving pattern of 50 fields a second in 25 frames, lossless, with sound."""
    path = tmp_path_factory.mktemp("interlaced") / f"{request.param}.mkv"
    top = request.param == "tff"
    weave = f"tinterlace=mode={'interleave_top' if top else 'interleave_bottom'}"
    flags = f"setfield={request.param}"
    video = f"-f lavfi -i testsrc2=size={SIZE[0]}x{SIZE[1]}:rate=50 -f lavfi -i sine=440:duration=0.6"
    codec = f"-c:v libx264 -qp 0 -x264-params {request.param}=1 -pix_fmt yuv420p -c:a pcm_s16le"
    ffmpeg(*video.split(), "-vf", f"{weave},{flags}", "-frames:v", str(COUNT), *codec.split(), path)
    return path


@pytest.mark.fault(42)
@pytest.mark.parametrize("mode", ["frame", "field"])
def test_as_the_command_line_does(
    command_line: CommandLine, interlaced: Path, nearest_x2: Path, tmp_path: Path, mode: str
) -> None:
    output = tmp_path / "out.mkv"
    arguments = ["--deinterlace", mode] if mode == "field" else ["--deinterlace"]
    done = command_line(interlaced, "-o", output, "--encoder", "ffv1", "-w", nearest_x2, *arguments)
    assert done.returncode == 0, done.stderr

    count = COUNT * (2 if mode == "field" else 1)
    times = look(output).times
    assert len(times) == count
    assert all(abs(b - a - Fraction(COUNT, 25 * count)) <= Fraction(1, 1000) for a, b in pairwise(times))
    assert abs(times[0] - look(interlaced).times[0]) <= Fraction(1, 1000)
    stream = ffmpeg_python.probe(str(output), select_streams="v")["streams"][0]
    assert stream.get("field_order", "progressive") == "progressive"
    assert Fraction(stream["avg_frame_rate"]) == pytest.approx(25 * count // COUNT, abs=0.1)

    wanted = luma(interlaced, count, SIZE, ("bwdif", f"send_{mode}", "auto", "all"))
    got = luma(output, count, (2 * SIZE[0], 2 * SIZE[1]))[:, ::2, ::2]
    assert np.abs(got.astype(int) - wanted).max() <= 1
    assert look(output).audio[0][1] == look(interlaced).audio[0][1]


@pytest.fixture(scope="module", params=["mkv", "ts"])
def late(request: pytest.FixtureRequest, ffmpeg: FFmpeg, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """12 whole pictures, 15 interlaced ones, 12 whole ones again; all say what they are."""
    folder = tmp_path_factory.mktemp("late")
    codec = ["-c:v", "libx264", "-qp", "0", "-bf", "0", "-pix_fmt", "yuv420p"]
    whole, woven = f"testsrc2=size={SIZE[0]}x{SIZE[1]}:rate=25", f"testsrc2=size={SIZE[0]}x{SIZE[1]}:rate=50"
    ffmpeg("-f", "lavfi", "-i", whole, "-frames:v", "12", *codec, folder / "whole.ts")
    weave = "tinterlace=mode=interleave_top,setfield=tff"
    flags = ("-x264-params", "tff=1")
    ffmpeg("-f", "lavfi", "-i", woven, "-vf", weave, "-frames:v", str(COUNT), *codec, *flags, folder / "woven.ts")
    path = folder / f"late.{request.param}"
    parts = "|".join(str(folder / name) for name in ("whole.ts", "woven.ts", "whole.ts"))
    ffmpeg("-i", f"concat:{parts}", "-c", "copy", path)
    return path


@pytest.mark.fault(42)
@pytest.mark.parametrize("mode", ["frame", "field"])
def test_those_among_whole_ones(
    command_line: CommandLine, late: Path, nearest_x2: Path, tmp_path: Path, mode: str
) -> None:
    """Each picture says for itself whether it is interlaced; whole ones stay as they are."""
    output = tmp_path / "out.mkv"
    done = command_line(late, "-o", output, "--encoder", "ffv1", "-w", nearest_x2, "--deinterlace", mode)
    assert done.returncode == 0, done.stderr
    assert "interlaced" not in done.stderr

    count = 24 + COUNT * (2 if mode == "field" else 1)
    wanted = luma(late, count, SIZE, ("bwdif", f"send_{mode}", "auto", "interlaced"))
    assert len(wanted) == count
    got = luma(output, count, (2 * SIZE[0], 2 * SIZE[1]))[:, ::2, ::2]
    assert np.abs(got.astype(int) - wanted).max() <= 1
    steps = [b - a for a, b in pairwise(look(output).times)]
    usual = [Fraction(1, 25)] * 12 + [Fraction(1, 50 if mode == "field" else 25)] * (count - 24)
    assert all(abs(step - wanted) <= Fraction(1, 1000) for step, wanted in zip(steps, usual, strict=False))


def test_those_in_the_midst_are_found(late: Path) -> None:
    """Where one can look there without reading all that comes before."""
    if late.suffix == ".ts":
        assert not probe(late).video.interlaced
    else:
        with pytest.raises(InputError, match="--deinterlace"):
            probe(late)


@pytest.mark.parametrize("mode", ["frame", "field"])
def test_a_part(command_line: CommandLine, interlaced: Path, nearest_x2: Path, tmp_path: Path, mode: str) -> None:
    output = tmp_path / "part.mp4"
    part = ["--start", "0.2", "--end", "0.4", "--deinterlace", mode]
    done = command_line(interlaced, "-o", output, "-w", nearest_x2, *part)
    assert done.returncode == 0, done.stderr
    assert len(look(output).times) == (10 if mode == "field" else 5)


@pytest.mark.fault(42)
def test_refused_unless_told(command_line: CommandLine, interlaced: Path, nearest_x2: Path, tmp_path: Path) -> None:
    done = command_line(interlaced, "-o", tmp_path, "-w", nearest_x2)
    assert done.returncode == 3
    assert "--deinterlace" in done.stderr
    assert not list(tmp_path.iterdir())


def test_nothing_to_do_is_said(command_line: CommandLine, ffmpeg: FFmpeg, nearest_x2: Path, tmp_path: Path) -> None:
    source = tmp_path / "whole.mkv"
    ffmpeg("-f", "lavfi", "-i", "testsrc2=s=64x48:r=25:d=0.2", "-c:v", "ffv1", source)
    arguments = [source, "-o", tmp_path / "o.mkv", "-w", nearest_x2, "--dry-run"]
    said = "not marked as interlaced: --deinterlace changes only pictures further on that are"
    assert said in command_line(*arguments, "--deinterlace").stdout
    assert said not in command_line(*arguments).stdout


def test_a_script_is_refused(command_line: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "s.vpy").write_text("import vapoursynth")
    done = command_line(tmp_path / "s.vpy", "-o", tmp_path / "o.mkv", "--deinterlace")
    assert done.returncode == 2
    assert "a script deinterlaces by itself" in done.stderr


@pytest.mark.parametrize("pix_fmt", ["yuv444p", "yuv420p"])
def test_from_which_size_on(ffmpeg: FFmpeg, tmp_path: Path, pix_fmt: str) -> None:
    """Exactly where FFmpeg's filter does not refuse."""
    subsampled, taken = pix_fmt == "yuv420p", set()
    for size in ((2, 16), (3, 16), (4, 16), (5, 16), (16, 2), (16, 3), (16, 4), (16, 6), (16, 7)):
        path = tmp_path / f"{size[0]}x{size[1]}.mkv"
        video = f"-f lavfi -i testsrc2=s=64x64:r=25 -frames:v 2 -vf scale={size[0]}:{size[1]},setfield=tff"
        ffmpeg(*video.split(), "-c:v", "ffv1", "-pix_fmt", pix_fmt, path)
        try:
            ffmpeg("-i", path, "-vf", "bwdif", "-f", "null", "-")
        except subprocess.CalledProcessError:
            with pytest.raises(InputError, match="too small to be deinterlaced"):
                probe(path, deinterlace="frame")
        else:
            taken.add(size)
            assert probe(path, deinterlace="frame").video.bwdif is not None
    assert taken == ({(5, 16), (16, 7)} if subsampled else {(3, 16), (4, 16), (5, 16), (16, 4), (16, 6), (16, 7)})


def test_the_remedy_for_small_ones_works(
    command_line: CommandLine, ffmpeg: FFmpeg, nearest_x2: Path, tmp_path: Path
) -> None:
    source, fields = tmp_path / "in.mkv", tmp_path / "fields.mkv"
    video = "-f lavfi -i testsrc2=s=16x2:r=25 -frames:v 2 -vf setfield=tff -c:v ffv1"
    ffmpeg(*video.split(), source)
    done = command_line(source, "--deinterlace", "-o", tmp_path / "o.mkv", "-w", nearest_x2)
    assert done.returncode == 3
    (said,) = done.stderr.splitlines()
    words = said[said.index("ffmpeg ") :].split()[1:]
    ffmpeg(*({"IN": source, "OUT.mkv": fields}.get(word, word) for word in words))
    done = command_line(fields, "-o", tmp_path / "o.mkv", "-w", nearest_x2)
    assert done.returncode == 0, done.stderr
    assert len(look(tmp_path / "o.mkv").times) == 4


@pytest.mark.parametrize(("pix_fmt", "taken"), [("gray10le", False), ("gray16le", True), ("yuv444p12le", True)])
def test_what_the_filter_would_have_converted(ffmpeg: FFmpeg, tmp_path: Path, pix_fmt: str, taken: bool) -> None:
    """Gray of 10 bit would go through RGB, and come back up to 3 code values off."""
    source = tmp_path / "in.mkv"
    video = "-f lavfi -i testsrc2=s=64x48:r=25 -frames:v 2 -vf setfield=tff -c:v ffv1"
    ffmpeg(*video.split(), "-pix_fmt", pix_fmt, source)
    if taken:
        assert probe(source, deinterlace="frame").video.bwdif is not None
    else:
        with pytest.raises(InputError, match=r"does not take gray10le as it is.*-pix_fmt gray16le"):
            probe(source, deinterlace="frame")
