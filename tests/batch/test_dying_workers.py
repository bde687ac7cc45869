"""What becomes of a file whose worker dies, or fails, at a bad moment."""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import shutil
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from filelock import FileLock

from rfdn_video.batch import owner as module
from rfdn_video.batch import worker as worker_module
from rfdn_video.batch.delivery import Delivery, OnSuccess
from rfdn_video.batch.identity import settings_digest
from rfdn_video.batch.ledger import Ledger, ledger_path
from rfdn_video.batch.lock import worker_lock
from rfdn_video.batch.messages import Failed, FromWorker, Hello, Progress, Ready, Task
from rfdn_video.batch.owner import Event, Options, Owner
from rfdn_video.batch.sources import Source
from rfdn_video.batch.staging import staging_path
from rfdn_video.batch.worker import _check_target, _do
from rfdn_video.errors import DeviceError, OutputError
from rfdn_video.settings import Settings
from rfdn_video.stamp import Stamp
from tests.oracle import look

OLD, NEW = b"the source", b"the result"
KILLED = Failed(6, "the worker was killed by SIGKILL", "")


class Scripted:
    """A worker's side of what the owner sees: ready, then says what ``story`` gives for its file, and is dead."""

    story: Callable[[Task], list[FromWorker]]
    is_dead = True
    is_late = False

    def __init__(self, number: int, device: str, *_: object) -> None:
        self.number, self.device, self.task = number, None, None
        self.said: list[FromWorker] = [Hello(device)]

    device: str | None
    task: Task | None

    @property
    def idle(self) -> bool:
        return self.device is not None and self.task is None

    def give(self, task: Task) -> None:
        self.task, self.said = task, Scripted.story(task)

    def receive(self) -> FromWorker:
        return self.said.pop(0)

    def go_ahead(self) -> None:
        pass

    def stop(self) -> None:
        pass

    def wait(self) -> None:
        pass


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., list[Event]]:
    """Has one file done by such workers, its result in its place."""
    monkeypatch.setattr(module, "Worker", Scripted)
    monkeypatch.setattr(module, "hear", lambda workers, _: [worker for worker in workers if worker.said])
    source = tmp_path / "in" / "a.mkv"
    source.parent.mkdir()
    source.write_bytes(OLD)

    def run(
        story: Callable[[Task], list[FromWorker]], on_success: OnSuccess = "replace", *, overwrite: bool = False
    ) -> list[Event]:
        monkeypatch.setattr(Scripted, "story", story, raising=False)
        events: list[Event] = []
        with closing(Ledger(tmp_path / "out", create=True)) as ledger:
            settings = Settings(overwrite=overwrite)
            owner = Owner(Options(tmp_path / "out", settings, 1, 0, on_success, None), ledger, events.append)
            if source.exists():
                owner.consider([Source(source, Path(), "a")])
            owner.work()
        return events

    return run


def _delivery(task: Task) -> Delivery:
    staged = task.staging / "a_x2.mkv"
    staged.write_bytes(NEW)
    old, new = (hashlib.sha256(content).hexdigest() for content in (OLD, NEW))
    return Delivery(task.source, old, staged, task.source, len(NEW), new, Stamp.of(task.source), "replace", None)


@pytest.mark.fault(72)
@pytest.mark.parametrize("placed", [False, True])
def test_killed_while_its_result_takes_its_place(work: Callable[..., list[Event]], placed: bool) -> None:
    """The owner completes it; the result that has replaced its source is known, and never enlarged again."""

    def story(task: Task) -> list[FromWorker]:
        delivery = _delivery(task)
        if placed:
            delivery.staged.replace(delivery.target)
        return [Progress(1, 1), Ready(delivery, 1, ()), KILLED]

    events = work(story)
    assert [event.kind for event in events] == ["queued", "started", "progress", "finished"]
    assert events[-1].entry is not None
    assert events[-1].entry.source.read_bytes() == NEW
    assert work(story) == []


def _leave(ledger_of: Path, source: Path, on_success: OnSuccess) -> Delivery:
    """A batch that ended when the result was finished, before it took its place."""
    with closing(Ledger(ledger_of, create=True)) as ledger:
        run = ledger.begin_run(1)
        digest_ = settings_digest(Settings())
        entry = ledger.queue(Source(source, Path(), "a"), digest_, "a", Stamp(len(OLD), source.stat().st_mtime_ns), run)
        staged = staging_path(ledger_path(ledger_of).parent, entry.id) / "a_x2.mkv"
        staged.parent.mkdir(parents=True)
        staged.write_bytes(NEW)
        target = source if on_success == "replace" else ledger_of / "a_x2.mkv"
        old, new = (hashlib.sha256(content).hexdigest() for content in (OLD, NEW))
        replaced = Stamp.of(source) if on_success == "replace" else None
        delivery = Delivery(source, old, staged, target, len(NEW), new, replaced, on_success, None)
        ledger.start(entry, 0, "cpu")
        ledger.deliver(entry.id, delivery, 1, ())
    return delivery


