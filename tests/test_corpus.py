"""The program that tries a folder of files finds what is wrong with one, and nothing where nothing is."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path


def test_a_good_file_a_bad_one_and_a_program_that_loses_pictures(ffmpeg: Callable[..., bytes], tmp_path: Path) -> None:
    def try_all(*options: str) -> subprocess.CompletedProcess[str]:
        # It forks, so it must not be where other tests have begun threads.
        command = [sys.executable, "-m", "tests.corpus", str(tmp_path), *options]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    sound = ("-f", "lavfi", "-i", "sine=duration=0.4", "-c:a", "aac")
    ffmpeg("-f", "lavfi", "-i", "testsrc2=size=32x24:rate=10:d=0.4", *sound, "-c:v", "mpeg4", tmp_path / "good.mp4")
    (tmp_path / "bad.mkv").write_text("words")
    done = try_all()
    assert done.returncode == 0, done.stdout
    assert "2 files, 0 failures; exit codes {0: 1, 3: 1}" in done.stdout
    done = try_all("--start", "0.2")
    assert done.returncode == 1
    assert "good.mp4: 2 pictures of 4" in done.stdout
