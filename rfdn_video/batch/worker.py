"""A worker process: loads the network's libraries once, then does one file after another."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing import connection, parent_process
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from filelock import FileLock

from rfdn_video.batch.delivery import Delivery, deliver
from rfdn_video.batch.identity import sha256_of
from rfdn_video.batch.known import is_anothers
from rfdn_video.batch.labels import result_path
from rfdn_video.batch.ledger import Ledger
from rfdn_video.batch.messages import Failed, Finished, Hello, Progress, Ready, Task, Unchanged
from rfdn_video.batch.pace import Pace
from rfdn_video.errors import DeviceError, InputError, OtherWorkError, OutputError, RFDNError
from rfdn_video.media.keeping.publish import check_writable, is_taken
from rfdn_video.stamp import Stamp
from rfdn_video.watchdog import Watchdog, patience

__all__ = ["work"]

INTERVAL = 1.0
"""Seconds between two reports of progress."""


def work(pipe: Connection, number: int, device: str | None, threads: int | None, lock: Path) -> None:
    """The main function of a worker process.

    Args:
        pipe: to the owner, which ends the worker by closing it, or at once by SIGTERM.
        number: of this worker, from 0.
        device: as in ``Settings.device``; ``"auto"`` takes the GPU of this number where there are several. None is that
            of a Ray cluster, which each task names.
        threads: for computing on a CPU; None leaves it to torch.
        lock: file to hold locked until the end, so that the next batch can wait for it.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # of a terminal it goes to all processes; the owner decides
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    threading.Thread(target=_end_with_owner, daemon=True).start()
    if threads is not None:
        os.environ.setdefault("OMP_NUM_THREADS", str(threads))
    held = FileLock(lock)  # a lock that has no name is let go at once
    try:
        held.acquire()
        device = None if device is None else _resolve(device, number)
        pipe.send(Hello(device or "ray"))
        while True:
            _answer(pipe, pipe.recv(), device)
    except (EOFError, BrokenPipeError, ConnectionResetError):  # the owner has nothing more to do
        return
    except Exception as error:
        pipe.send(_failure(error))
    finally:  # nothing is left to be removed: a signal may now end it as it is
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _end_with_owner() -> None:
    owner = parent_process()
    assert owner is not None
    connection.wait([owner.sentinel])
    os.kill(os.getpid(), signal.SIGTERM)


def _resolve(device: str, number: int) -> str:
    import torch

    from rfdn_video.inference.device import resolve_devices

    first = resolve_devices(device)[0]
    if device == "auto" and first.type == "cuda":
        return f"cuda:{number % torch.cuda.device_count()}"
    return first.type if device == "auto" else device


def _answer(pipe: Connection, task: Task, device: str | None) -> None:
    try:
        done = _do(task, device, pipe.send)
        pipe.send(done)
        if isinstance(done, Ready):
            pipe.recv()
            deliver(done.delivery)
            pipe.send(Finished())
    except (EOFError, BrokenPipeError, ConnectionResetError):
        raise
    except Exception as error:
        pipe.send(_failure(error))


def _failure(error: Exception) -> Failed:
    text = " ".join(str(error).split())
    detail = "".join(traceback.format_exception(error))
    if isinstance(error, RFDNError):
        return Failed(error.exit_code, text, detail, transient=isinstance(error, DeviceError))
    return Failed(1, f"{type(error).__name__}: {text}; this is a fault of rfdn-video, please report it", detail)


def _do(task: Task, device: str | None, send: Callable[[Any], None]) -> Ready | Unchanged:
    stamp, content = Stamp.of(task.source), _content(task, send)
    if content in task.known:
        return Unchanged(content)
    if device is not None:
        task = replace(task, settings=replace(task.settings, device=device))
    result = _enlarge_or_begin_anew(task, send)
    if Stamp.of(task.source) != stamp:
        raise InputError(f"{task.source}: has changed while it was read; do it again when it is complete")
    delivery = Delivery(
        source=task.source,
        content=content,
        staged=result.staged,
        target=_target(task, result.staged),
        size=result.staged.stat().st_size,
        digest=sha256_of(result.staged),
        replaced=result.replaced,
        on_success=task.on_success,
        moved=task.moved,
    )
    return Ready(delivery, result.frames, result.notes)


def _content(task: Task, send: Callable[[Any], None]) -> str:
    """The source's SHA-256; a network drive may stop in the middle of it, and never say so."""
    with Watchdog(patience(0, 0, task.stall_timeout), partial(_leave, send)) as watchdog:
        return sha256_of(task.source, partial(watchdog.beat, "hash"))


@dataclass(frozen=True)
class _Result:
    """A finished file under its temporary name; ``replaced`` is what was at its target before the work began."""

    staged: Path
    replaced: Stamp | None
    frames: int
    notes: tuple[str, ...] = ()


def _enlarge_or_begin_anew(task: Task, send: Callable[[Any], None]) -> _Result:
    """What an earlier batch has left goes on, unless that had another device or version: nobody has asked for it."""
    try:
        return _enlarge(task, send)
    except OtherWorkError:
        return _enlarge(replace(task, settings=replace(task.settings, resume=False)), send)


