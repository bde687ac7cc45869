"""What a person sees on a terminal while a batch works."""

from __future__ import annotations

import io
import sys
from contextlib import closing
from pathlib import Path

import pytest

from rfdn_video.batch.ledger import Ledger
from rfdn_video.batch.owner import Event
from rfdn_video.batch.sources import Source
from rfdn_video.cli.batch_report import Report
from rfdn_video.cli.main import main
from rfdn_video.stamp import Stamp


class Terminal(io.StringIO):
    """Standard error, as tqdm takes it for one."""

    def isatty(self) -> bool:
        return True


def test_the_bar_tells_files_failures_and_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    with closing(Ledger(tmp_path, create=True)) as ledger:
        run = ledger.begin_run(1)
        entries = [
            ledger.queue(Source(tmp_path / name, Path(), "a"), "settings", "a", Stamp(100, 1), run)
            for name in ("a.mp4", "b.mp4")
        ]
        ledger.start(entries[0], 0, "cpu")
        ledger.fail(entries[0].id, 3, "no", None)
        ledger.start(entries[1], 0, "cpu")
        ledger.advance(entries[1].id, 50, 100, 5.0)
        with closing(Report(ledger, as_json=False, verbose=False)) as report:
            report.take(Event("progress", ledger.get(entries[1].id)))
    bars = [line.strip() for line in terminal.getvalue().split("\r") if "files" in line]
    assert bars[-1].startswith("75%|")
    assert bars[-1].endswith("| 0 of 2 files, 1 failed, 0:00 left")


@pytest.mark.parametrize("more", [["--dry-run"], []])
def test_that_no_file_fits_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str], more: list[str]) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "film.mp4").touch()
    words = ["batch", str(tmp_path / "in"), "-o", str(tmp_path / "out"), "--include", "*.txt"]
    assert main([*words, *more]) == 0
    assert capsys.readouterr().err.startswith(
        "rfdn-video: warning: no file is taken: none in the folders fits --include"
    )
