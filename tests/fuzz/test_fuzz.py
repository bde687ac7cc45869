"""A short run of the fuzzer, always of the same cases; ``make fuzz`` runs others, for longer."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.fault(7)
@pytest.mark.usefixtures("ffmpeg")
def test_nothing_bad_comes_of_harmed_files(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.fuzz", "--seed", "short", "--count", "40", "--seconds", "600"]
    done = subprocess.run(
        [*command, "--save", str(tmp_path / "failures")],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "40 cases, 0 failures" in done.stdout
