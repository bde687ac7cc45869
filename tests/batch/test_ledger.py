"""The ledger's file: readers cannot write, and one of the version before is taken over."""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest

from rfdn_video.batch.delivery import Delivery
from rfdn_video.batch.heartbeat import beating
from rfdn_video.batch.known import is_anothers
from rfdn_video.batch.ledger import Ledger, ledger_path
from rfdn_video.batch.sources import Source
from rfdn_video.batch.status import entry_record, measure, read_status
from rfdn_video.cli.main import main
from rfdn_video.errors import InputError
from rfdn_video.stamp import Stamp


def fill(folder: Path) -> None:
    with closing(Ledger(folder, create=True)) as ledger:
        source = Source(folder / "a.mp4", Path(), "a")
        entry = ledger.queue(source, "settings", "a", Stamp(1, 1), ledger.begin_run(1))
        ledger.start(entry, 0, "cpu")


def a_delivery(folder: Path) -> Delivery:
    return Delivery(folder / "a.mp4", "", folder / "work", folder / "a_x2.mp4", 1, "", None, "keep", None)


def test_a_reader_cannot_write(tmp_path: Path) -> None:
    fill(tmp_path)
    with closing(Ledger(tmp_path)) as ledger, pytest.raises(sqlite3.OperationalError, match="readonly"):
        ledger.begin_run(1)


def test_whoever_may_not_write_there_reads_it_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(tmp_path)
    files = sorted(ledger_path(tmp_path).parent.iterdir())
    monkeypatch.setattr(os, "access", lambda *_: False)  # root may write everywhere
    with closing(Ledger(tmp_path)) as ledger:
        assert ledger.counts() == {"running": 1}
        assert sorted(ledger_path(tmp_path).parent.iterdir()) == files


def test_a_folder_of_any_name(tmp_path: Path) -> None:
    folder = tmp_path / "a?b#c%20d é"
    fill(folder)
    assert ledger_path(folder).exists()
    with closing(Ledger(folder)) as ledger:
        assert ledger.counts() == {"running": 1}


def test_what_is_passed_over_is_no_measure_of_the_pace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One file of 100 bytes takes 10 s, nine more none, and one is left."""
    now = 1000.0
    monkeypatch.setattr("time.time", lambda: now)
    with closing(Ledger(tmp_path, create=True)) as ledger:
        run = ledger.begin_run(1)
        names = [f"{number}.mp4" for number in range(11)]
        first, *others, _ = [
            ledger.queue(Source(tmp_path / name, Path(), name), "settings", name, Stamp(100, 1), run) for name in names
        ]
        ledger.start(first, 0, "cpu")
        ledger.advance(first.id, 25, 25, 2.5)
        now += 10
        ledger.finish(first.id, "content", tmp_path / "0_x2.mp4", "result")
        for entry in others:
            ledger.start(entry, 0, "cpu")
            ledger.finish(entry.id, "content", entry.source, "content")
        progress = measure(ledger, run)
    assert progress.fraction == pytest.approx(10 / 11)
    assert progress.seconds_left == pytest.approx(10)


def test_what_was_done_before_is_no_measure_of_the_pace_either(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a file of 100 frames, 90 were finished; the others took 10 s. One more is left."""
    now = 1000.0
    monkeypatch.setattr("time.time", lambda: now)
    with closing(Ledger(tmp_path, create=True)) as ledger:
        run = ledger.begin_run(1)
        first, _ = [
            ledger.queue(Source(tmp_path / name, Path(), name), "settings", name, Stamp(100, 1), run) for name in "ab"
        ]
        ledger.start(first, 0, "cpu")
        ledger.advance(first.id, 95, 100, 1.0, 90)
        now += 5
        assert measure(ledger, run).seconds_left == pytest.approx(105)
        ledger.deliver(first.id, a_delivery(tmp_path), 100, ())
        now += 5
        ledger.finish(first.id, "content", tmp_path / "a_x2.mp4", "result")
        assert measure(ledger, run).seconds_left == pytest.approx(100)


