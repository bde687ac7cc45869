"""What the tests of the VapourSynth face share."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

SCRIPT_HEAD = f"""
import sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
import vapoursynth as vs
from noise import noise_clip
core = vs.core
"""


@pytest.fixture(autouse=True)
def core() -> Iterator[object]:
    """VapourSynth with four threads, and no network left over from another test."""
    vs = pytest.importorskip("vapoursynth", reason="needs VapourSynth: pip install 'rfdn-video[vapoursynth]'")
    from vsrfdn import filter as vsrfdn_filter

    before = vs.core.num_threads
    vs.core.num_threads = 4
    vsrfdn_filter._open_file.cache_clear()
    yield vs.core
    vs.core.num_threads = before


@pytest.fixture(scope="session")
def vs_environment() -> dict[str, str]:
    """Environment variables with the programs of this Python on PATH, as an activated environment has them."""
    return os.environ | {"PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])}


@pytest.fixture
def vspipe(tmp_path: Path, vs_environment: dict[str, str]) -> Callable[..., subprocess.CompletedProcess[bytes]]:
    """Runs lines of a script, or a script that is a file, through vspipe as a user does."""
    program = shutil.which("vspipe", path=vs_environment["PATH"])
    if program is None:
        pytest.fail("VapourSynth is importable, but its vspipe is not there")

    def run(lines: str | Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
        script = lines if isinstance(lines, Path) else tmp_path / "script.vpy"
        if isinstance(lines, str):
            script.write_text(f"{SCRIPT_HEAD}from vsrfdn import rfdn\n{lines}\n", encoding="utf-8")
        return subprocess.run([program, *arguments, str(script), "-"], env=vs_environment, capture_output=True)

    return run
