"""Nobody listens, or a name cannot be said: the work goes on (fault 61)."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from _pytest.mark import ParameterSet

from rfdn_video.cli.console import counted


@pytest.fixture
def source(shared: Path, tmp_path: Path) -> Path:
    path = tmp_path / "in.mp4"
    path.write_bytes((shared / "clips" / "h264-10bits.mp4").read_bytes())
    return path


def _reports() -> list[ParameterSet]:
    """Progress goes to the standard error and a summary to the standard output; what does not meet is slow."""
    meet = {
        "--progress json": ("2>&-", "2>&1 | true"),
        "--progress bar": (">&- 2>&-", "2>&1 >/dev/full"),
        "--json": (">&-", "| true", "2>&1 >/dev/full"),
    }
    redirections = ("2>&-", ">&-", ">&- 2>&-", "2>&1 | true", "| true", "2>&1 >/dev/full")
    return [
        pytest.param(report, redirection, marks=() if redirection in close else pytest.mark.slow)
        for report, close in meet.items()
        for redirection in redirections
    ]


@pytest.mark.fault(61)
@pytest.mark.parametrize(("report", "redirection"), _reports())
def test_goes_on_in_silence(source: Path, nearest_x2: Path, redirection: str, report: str) -> None:
    command = f"set -o pipefail; exec {sys.executable} -m rfdn_video in.mp4 -w {nearest_x2} --frames 9 {report}"
    done = subprocess.run(["bash", "-c", f"{command} {redirection}"], cwd=source.parent, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (source.parent / "in_x2.mp4").is_file()
    assert "Traceback" not in done.stderr


def test_a_pipe_that_breaks_under_the_video(source: Path, nearest_x2: Path) -> None:
    """There it is no report that nobody reads, but the result."""
    command = f"set -o pipefail; {sys.executable} -m rfdn_video in.mp4 -w {nearest_x2} -o - | true"
    done = subprocess.run(["bash", "-c", command], cwd=source.parent, capture_output=True, text=True)
    assert done.returncode == 4
    assert len(done.stderr.splitlines()) == 1


def test_no_standard_output_for_the_video(source: Path, nearest_x2: Path) -> None:
    command = f"{sys.executable} -m rfdn_video in.mp4 -w {nearest_x2} -o - >&-"
    done = subprocess.run(["bash", "-c", command], cwd=source.parent, capture_output=True, text=True)
    assert done.returncode == 4
    assert done.stderr == "rfdn-video: standard output is closed; give --output FILE\n"


def test_a_name_that_is_no_text(source: Path, nearest_x2: Path) -> None:
    name = os.fsencode(source.parent) + b"/\xff\xe4 x.mp4"
    os.rename(source, name)  # noqa: PTH104
    environment = os.environ | {"PYTHONIOENCODING": "ascii:strict", "PYTHONUTF8": "0"}
    command = [os.fsencode(sys.executable), b"-m", b"rfdn_video", name, b"-w", os.fsencode(nearest_x2)]
    done = subprocess.run(command, capture_output=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    assert b"\\udcff" in done.stdout
    assert Path(os.fsdecode(name.replace(b" x.mp4", b" x_x2.mp4"))).is_file()


def test_one_thing_is_no_plural() -> None:
    assert [counted(count, "frame") for count in (0, 1, 2)] == ["0 frames", "1 frame", "2 frames"]
