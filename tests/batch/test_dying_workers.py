"""What becomes of a file whose worker dies, or fails, at a bad moment."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from rfdn_video.batch import owner as module
from rfdn_video.batch import worker as worker_module
from rfdn_video.batch.delivery import Delivery
from rfdn_video.batch.ledger import Ledger
from rfdn_video.batch.messages import Failed, FromWorker, Hello, Progress, Ready, Task
from rfdn_video.batch.owner import Event, Options, Owner
from rfdn_video.batch.sources import Source
from rfdn_video.batch.worker import _do
from rfdn_video.settings import Settings
from rfdn_video.stamp import Stamp
from tests.oracle import look

OLD, NEW = b"the source", b"the result"
KILLED = Failed(6, "the worker was killed by SIGKILL", "")


class Scripted:
    """A worker's side of what the owner sees: ready, then says what ``story`` gives for its file, and is dead."""

    story: Callable[[Task], list[FromWorker]]
    is_dead = True

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

    def run(story: Callable[[Task], list[FromWorker]]) -> list[Event]:
        monkeypatch.setattr(Scripted, "story", story, raising=False)
        events: list[Event] = []
        with closing(Ledger(tmp_path / "out", create=True)) as ledger:
            owner = Owner(Options(tmp_path / "out", Settings(), 1, 0, "replace", None), ledger, events.append)
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


@pytest.mark.parametrize(("code", "kept"), [(3, False), (4, True), (6, True), (7, False)])
def test_what_is_finished_is_kept_where_another_time_may_do(
    work: Callable[..., list[Event]], tmp_path: Path, code: int, kept: bool
) -> None:
    def story(task: Task) -> list[FromWorker]:
        (task.staging / "segment").touch()
        return [Failed(code, "no", "")]

    assert work(story)[-1].kind == "failed"
    assert bool(list(tmp_path.glob("out/**/segment"))) == kept


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