def _enlarge(task: Task, send: Callable[[Any], None]) -> _Result:
    from rfdn_video.inference.vectors import suit_vectors
    from rfdn_video.suffixes import STILL_SUFFIXES

    suit_vectors([task.settings.precision])
    if task.source.suffix.lower() in STILL_SUFFIXES:
        return _enlarge_still(task)
    if task.ray is not None:
        return _enlarge_on_ray(task, task.ray, send)
    from rfdn_video.batch.thumbnails import Thumbnails
    from rfdn_video.pipeline import prepare, run

    # The staging folder is this file's own: what an earlier attempt has finished there is gone on with.
    resume = task.settings.resume is not False
    settings = replace(task.settings, overwrite=True, resume=resume)
    job = prepare(task.source, f"{task.staging}{os.sep}", settings)
    assert job.files.output is not None
    replaced = _check_target(task, job.files.output)
    total = job.files.expected_frames
    send(Progress(0, total))
    report = _Reporter(total, send)
    onlooker = Thumbnails(task.staging, job.files.info.video) if task.thumbnails else None
    layout = job.files.layout
    limit = patience(layout.width, layout.height, task.stall_timeout)
    with Watchdog(limit, partial(_leave, send)) as watchdog:
        summary = run(job, report, watchdog.beat, onlooker, report.reused)
    faults = [onlooker.fault] if onlooker is not None and onlooker.fault else []
    return _Result(job.files.output, replaced, summary.frames, (*summary.warnings, *faults))


def _enlarge_on_ray(task: Task, address: str, send: Callable[[Any], None]) -> _Result:
    from rfdn_video.cluster.connect import connect
    from rfdn_video.cluster.film import plan_on_cluster

    settings = replace(task.settings, overwrite=True, resume=task.settings.resume is not False)
    files = plan_on_cluster(task.source, f"{task.staging}{os.sep}", settings)
    assert files.output is not None
    replaced = _check_target(task, files.output)
    send(Progress(0, files.expected_frames))
    connect(address)
    from rfdn_video.cluster.ray_job import run_on_ray

    report = _Reporter(files.expected_frames, send)
    summary = run_on_ray(files, settings, task.stall_timeout, report, report.reused)
    return _Result(files.output, replaced, summary.frames, tuple(summary.warnings))


def _leave(send: Callable[[Any], None], error: RFDNError) -> None:
    """A thread that hangs in a driver can only be ended by ending the process."""
    send(replace(_failure(error), transient=True))
    os._exit(error.exit_code)


def _enlarge_still(task: Task) -> _Result:
    from rfdn_video.stills import plan_still, upscale_still

    settings = replace(task.settings, overwrite=True)
    plan = plan_still(task.source, f"{task.staging}{os.sep}", settings)
    replaced = _check_target(task, plan.output)
    upscale_still(plan, settings)
    return _Result(plan.output, replaced, 1)


def _target(task: Task, staged: Path) -> Path:
    if task.folder is None:
        return task.source.with_suffix(staged.suffix)
    return result_path(task.folder, task.label, task.source, staged)


def _may_overwrite(task: Task, staged: Path) -> bool:
    return task.settings.overwrite or _target(task, staged) == task.source


def _check_target(task: Task, staged: Path) -> Stamp | None:
    """Before the first frame, what would only be found in the end; gives what the result replaces.

    Raises:
        OutputError: something is in the way that must not be replaced.
    """
    target = _target(task, staged)
    if is_taken(target) and target.is_dir():
        raise OutputError(f"{target}: is a directory")
    if is_taken(target) and not _may_overwrite(task, staged):
        raise OutputError(f"{target}: exists already; give --overwrite to replace it")
    with closing(Ledger(task.destination)) as ledger:
        if is_taken(target) and is_anothers(ledger, target, task.source):
            raise OutputError(f"{target}: is another source of this batch, or its result; it was left alone")
    if task.on_success != "keep":
        check_writable(task.source.parent, "; the source is to go, so take --on-success keep")
    if task.moved is not None and is_taken(task.moved):
        raise OutputError(f"{task.moved}: exists already, and the source was to be moved there; move it away")
    replaced = Stamp.of(target)
    if is_taken(target) and replaced is None:
        raise OutputError(f"{target}: is a link to nothing; remove it")
    return replaced


class _Reporter:
    """Sends how many frames are done, once a second."""

    def __init__(self, total: int | None, send: Callable[[Any], None]) -> None:
        self._total, self._send = total, send
        self._said = time.monotonic()
        self._pace, self._reused = Pace(self._said), 0

    def __call__(self, frames: int) -> None:
        if (now := time.monotonic()) - self._said >= INTERVAL:
            self._said = now
            total = self._total if self._total is None or self._total >= frames else None
            self._send(Progress(frames, total, self._pace.at(now, frames), self._reused))

    def reused(self, frames: int) -> None:
        """Of an earlier attempt: they say nothing of the speed."""
        self._pace, self._reused = Pace(time.monotonic(), frames), frames
        self(frames)
