"""What the owner of a batch and its workers say to each other over a pipe."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from rfdn_video.batch.delivery import Delivery, OnSuccess
from rfdn_video.settings import Settings

__all__ = ["Failed", "Finished", "FromWorker", "GoAhead", "Hello", "Progress", "Ready", "Task", "Unchanged"]


@dataclass(frozen=True)
class Task:
    """To a worker: do this file.

    Attributes:
        id: of the ledger's entry.
        source: the file.
        settings: how; the device is the worker's own.
        destination: of the batch; its ledger is there.
        staging: an existing folder for the result until it is delivered.
        folder: where it goes; None is the source's place.
        label: the first part of its name.
        known: contents of the source (SHA-256) for which nothing is to be done.
        on_success: what becomes of the source.
        moved: where it is moved to.
        stall_timeout: seconds without progress after which it is given up; None goes by the size.
        thumbnails: leave pictures of it in ``staging``.
        ray: address of the Ray cluster whose machines do it; None is the worker itself.
    """

    id: int
    source: Path
    settings: Settings
    destination: Path
    staging: Path
    folder: Path | None
    label: str
    known: frozenset[str]
    on_success: OnSuccess
    moved: Path | None
    stall_timeout: float | None
    thumbnails: bool = False
    ray: str | None = None


@dataclass(frozen=True)
class GoAhead:
    """To a worker: the delivery is in the ledger, do it."""


@dataclass(frozen=True)
class Hello:
    """From a worker: ready for work on this device."""

    device: str


@dataclass(frozen=True)
class Progress:
    """From a worker: so many frames are done.

    Attributes:
        frames: done.
        total: what the file claims to have.
        fps: frames a second just now.
        reused: how many of them an earlier attempt had finished.
    """

    frames: int
    total: int | None
    fps: float | None = None
    reused: int = 0


@dataclass(frozen=True)
class Ready:
    """From a worker: finished and checked, waiting for :class:`GoAhead`; ``notes`` are losses and repairs in words."""

    delivery: Delivery
    frames: int
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Finished:
    """From a worker: the delivery is done."""


@dataclass(frozen=True)
class Unchanged:
    """From a worker: the file has this content, which was among the known ones."""

    content: str


@dataclass(frozen=True)
class Failed:
    """From a worker: it could not be done, or, in place of :class:`Hello`, the worker cannot work.

    Attributes:
        exit_code: by the table of :mod:`rfdn_video.errors`.
        reason: one line.
        detail: the traceback.
        transient: it may go better on a fresh worker.
    """

    exit_code: int
    reason: str
    detail: str
    transient: bool = False


type FromWorker = Hello | Progress | Ready | Finished | Unchanged | Failed
