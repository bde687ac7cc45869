"""Whole batches: what becomes of 30 mixed files, of a second run, of a killed one."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock, Timeout

from rfdn_video.batch.ledger import Ledger, ledger_path
from rfdn_video.batch.lock import worker_lock
from rfdn_video.batch.sources import Source
from rfdn_video.cli.main import main
from tests.oracle import look

type Batch = Callable[..., list[dict[str, Any]]]
type Clip = Callable[..., bytes]
type Start = Callable[..., Any]

GOOD = [f"season {season}/{number:02}.mp4" for season in (1, 2) for number in range(8)]
TWINS = ["same.avi", "same.flv", "same.mkv", "same.mp4"]
ODD = ["a'b & c.mkv", "grün.mp4", "-dash.mp4", "2.5.mp4"]
BAD = {
    "empty.mp4": b"",
    "text.mp4": b"words\n" * 99,
    "page.webm": b"<html></html>",
    "zip.mkv": b"PK\x03\x04" + b"\0" * 99,
}
NO_VIDEO = {"notes.txt": b"words"}


@pytest.fixture
def mixed(tmp_path: Path, clip: Clip) -> Path:
    """30 files: 16 good, 4 of one stem, 4 of odd names, 4 that are none, one cut off, and one that is no video."""
    folder = tmp_path / "in"
    files = {name: clip(suffix=name.rpartition(".")[2]) for name in GOOD + TWINS + ODD} | BAD | NO_VIDEO
    files["cut.mp4"] = clip(40)[:-900]
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    assert len(files) == 30
    return folder


def of_kind(events: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [event for event in events if event["event"] == kind]


def size(path: Path) -> tuple[int, int]:
    stream = look(path).stream
    return stream["width"], stream["height"]


def videos(folder: Path) -> dict[Path, tuple[int, int]]:
    """Every visible file, with what tells whether it was written again."""
    found = (path for path in folder.rglob("*") if path.is_file() and ".rfdn-batch" not in path.parts)
    return {path.relative_to(folder): (path.stat().st_ino, path.stat().st_mtime_ns) for path in found}


def test_thirty_mixed_files(mixed: Path, tmp_path: Path, batch: Batch) -> None:
    out = tmp_path / "out"
    events = batch(mixed, "-o", out, "--jobs", "2")
    assert events[-1] == {"event": "summary", "done": 24, "failed": 5, "skipped": 0, "exit_code": 3}
    assert len(of_kind(events, "queued")) == 29

    expected = {Path(name).with_name(f"{Path(name).stem}_x2.mp4") for name in GOOD}
    expected |= {Path(name).with_name(f"{Path(name).stem}_x2{Path(name).suffix}") for name in ODD}
    expected |= {Path(name) for name in ("same_x2.mkv", "same_flv_x2.mkv", "same_mkv_x2.mkv", "same_mp4_x2.mp4")}
    results = videos(out)
    assert set(results) == expected
    assert {event["output"] for event in of_kind(events, "finished")} == {str(out / path) for path in expected}
    assert len([event for event in of_kind(events, "note") if "its result is called same_" in event["text"]]) == 3
    for path in ("same_flv_x2.mkv", "season 2/07_x2.mp4"):
        assert size(out / path) == (128, 96)

    failures = {Path(event["input"]).name: event for event in of_kind(events, "failed")}
    assert set(failures) == {*BAD, "cut.mp4"}
    assert {event["exit_code"] for event in failures.values()} == {3}
    assert "empty file" in failures["empty.mp4"]["reason"]
    assert all((mixed / name).exists() for name in (*GOOD, *TWINS, *BAD))
    assert not list((out / ".rfdn-batch" / "work").iterdir())

    os.utime(mixed / GOOD[0])  # touched, not changed
    (mixed / "text.mp4").write_bytes((mixed / GOOD[1]).read_bytes())  # put right
    (out / "season 1" / "02_x2.mp4").unlink()
    again = batch(mixed, "-o", out)
    assert again[-1] == {"event": "summary", "done": 2, "failed": 4, "skipped": 23, "exit_code": 3}
    changed = {path for path, state in videos(out).items() if results.get(path) != state}
    assert changed == {Path("text_x2.mp4"), Path("season 1/02_x2.mp4")}


def test_killed_in_the_middle_and_begun_again(tmp_path: Path, clip: Clip, batch: Batch, start: Start) -> None:
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    for number in range(8):
        (folder / f"{number}.mp4").write_bytes(clip(60))
    with start(folder, "-o", out, "--jobs", "2") as process:
        for line in process.stdout:
            if json.loads(line)["event"] == "finished":
                os.kill(process.pid, signal.SIGKILL)
                break
    before = videos(out)
    assert 1 <= len(before) < 8
    with closing(Ledger(out)) as ledger:
        assert ledger.in_state("running") or ledger.in_state("delivering")
    events = batch(folder, "-o", out, "--jobs", "2")
    after = videos(out)
    assert sorted(after) == [Path(f"{number}_x2.mp4") for number in range(8)]
    assert {path: after[path] for path in before} == before
    assert events[-1]["failed"] == 0
    assert len(of_kind(events, "started")) <= 8 - len(before)
    assert {len(look(out / path).times) for path in after} == {60}
    assert not list((out / ".rfdn-batch" / "work").iterdir())


@pytest.mark.fault(72)
def test_a_killed_worker_fails_its_file_only(tmp_path: Path, clip: Clip, start: Start) -> None:
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    for name in ("a.mp4", "b.mp4"):
        (folder / name).write_bytes(clip(600 if name == "a.mp4" else 4))
    with start(folder, "-o", out) as process:
        events = []
        for line in process.stdout:
            events.append(json.loads(line))
            if events[-1]["event"] == "progress" and len(of_kind(events, "progress")) == 1:
                os.kill(worker_of(process.pid), signal.SIGKILL)
        assert process.wait(60) == 6
    [failed] = of_kind(events, "failed")
    assert Path(failed["input"]).name == "a.mp4"
    assert "killed by SIGKILL" in failed["reason"]
    assert list(videos(out)) == [Path("b_x2.mp4")]


def worker_of(owner: int) -> int:
    children = subprocess.run(["pgrep", "-P", str(owner), "-f", "spawn_main"], capture_output=True, check=True).stdout
    return int(children.split()[0])


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_stops_it_and_what_was_begun_is_queued(
    tmp_path: Path, clip: Clip, start: Start, number: int, code: int
) -> None:
    (tmp_path / "a.mp4").write_bytes(clip(600))
    out = tmp_path / "out"
    with start(tmp_path / "a.mp4", "-o", out) as process:
        for line in process.stdout:
            if json.loads(line)["event"] == "progress":
                worker = worker_of(process.pid)
                process.send_signal(number)
                break
        assert process.wait(60) == code
    assert not Path(f"/proc/{worker}").exists()
    assert videos(out) == {}
    with closing(Ledger(out)) as ledger:
        assert ledger.counts() == {"queued": 1}
        run = ledger.last_run()
        assert run is not None
        assert run.exit_code == code


def test_one_batch_at_a_time(tmp_path: Path, clip: Clip, start: Start) -> None:
    (tmp_path / "a.mp4").write_bytes(clip(600))
    with start(tmp_path / "a.mp4", "-o", tmp_path) as process:
        for line in process.stdout:
            if json.loads(line)["event"] == "started":
                break
        assert status("--check", tmp_path).returncode == 0
        with pytest.raises(Timeout):  # what the next batch waits for, where this one is killed
            FileLock(worker_lock(ledger_path(tmp_path).parent, 0)).acquire(timeout=0)
        with start(tmp_path / "a.mp4", "-o", tmp_path) as second:
            _, complaint = second.communicate(timeout=60)
            assert (second.returncode, "another batch is at work" in complaint) == (4, True)
    assert status("--check", tmp_path).returncode == 0  # killed just now: it may be a moment of silence
    record = json.loads(status("--json", tmp_path).stdout)
    assert [entry["input"] for entry in record["running"]] == [str(tmp_path / "a.mp4")]


def test_where_no_batch_was_ever_none_is_alive(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """For a health check that is the same, and nothing to be told of."""
    assert main(["batch", "status", str(tmp_path), "--check"]) == 1
    assert capsys.readouterr() == ("", "")
    assert main(["batch", "status", str(tmp_path)]) == 3
    assert "no batch has written there" in capsys.readouterr().err


def status(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "rfdn_video", "batch", "status", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_replaced_sources_are_not_enlarged_again(tmp_path: Path, clip: Clip, batch: Batch) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a.mp4").write_bytes(clip())
    (folder / "b.avi").write_bytes(clip(suffix="avi"))
    (folder / "bad.mp4").write_bytes(b"words")
    options = ("-o", tmp_path / "out", "--on-success", "replace")
    assert batch(folder, *options)[-1]["done"] == 2
    assert sorted(videos(folder)) == [Path("a.mp4"), Path("b.mkv"), Path("bad.mp4")]
    assert (folder / "bad.mp4").read_bytes() == b"words"
    (folder / "bad.mp4").unlink()  # it would be tried again
    os.utime(folder / "a.mp4", (time.time() - 99, time.time() - 99))
    for arguments in (options, (*options, "--crf", "30")):
        assert batch(folder, *arguments)[-1]["done"] == 0
    assert {size(folder / name) for name in ("a.mp4", "b.mkv")} == {(128, 96)}


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--on-success", "replace", "--frames", "9"], "a part must not replace all"),
        (["--on-success", "replace", "--salvage"], "which may leave only a part"),
        (["--include", ""], "a pattern is empty"),
    ],
)
def test_what_is_refused(tmp_path: Path, refused: Callable[..., None], options: list[str], complaint: str) -> None:
    refused(tmp_path, ["batch", ".", "-o", "out", *options], 2, complaint)


def test_a_folder_that_is_source_and_destination_by_another_name(tmp_path: Path, clip: Clip, batch: Batch) -> None:
    """Results are known there too, and not enlarged again."""
    (tmp_path / "films").mkdir()
    (tmp_path / "films" / "a.mp4").write_bytes(clip())
    (tmp_path / "link").symlink_to("films")
    assert [batch(tmp_path / "films", "-o", tmp_path / "link")[-1]["done"] for _ in range(2)] == [1, 0]


def test_what_cannot_be_read_is_no_success(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unreadable(_: object, __: object, on_error: Callable[[str], None]) -> list[Source]:
        on_error("secret: cannot be read: Permission denied")
        return []

    monkeypatch.setattr("rfdn_video.cli.batch.find_sources", unreadable)
    for more in ([], ["--dry-run"]):
        assert main(["batch", str(tmp_path), "-o", str(tmp_path / "out"), *more]) == 3


def test_sources_that_are_done_move(tmp_path: Path, clip: Clip, batch: Batch) -> None:
    source = tmp_path / "in" / "sub" / "a.mp4"
    source.parent.mkdir(parents=True)
    source.write_bytes(clip())
    batch(tmp_path / "in", "-o", tmp_path / "out", "--on-success", "move", "--move-to", tmp_path / "done")
    assert not source.exists()
    assert (tmp_path / "done" / "sub" / "a.mp4").read_bytes() == clip()
    assert size(tmp_path / "out" / "sub" / "a_x2.mp4") == (128, 96)


def test_nothing_is_overwritten_unasked(tmp_path: Path, clip: Clip, batch: Batch) -> None:
    (tmp_path / "a.mp4").write_bytes(clip())
    taken = tmp_path / "out" / "a_x2.mp4"
    taken.parent.mkdir()
    taken.write_bytes(b"somebody's")
    events = batch(tmp_path / "a.mp4", "-o", tmp_path / "out")
    assert "exists already" in of_kind(events, "failed")[0]["reason"]
    assert events[-1]["exit_code"] == 4
    assert taken.read_bytes() == b"somebody's"
    (tmp_path / "b.mp4").write_bytes(clip(6))
    (tmp_path / "out" / "b_x2.mp4").symlink_to("nowhere")
    events = batch(tmp_path / "a.mp4", tmp_path / "b.mp4", "-o", tmp_path / "out", "--overwrite")
    assert events[-1]["done"] == 1
    assert size(taken) == (128, 96)
    assert "is a link to nothing" in of_kind(events, "failed")[0]["reason"]


@pytest.mark.fault(58)
def test_no_result_takes_the_place_of_another_source(tmp_path: Path, clip: Clip, batch: Batch) -> None:
    """Told to overwrite and to replace: of two films one would be gone, and nobody would know."""
    (tmp_path / "film.avi").write_bytes(clip(suffix="avi"))
    (tmp_path / "film.mkv").write_bytes(clip(6, suffix="mkv"))
    sources = (tmp_path / "film.avi", tmp_path / "film.mkv")
    events = batch(*sources, "-o", tmp_path / "out", "--on-success", "replace", "--overwrite")
    assert "is another source of this batch, or its result" in of_kind(events, "failed")[0]["reason"]
    assert (tmp_path / "film.avi").read_bytes() == clip(suffix="avi")
    assert len(look(tmp_path / "film.mkv").times) == 6


def test_the_owner_imports_neither_torch_nor_av() -> None:
    script = "import sys, rfdn_video.batch.owner, rfdn_video.cli.batch_report, rfdn_video.batch.worker;"
    script += "print([m for m in ('torch', 'av', 'numpy') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True, text=True)
    assert done.stdout.strip() == "[]"