def _again(task: Task) -> list[FromWorker]:  # noqa: ARG001 (a story)
    return [Failed(1, "begun again", "")]


@pytest.mark.parametrize("on_success", ["keep", "replace"])
def test_a_finished_result_that_was_damaged_meanwhile_is_made_again(
    work: Callable[..., list[Event]], tmp_path: Path, on_success: OnSuccess
) -> None:
    delivery = _leave(tmp_path / "out", tmp_path / "in" / "a.mkv", on_success)
    delivery.staged.write_bytes(NEW[:3])
    assert [event.kind for event in work(_again, on_success)] == ["queued", "started", "failed"]
    assert delivery.source.read_bytes() == OLD
    assert not (tmp_path / "out" / "a_x2.mkv").exists()


def test_a_finished_result_that_has_gone_is_made_again(work: Callable[..., list[Event]], tmp_path: Path) -> None:
    """Placed just before its batch was killed, and taken elsewhere by its user."""
    delivery = _leave(tmp_path / "out", tmp_path / "in" / "a.mkv", "keep")
    delivery.staged.rename(tmp_path / "better name.mkv")
    assert [event.kind for event in work(_again, "keep")] == ["queued", "started", "failed"]


def test_what_was_begun_with_other_settings_goes_when_the_film_is_done(
    work: Callable[..., list[Event]], tmp_path: Path
) -> None:
    def begin(task: Task) -> list[FromWorker]:
        (task.staging / "segment").touch()
        return [Failed(4, "no room", "")]

    assert work(begin, "replace", overwrite=True)[-1].kind == "failed"
    with closing(Ledger(tmp_path / "out", create=True)) as ledger:
        ledger._db.execute("UPDATE files SET settings = 'others'")
    assert work(lambda task: [Ready(_delivery(task), 1, ()), KILLED])[-1].kind == "finished"
    with closing(Ledger(tmp_path / "out")) as ledger:
        assert ledger.counts() == {"done": 1}
    assert not list(tmp_path.glob("out/**/segment"))


def test_something_in_the_way_of_a_finished_result(work: Callable[..., list[Event]], tmp_path: Path) -> None:
    """It is left alone until a batch may overwrite it."""
    delivery = _leave(tmp_path / "out", tmp_path / "in" / "a.mkv", "keep")
    delivery.target.write_bytes(b"other")
    assert [event.kind for event in work(_again, "keep")] == ["failed"]
    assert delivery.target.read_bytes() == b"other"
    assert [event.kind for event in work(_again, "keep", overwrite=True)] == ["finished"]
    assert delivery.target.read_bytes() == NEW


def test_what_is_to_be_kept_now_is_kept(work: Callable[..., list[Event]], tmp_path: Path) -> None:
    """Though the batch that was ended would have replaced it."""
    delivery = _leave(tmp_path / "out", tmp_path / "in" / "a.mkv", "replace")
    assert [event.kind for event in work(_again, "keep")] == ["finished"]
    assert delivery.source.read_bytes() == OLD
    assert (tmp_path / "out" / "a_x2.mkv").read_bytes() == NEW


