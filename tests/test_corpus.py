"""The program that tries a folder of files finds what is wrong with one, and nothing where nothing is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests import corpus


def test_a_good_file_a_bad_one_and_a_program_that_loses_pictures(
    ffmpeg: Callable[..., bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    sound = ("-f", "lavfi", "-i", "sine=duration=0.4", "-c:a", "aac")
    ffmpeg("-f", "lavfi", "-i", "testsrc2=size=32x24:rate=10:d=0.4", *sound, "-c:v", "mpeg4", tmp_path / "good.mp4")
    (tmp_path / "bad.mkv").write_text("words")
    monkeypatch.setattr("sys.argv", ["corpus", str(tmp_path)])
    assert corpus.main() == 0
    assert "2 files, 0 failures; exit codes {0: 1, 3: 1}" in capsys.readouterr().out
    monkeypatch.setattr("sys.argv", ["corpus", str(tmp_path), "--start", "0.2"])
    assert corpus.main() == 1
    assert "good.mp4: 2 pictures of 4" in capsys.readouterr().out
