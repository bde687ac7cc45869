"""A file that arrives slowly is taken once, when it is whole."""

from __future__ import annotations

import json
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from rfdn_video.batch import watch as module
from rfdn_video.batch.ledger import ledger_path
from rfdn_video.batch.sources import Selection, Source, find_sources
from rfdn_video.batch.watch import Watch, is_being_written, watching
from rfdn_video.errors import InputError
from tests.oracle import look

type Clip = Callable[..., bytes]
type Start = Callable[..., Any]


def find(root: Path) -> Iterator[Source]:
    return find_sources([root], Selection(), pytest.fail)


def test_taken_when_it_has_been_still_and_again_when_it_has_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, changed, path = 0.0, threading.Event(), tmp_path / "a.mp4"
    monkeypatch.setattr(time, "monotonic", lambda: now)
    watch = Watch([tmp_path], find, 5, changed, pytest.fail)

    def taken() -> list[Path]:
        changed.set()
        return [source.path for source in watch.complete()]

    path.write_bytes(b"1")
    assert taken() == []
    now = 4
    path.write_bytes(b"12")
    assert taken() == []
    now = 8
    assert taken() == []
    now = 9
    assert taken() == [path]
    now = 99
    assert taken() == []
    path.write_bytes(b"123")
    assert taken() == []
    now = 104
    assert taken() == [path]


def test_a_folder_that_vanishes_is_waited_for_and_the_others_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, changed, told = 0.0, threading.Event(), []
    monkeypatch.setattr(time, "monotonic", lambda: now)
    one, other, away = tmp_path / "one", tmp_path / "other", tmp_path / "away"
    for folder in (one, other):
        folder.mkdir()
        (folder / "a.mp4").write_bytes(b"1")
    watch = Watch([one, other], find, 5, changed, told.append)

    def taken_at(seconds: float) -> list[Path]:
        nonlocal now
        now = seconds
        changed.set()
        return [source.path for source in watch.complete()]

    taken_at(0)
    assert taken_at(5) == [one / "a.mp4", other / "a.mp4"]
    one.rename(away)
    (other / "b.mp4").write_bytes(b"1")
    assert taken_at(6) == taken_at(7) == []
    assert taken_at(12) == [other / "b.mp4"]
    assert told == [f"{one}: has vanished; it is waited for"]
    away.rename(one)
    assert taken_at(13) == []
    assert taken_at(18) == [one / "a.mp4"], "it may have been failed while it was away"
    assert told[1:] == [f"{one}: is back; going on"]
    one.rename(away)  # and another folder is there at once, as when something is unmounted
    one.mkdir()
    assert taken_at(19) == []
    assert told[2:] == [f"{one}: another disk or folder is there now; going on"]
    one.rmdir()
    away.rename(one)
    taken_at(20)
    assert taken_at(25) == [one / "a.mp4"]


def test_a_folder_that_never_was_is_no_folder_to_wait_for(tmp_path: Path) -> None:
    watch = Watch([tmp_path / "nothing"], find, 5, threading.Event(), pytest.fail)
    with pytest.raises(InputError, match="no such file or directory"):
        list(watch.complete())


def test_changes_are_told_of_a_folder_that_has_come_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOOK_SECONDS", 0.3)
    monkeypatch.setattr(module, "FIRST_PAUSE", 0.1)
    folder, away = tmp_path / "in", tmp_path / "away"
    folder.mkdir()
    with watching([folder]) as changed:
        folder.rename(away)
        time.sleep(0.6)
        shutil.copytree(away, folder)  # another folder under that name
        time.sleep(1.2)
        changed.clear()
        (folder / "a.mp4").write_bytes(b"1")
        assert changed.wait(10)


@pytest.mark.fault(8)
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells of writers")
def test_a_writer_is_seen(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    with path.open("wb") as file:
        file.write(b"1")
        file.flush()
        assert is_being_written(path)
    assert not is_being_written(path)


@pytest.mark.fault(8)
def test_a_file_copied_in_slowly_is_done_once_and_whole(tmp_path: Path, clip: Clip, start: Start) -> None:
    folder, out, content = tmp_path / "in", tmp_path / "out", clip(20)
    folder.mkdir()
    events: list[dict[str, Any]] = []
    with start(folder, "-o", out, "--watch", "--settle", "0.6") as process:
        reader = threading.Thread(target=lambda: events.extend(json.loads(line) for line in process.stdout))
        reader.start()
        while not ledger_path(out).exists():
            time.sleep(0.1)
        with (folder / "a.mp4").open("wb") as file:
            for begin in range(0, len(content), len(content) // 6 + 1):
                file.write(content[begin : begin + len(content) // 6 + 1])
                file.flush()
                time.sleep(0.4)
            assert [event for event in events if event["event"] != "note"] == []
        deadline = time.monotonic() + 120
        while not any(event["event"] in ("finished", "failed") for event in events) and time.monotonic() < deadline:
            time.sleep(0.2)
        time.sleep(1.5)
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 143
        reader.join(10)
    assert [event["event"] for event in events if event["event"] != "progress"] == ["queued", "started", "finished"]
    assert len(look(out / "a_x2.mp4").times) == 20


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_without_the_gpu_that_is_required_it_ends_before_a_file_comes(
    tmp_path: Path, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RFDN_REQUIRE_GPU", "1")
    (tmp_path / "in").mkdir()
    with start(tmp_path / "in", "-o", tmp_path / "out", "--watch") as process:
        _, complaints = process.communicate(timeout=120)
    assert process.returncode == 6
    assert complaints.startswith("rfdn-video: no GPU")


@pytest.mark.fault(77)
def test_a_lost_folder_is_waited_for_and_its_files_are_done(tmp_path: Path, clip: Clip, start: Start) -> None:
    folder, away, out = tmp_path / "in", tmp_path / "away", tmp_path / "out"
    folder.mkdir()
    (folder / "a.mp4").write_bytes(clip(20))
    (folder / "b.mp4").write_bytes(clip(4))
    with start(folder, "-o", out, "--watch", "--settle", "0.5") as process:
        events = (json.loads(line) for line in process.stdout)
        next(event for event in events if event["event"] == "started")
        folder.rename(away)
        failed = {Path(next(e for e in events if e["event"] == "failed")["input"]).name for _ in range(2)}
        assert failed == {"a.mp4", "b.mp4"}
        (away / "c.mp4").write_bytes(clip(4, "mkv"))
        away.rename(folder)
        done = {Path(next(e for e in events if e["event"] == "finished")["input"]).name for _ in range(3)}
        assert done == {"a.mp4", "b.mp4", "c.mp4"}
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 143
    assert len(look(out / "a_x2.mp4").times) == 20