def test_a_source_that_changes_under_its_worker_is_done_again_afterwards(
    work: Callable[..., list[Event]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folder that the worker works in is not taken from it, nor given to another."""
    source, folders = tmp_path / "in" / "a.mkv", []

    def work_watching(self: Owner) -> None:
        def watch() -> bool:
            if folders and source.read_bytes() == OLD:
                source.write_bytes(OLD + OLD)
                self.consider([Source(source, Path(), "a")])
                assert folders[0].exists()
            return False

        given(self, watch)

    def story(task: Task) -> list[FromWorker]:
        folders.append(task.staging)
        return [Progress(1, 1), Progress(2, 2), Failed(3, "has changed while it was read", "")]

    given = Owner.work
    monkeypatch.setattr(Owner, "work", work_watching)
    events = work(story, "keep")
    kinds = [event.kind for event in events if event.kind != "progress"]
    assert kinds == ["queued", "started", "failed", "queued", "started", "failed"]


def test_a_source_that_changes_while_it_waits_is_done_once(
    work: Callable[..., list[Event]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, given = tmp_path / "in" / "a.mkv", Owner.work

    def work_after_a_change(self: Owner) -> None:
        source.write_bytes(OLD + OLD)
        self.consider([Source(source, Path(), "a")])
        given(self)

    monkeypatch.setattr(Owner, "work", work_after_a_change)
    events = work(_again, "keep")
    assert [event.kind for event in events] == ["queued", "started", "failed"]
    assert events[0].entry is not None
    assert events[-1].entry is not None
    assert events[-1].entry.stamp.size == 2 * events[0].entry.stamp.size


@pytest.mark.parametrize(("code", "kept"), [(3, False), (4, True), (6, True), (7, False)])
def test_what_is_finished_is_kept_where_another_time_may_do(
    work: Callable[..., list[Event]], tmp_path: Path, code: int, kept: bool
) -> None:
    def story(task: Task) -> list[FromWorker]:
        (task.staging / "segment").touch()
        return [Failed(code, "no", "")]

    assert work(story)[-1].kind == "failed"
    assert bool(list(tmp_path.glob("out/**/segment"))) == kept


def test_a_source_that_cannot_go_is_told_before_the_work(tmp_path: Path) -> None:
    Ledger(tmp_path, create=True).close()
    source, moved = Path("/proc/version"), tmp_path / "moved"  # nobody makes or removes files there
    task = Task(1, source, Settings(), tmp_path, tmp_path, tmp_path, "version", frozenset(), "move", moved, None)
    with pytest.raises(OutputError, match=r"/proc: cannot be written to: .*; the source is to go"):
        _check_target(task, tmp_path / "version_x2.mkv")


def test_a_drive_that_hangs_while_a_source_is_looked_through(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pipe that nobody writes to does not even open."""
    source, found = tmp_path / "a.mkv", []
    os.mkfifo(source)

    def leave(_: object, error: Exception) -> None:
        found.append(str(error))
        source.open("wb").close()  # in place of the process's end

    monkeypatch.setattr(worker_module, "_leave", leave)
    known = frozenset((hashlib.sha256(b"").hexdigest(),))
    task = Task(1, source, Settings(), tmp_path, tmp_path, tmp_path, "a", known, "keep", None, 0.2)
    _do(task, "cpu", lambda _: None)
    assert len(found) == 1
    assert "0.2 seconds (--stall-timeout): the source, or the disk that it is read from" in found[0]


def test_a_worker_that_never_becomes_ready(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The lock that it waits for is held here."""
    monkeypatch.setattr("rfdn_video.batch.worker_process.STARTING", 1.0)
    monkeypatch.setattr("rfdn_video.batch.worker_process.PATIENCE", 0.5)
    source = tmp_path / "a.mkv"
    source.write_bytes(OLD)
    with closing(Ledger(tmp_path / "out", create=True)) as ledger:
        owner = Owner(Options(tmp_path / "out", Settings(device="cpu"), 1, 0, "keep", None), ledger, lambda _: None)
        owner.consider([Source(source, Path(), "a")])
        lock = FileLock(worker_lock(ledger_path(tmp_path / "out").parent, 0))
        with lock, pytest.raises(DeviceError, match=r"worker 0 was not ready within .* another --device"):
            owner.work()
    assert not multiprocessing.active_children()


def test_unfinished_work_goes_on_and_begins_anew_where_it_is_of_another_kind(
    clip: Callable[..., bytes], nearest_x2: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody has asked a batch to go on with what another device has done: it must not fail for it."""
    reused: list[int] = []
    monkeypatch.setattr(worker_module, "INTERVAL", 0.0)
    monkeypatch.setattr(worker_module._Reporter, "reused", lambda _, frames: reused.append(frames))
    source, staging, again = tmp_path / "a.mkv", tmp_path / "work", tmp_path / "again"
    source.write_bytes(clip(20, "mkv"))
    settings = Settings(weights=nearest_x2, engine="torch", segment_frames=8, encoder="ffv1", tile="off")
    task = Task(1, source, settings, tmp_path, staging, tmp_path, "a", frozenset(), "keep", None, None)

    def interrupt(message: Progress) -> None:
        if message.frames == 18:
            raise KeyboardInterrupt

    Ledger(tmp_path, create=True).close()
    staging.mkdir()
    with pytest.raises(KeyboardInterrupt):
        _do(task, "cpu", interrupt)
    shutil.copytree(staging, again)
    assert _frames(_do(task, "cpu", lambda _: None)) == 20
    assert reused[-1] >= 8
    reused.clear()
    assert _frames(_do(replace(task, settings=replace(settings, tile=16), staging=again), "cpu", lambda _: None)) == 20
    assert not reused


def _frames(done: object) -> int:
    assert isinstance(done, Ready)
    return len(look(done.delivery.staged).times)
