"""What a training leaves to look at: what a crash left is taken up, and what cannot be written is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from rfdn_video.errors import OutputError
from rfdn_video.training import journal as journal_module
from rfdn_video.training.journal import Journal
from rfdn_video.training.train import Report

HEAD = "step,loss,lr,waiting,psnr_y\n"
ROWS = ["1,0.5,0.001,0.25,\n", "2,0.25,0.001,0.125,30.5\n", "3,0.125,0.001,0.0625,\n"]


def report(step: int, psnr: float | None = None) -> Report:
    return Report(step, 0.5, 0.001, 0.25, psnr)


def open_journal(folder: Path, first: int) -> Journal:
    return Journal(folder, first, plots=False, warn=pytest.fail)


@pytest.mark.parametrize("end", ["4,0.06", "4,0.06,0.001,0.5,31", "\0" * 40, "4,0.06\n", "\0" * 8 + "\n", "4,x,0,0,\n"])
def test_what_a_power_cut_left_is_taken_up_to_the_first_line_that_is_not_whole(end: str, tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text(HEAD + "".join(ROWS) + end)
    with open_journal(tmp_path, 9) as journal:
        journal.add(report(4))
    assert (tmp_path / "log.csv").read_text() == HEAD + "".join(ROWS) + "4,0.5,0.001,0.25,\n"


def test_a_table_of_an_older_version_is_gone_on_with(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_bytes((HEAD + "".join(ROWS)).replace("\n", "\r\n").encode())
    with open_journal(tmp_path, 2):
        assert (tmp_path / "log.csv").read_text() == HEAD + "".join(ROWS[:2])


def test_a_table_that_cannot_be_rewritten_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "log.csv").write_text(HEAD + "".join(ROWS))

    def full(path: Path, _: str) -> None:
        raise OutputError(f"{path}: cannot be written: No space left on device")

    monkeypatch.setattr(journal_module, "write_text", full)
    with pytest.raises(OutputError, match="No space"):
        open_journal(tmp_path, 9)
    assert (tmp_path / "log.csv").read_text() == HEAD + "".join(ROWS)


def test_a_row_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    with open_journal(tmp_path, 0) as journal:
        (tmp_path / "log.csv").unlink()
        (tmp_path / "log.csv").symlink_to("/dev/full")
        with pytest.raises(OutputError, match=r"log\.csv: cannot be written: No space"):
            journal.add(report(1))


def test_a_plot_that_cannot_be_written_is_warned_about(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    pytest.importorskip("tensorboard")
    (tmp_path / "loss.png").mkdir()
    said: list[str] = []
    with Journal(tmp_path, 0, plots=True, warn=said.append) as journal:
        journal.add(report(1, psnr=30.0))
        assert len(said) == 1
    assert all("loss.png: cannot be written: Is a directory" in text for text in said)
    assert (tmp_path / "psnr.png").read_bytes().startswith(b"\x89PNG")
    assert not list(tmp_path.glob(".*.unfinished"))


def test_events_that_cannot_be_written_are_said(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    pytest.importorskip("tensorboard")
    (tmp_path / "tensorboard").write_text("a file")
    with pytest.raises(OutputError, match="tensorboard: cannot be written"):
        Journal(tmp_path, 0, plots=True, warn=pytest.fail)