def test_a_success_says_nothing_of_the_failure_before(tmp_path: Path) -> None:
    with closing(Ledger(tmp_path, create=True)) as ledger:
        source, run = Source(tmp_path / "a.mp4", Path(), "a"), ledger.begin_run(1)
        entry = ledger.queue(source, "settings", "a", Stamp(1, 1), run)
        ledger.fail(entry.id, 4, "no room", a_delivery(tmp_path))
        ledger.finish(entry.id, "content", tmp_path / "a_x2.mp4", "result")
        record = entry_record(ledger.get(entry.id))
    assert (record["exit_code"], record["reason"], record["advice"]) == (None, None, None)


@pytest.mark.parametrize(("version", "lacking"), [(1, ["fps", "device", "reused"]), (2, ["reused"])])
def test_versions_before_are_read_and_taken_over(tmp_path: Path, version: int, lacking: list[str]) -> None:
    fill(tmp_path)
    with closing(sqlite3.connect(ledger_path(tmp_path), autocommit=True)) as database:
        database.executescript(
            f"{''.join(f'ALTER TABLE files DROP COLUMN {name};' for name in lacking)} PRAGMA user_version = {version}"
        )
    with closing(Ledger(tmp_path)) as ledger:
        assert read_status(ledger).progress is not None
        assert ledger.in_state("running")[0].reused == 0
    with closing(Ledger(tmp_path, create=True)) as ledger:
        ledger.advance(1, 5, 10, 2.5, 3)
        assert (ledger.get(1).fps, ledger.get(1).reused) == (2.5, 3)
        assert ledger.counts() == {"running": 1}


def test_a_newer_version_is_refused(tmp_path: Path) -> None:
    fill(tmp_path)
    with closing(sqlite3.connect(ledger_path(tmp_path), autocommit=True)) as database:
        database.execute("PRAGMA user_version = 4")
    with pytest.raises(InputError, match="version 4"):
        Ledger(tmp_path)


def test_a_ledger_that_is_lost_on_the_way_is_a_fault_of_the_output(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def lost(*_: object) -> None:
        raise sqlite3.OperationalError("disk I/O error")

    (tmp_path / "a.mp4").write_bytes(b"words")
    monkeypatch.setattr(Ledger, "queue", lost)
    monkeypatch.setattr(Ledger, "end_run", lost)
    assert main(["batch", str(tmp_path / "a.mp4"), "-o", str(tmp_path / "out")]) == 4
    complaint = capsys.readouterr().err
    assert "disk I/O error" in complaint
    assert len(complaint.splitlines()) == 1


def test_what_was_interrupted_waits_as_if_it_had_not_begun(tmp_path: Path) -> None:
    """Its time does not go on, nor does it claim pictures; how often it was begun is known."""
    fill(tmp_path)
    with closing(Ledger(tmp_path, create=True)) as ledger:
        ledger.advance(1, 5, 10, 2.5)
        ledger.begin_run(1)
        entry = ledger.get(1)
    assert (entry.state, entry.attempts) == ("queued", 1)
    assert (entry.seconds, entry.frames, entry.fps) == (None, None, None)


def test_a_result_that_was_touched_is_another_sources_still(tmp_path: Path) -> None:
    """As a backup leaves it that was played back: of a source that it has replaced it is the only copy."""
    result = tmp_path / "a.mkv"
    result.write_bytes(b"film")
    with closing(Ledger(tmp_path, create=True)) as ledger:
        entry = ledger.queue(Source(tmp_path / "a.avi", Path(), "a"), "settings", "a", Stamp(1, 1), ledger.begin_run(1))
        ledger.finish(entry.id, "content", result, "digest")
        os.utime(result, (1, 1))
        assert is_anothers(ledger, result, tmp_path / "a.mp4")
        assert not is_anothers(ledger, result, tmp_path / "a.avi")


def test_a_damaged_ledger_is_of_no_batch_that_is_alive(tmp_path: Path) -> None:
    ledger_path(tmp_path).parent.mkdir()
    for content in (b"", b"words"):
        ledger_path(tmp_path).write_bytes(content)
        assert main(["batch", "status", str(tmp_path), "--check"]) == 1


def test_a_long_task_of_the_owner_does_not_look_like_its_death(tmp_path: Path) -> None:
    with closing(Ledger(tmp_path, create=True)) as ledger:
        run = ledger.begin_run(1)
        with beating(tmp_path, run, 0.01):
            patience = time.monotonic() + 60
            while ledger.last_run() == run and time.monotonic() < patience:
                time.sleep(0.01)
        beaten = ledger.last_run()
        assert beaten is not None
        assert beaten.beat > run.beat
