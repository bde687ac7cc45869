"""The owner of a batch: deals files to workers, and writes down what becomes of them before anything else happens.

It imports neither torch nor av.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from rfdn_video.batch.delivery import OnSuccess, deliver, is_sound
from rfdn_video.batch.entry import Entry, Run
from rfdn_video.batch.heartbeat import beating
from rfdn_video.batch.identity import settings_digest
from rfdn_video.batch.known import done_contents, is_anothers, is_done, is_result
from rfdn_video.batch.labels import label_for, result_path
from rfdn_video.batch.ledger import Ledger, ledger_path
from rfdn_video.batch.lock import worker_lock
from rfdn_video.batch.messages import Failed, Finished, Hello, Progress, Ready, Task, Unchanged
from rfdn_video.batch.sources import Source
from rfdn_video.batch.staging import staging_path
from rfdn_video.batch.worker_process import STARTING, Worker, deal_devices, hear
from rfdn_video.errors import DeviceError, OutputError, RFDNError
from rfdn_video.settings import Settings
from rfdn_video.stamp import Stamp

__all__ = ["Event", "Kind", "Options", "Owner"]

TICK = 1.0
"""Seconds after which the owner shows that it is alive."""

_GOES_ON = (OutputError.exit_code, DeviceError.exit_code)
"""Failures that may be over another time: what is finished of such files is kept for the next batch."""

type Kind = Literal["queued", "skipped", "started", "progress", "finished", "failed", "retried", "note"]


@dataclass(frozen=True)
class Event:
    """Something has happened.

    Attributes:
        kind: what.
        entry: the file it happened to, as the ledger has it now; None for a note on no file of the ledger.
        text: in words, for a note, or why a file was skipped; the traceback for a failure.
    """

    kind: Kind
    entry: Entry | None
    text: str = ""


@dataclass(frozen=True)
class Options:
    """How a batch is done.

    Attributes:
        destination: an existing folder.
        settings: of every file.
        jobs: files at a time.
        retries: how often a file is tried again after a failure of the device.
        on_success: what becomes of a source that was done.
        moved_to: the folder that sources are moved to.
        stall_timeout: seconds without progress after which a file is given up; None goes by its size.
        thumbnails: leave pictures of running files in the ledger's folder.
        ray: address of the Ray cluster whose machines do the work; None is this one.
    """

    destination: Path
    settings: Settings
    jobs: int
    retries: int
    on_success: OnSuccess
    moved_to: Path | None
    stall_timeout: float | None = None
    thumbnails: bool = False
    ray: str | None = None


class Owner:
    """Does files until there are none left.

    Args:
        options: how.
        ledger: of the destination, which nobody else writes to.
        on_event: is told of everything.
    """

    def __init__(self, options: Options, ledger: Ledger, on_event: Callable[[Event], None]) -> None:
        self._options, self._ledger, self._tell = options, ledger, on_event
        self._folder = ledger_path(options.destination).parent
        self._settings = settings_digest(options.settings)
        self._devices = deal_devices(options.settings.device, options.jobs)
        self._queue: dict[int, Entry] = {}  # in order
        self._changed: dict[int, Source] = {}  # while a worker was at them
        self._workers: list[Worker] = []
        self._vanished: set[int] = set()  # failed as their folder was away: they may come back as they were
        self.run: Run = ledger.begin_run(options.jobs)
        for entry in ledger.undelivered():
            self._adapt(entry)
            if not self._complete(ledger.get(entry.id)):
                ledger.forget_delivery(entry.id)

    def consider(self, sources: Iterable[Source]) -> None:
        """Queues those that are not done yet."""
        beaten = time.monotonic()
        for source in sources:
            self._consider(source)
            if time.monotonic() - beaten > TICK:
                self._ledger.beat(self.run)
                beaten = time.monotonic()

    def _consider(self, source: Source) -> None:
        if (stamp := Stamp.of(source.path)) is None:  # gone since it was found
            return
        if is_result(self._ledger, source.path):
            return
        entry = self._ledger.find(source.path, self._settings)
        if entry is not None and entry.stamp != stamp and self._has_worker(entry.id):
            self._changed[entry.id] = source  # its folder is in use
            return
        if entry is not None and (entry.delivery is not None or (entry.stamp, entry.run) == (stamp, self.run.id)):
            return  # seen by this batch already
        if is_done(self._ledger, source.path, self._settings):
            self._tell(Event("skipped", entry, "done before"))
            return
        if entry is not None and entry.stamp != stamp:  # what is finished of it is of another content
            shutil.rmtree(self._staging(entry), ignore_errors=True)
        self._enter(source, self._label(source), stamp)

    def _has_worker(self, number: int) -> bool:
        return any(worker.task is not None and worker.task.id == number for worker in self._workers)

    def _take_up_changed(self) -> None:
        """Files that have changed under a worker which is done with them."""
        for number in [number for number in self._changed if not self._has_worker(number)]:
            self._consider(self._changed.pop(number))

    def _take_back(self) -> None:
        """Files that were away when they failed, and are there again as they were."""
        for number in list(self._vanished):
            entry = self._ledger.get(number)
            if Stamp.of(entry.source) == entry.stamp:
                self._enter(Source(entry.source, entry.folder, entry.source.stem), entry.label, entry.stamp)

    def _enter(self, source: Source, label: str, stamp: Stamp) -> None:
        entry = self._ledger.queue(source, self._settings, label, stamp, self.run)
        self._vanished.discard(entry.id)
        is_new = entry.id not in self._queue
        self._queue[entry.id] = entry
        if is_new:
            self._tell(Event("queued", entry))

    def _label(self, source: Source) -> str:
        """Says so where it is not the file's own."""
        label, place = label_for(self._ledger, source), source.folder
        known = self._ledger.label_of(source.path, place) is not None
        if not (known or label == source.stem or self._options.on_success == "replace"):
            what = f"its result is called {label}_..., as one of {self._ledger.owner_of(place, source.stem)} is"
            self._tell(Event("note", None, f"{source.path}: {what} {source.stem}_..."))
        return label

    def work(self, more: Callable[[], bool] = lambda: False, least: int = 0) -> None:
        """Does what is queued.

        Args:
            more: is asked at every turn, and may call :meth:`consider`; True keeps the batch going without work.
            least: workers that are there even without work.

        Raises:
            DeviceError: a worker cannot work at all.
        """
        try:
            while more() or self._queue or self._changed or any(worker.task for worker in self._workers):
                self._take_up_changed()
                self._take_back()
                self._staff(least)
                for worker in hear(self._workers, TICK):
                    self._hear(worker)
                self._check_ready()
                self._ledger.beat(self.run)
        finally:
            self._dismiss()

    def _staff(self, least: int) -> None:
        """As many workers as there are jobs and files, or ``least``; whoever is idle gets a file."""
        busy = sum(worker.task is not None for worker in self._workers)
        for number in range(len(self._workers), max(least, min(self._options.jobs, busy + len(self._queue)))):
            self._workers.append(self._hire(number))
        for worker in self._workers:
            if worker.idle and self._queue:
                self._start(worker, self._queue.pop(next(iter(self._queue))))

    def _hire(self, number: int) -> Worker:
        jobs = self._options.jobs
        threads = None if jobs == 1 else max(1, (os.cpu_count() or 1) // jobs)
        device = self._devices[number] if self._options.ray is None else None
        return Worker(number, device, threads, worker_lock(self._folder, number))

    def _start(self, worker: Worker, entry: Entry) -> None:
        options, staging = self._options, self._staging(entry)
        staging.mkdir(parents=True, exist_ok=True)
        moved = None if options.moved_to is None else options.moved_to / entry.folder / entry.source.name
        task = Task(
            id=entry.id,
            source=entry.source,
            settings=options.settings,
            destination=options.destination,
            staging=staging,
            folder=None if options.on_success == "replace" else options.destination / entry.folder,
            label=entry.label,
            known=done_contents(self._ledger, entry.source, entry.settings),
            on_success=options.on_success,
            moved=moved,
            stall_timeout=options.stall_timeout,
            thumbnails=options.thumbnails,
            ray=options.ray,
        )
        self._ledger.start(entry, worker.number, worker.device)
        worker.give(task)
        self._tell(Event("started", self._ledger.get(entry.id)))

    def _staging(self, entry: Entry) -> Path:
        return staging_path(self._folder, entry.id)

    def _hear(self, worker: Worker) -> None:
        message = worker.receive()
        if isinstance(message, Hello):
            worker.device = message.device
        elif worker.task is None:
            self._replace(worker, message)
        else:
            self._note(worker, worker.task, message)

    def _note(self, worker: Worker, task: Task, message: object) -> None:
        if isinstance(message, Progress):
            self._ledger.advance(task.id, message.frames, message.total, message.fps, message.reused)
            self._tell(Event("progress", self._ledger.get(task.id)))
        elif isinstance(message, Ready):
            self._ledger.deliver(task.id, message.delivery, message.frames, message.notes)
            worker.go_ahead()
        elif isinstance(message, Finished):
            worker.task = None
            self._finish(self._ledger.get(task.id))
        elif isinstance(message, Unchanged):
            worker.task = None
            self._pass_over(self._ledger.get(task.id), message.content)
        elif isinstance(message, Failed):
            worker.task = None
            entry = self._ledger.get(task.id)
            if not (worker.is_dead and entry.delivery is not None and self._complete(entry)):
                self._fail(entry.id, message)
            if worker.is_dead or message.transient:
                self._workers[worker.number] = self._fire(worker)

    def _finish(self, entry: Entry) -> None:
        delivery = entry.delivery
        assert delivery is not None
        self._ledger.finish(entry.id, delivery.content, delivery.target, delivery.digest)
        # What was begun with other settings, perhaps much of a film, would lie there for ever.
        for number in (entry.id, *self._ledger.drop_begun(entry.source, entry.id)):
            shutil.rmtree(staging_path(self._folder, number), ignore_errors=True)
        self._tell(Event("finished", self._ledger.get(entry.id)))

    def _pass_over(self, entry: Entry, content: str) -> None:
        """The file was touched, but not changed; or it is a result of ours."""
        output, result = entry.output, entry.output_content
        if content != entry.content or output is None or result is None:
            output, result = entry.source, content
        self._ledger.finish(entry.id, content, output, result)
        self._tell(Event("skipped", self._ledger.get(entry.id), "its content is what was done before"))

    def _fail(self, number: int, failure: Failed) -> None:
        entry = self._ledger.get(number)
        if failure.transient and entry.attempts <= self._options.retries:
            self._ledger.requeue(number)
            self._queue[number] = entry
            self._tell(Event("retried", self._ledger.get(number), failure.reason))
            return
        vanished = Stamp.of(entry.source) is None
        if vanished:
            self._vanished.add(number)
        # What is finished and only found no room is kept: the next batch tries to put it in its place again.
        delivery = entry.delivery if failure.exit_code == OutputError.exit_code else None
        if delivery is not None and not delivery.staged.exists():
            delivery = None
        self._ledger.fail(number, failure.exit_code, failure.reason, delivery)
        if not (delivery or vanished or failure.exit_code in _GOES_ON):
            shutil.rmtree(self._staging(entry), ignore_errors=True)
        self._tell(Event("failed", self._ledger.get(number), failure.detail))

    def _replace(self, worker: Worker, message: object) -> None:
        """A worker has ended between two files. One that never became ready will not on a second try either."""
        if worker.device is None and isinstance(message, Failed):
            raise DeviceError(message.reason)
        self._workers[worker.number] = self._fire(worker)

    def _check_ready(self) -> None:
        if late := next((worker for worker in self._workers if worker.is_late), None):
            raise DeviceError(
                f"worker {late.number} was not ready within {STARTING:g} seconds; the device, or the disk that torch "
                "lies on, does not answer: look at them, or take another --device"
            )

    def _fire(self, worker: Worker) -> Worker:
        worker.stop()
        worker.wait()
        return self._hire(worker.number)

    def _dismiss(self) -> None:
        for worker in self._workers:
            worker.stop()
        for worker in self._workers:
            worker.wait()
        self._workers.clear()

    def _complete(self, entry: Entry) -> bool:
        """What was finished and about to be put in its place when its worker, or its batch, ended.

        Returns:
            Whether anything sound is left of it; else it is to be done again.
        """
        assert entry.delivery is not None
        with beating(self._options.destination, self.run, TICK):
            try:
                if not is_sound(entry.delivery):
                    return False
                deliver(entry.delivery)
            except RFDNError as error:
                self._fail(entry.id, Failed(error.exit_code, str(error), ""))
            else:
                self._finish(entry)
        return True

    def _adapt(self, entry: Entry) -> None:
        """A delivery that an earlier batch has left spares what this one is to spare, and may overwrite what it may."""
        delivery = entry.delivery
        assert delivery is not None
        if self._options.on_success == "keep":
            if delivery.on_success == "replace" and delivery.staged.exists():
                folder = self._options.destination / entry.folder
                target = result_path(folder, entry.label, entry.source, delivery.staged)
                delivery = replace(delivery, target=target, replaced=None)
            delivery = replace(delivery, on_success="keep", moved=None)
        if self._options.settings.overwrite and not is_anothers(self._ledger, delivery.target, entry.source):
            delivery = replace(delivery, replaced=Stamp.of(delivery.target))
        self._ledger.deliver(entry.id, delivery, entry.frames or 0, entry.notes)
