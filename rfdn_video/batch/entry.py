"""What is known of one file of a batch, and of one batch."""

from __future__ import annotations

import os
import sqlite3
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from rfdn_video.batch.delivery import Delivery
from rfdn_video.stamp import Stamp

__all__ = ["Entry", "Run", "State"]

type State = Literal["queued", "running", "delivering", "done", "failed"]


@dataclass(frozen=True)
class Entry:
    """One source done, or to be done, with one set of settings.

    Attributes:
        id: its number.
        source: the file.
        settings: digest of what is asked for.
        folder, label: where its result goes below the destination, and the first part of its name.
        state: how far it is.
        run: number of the last batch that took it up.
        stamp: of the source, when it was last looked at.
        attempts: how often it was begun since it was last queued afresh.
        worker: number of the worker that had it last.
        frames, total: pictures done, and expected; None where not known.
        started, ended: seconds since 1970.
        content, output, output_stamp, output_content: of the last success: the SHA-256 of the source, where the
            result was put, how it was left, and its SHA-256.
        delivery: what is to be done with the finished result.
        notes: losses and repairs, a line each.
        exit_code, reason: why it failed.
        device: that the worker computes on.
        fps: frames a second just now; None where not known.
        reused: how many of ``frames`` an earlier attempt had finished.
    """

    id: int
    source: Path
    settings: str
    folder: Path
    label: str
    state: State
    run: int
    stamp: Stamp
    attempts: int
    worker: int | None
    frames: int | None
    total: int | None
    started: float | None
    ended: float | None
    content: str | None
    output: Path | None
    output_stamp: Stamp | None
    output_content: str | None
    delivery: Delivery | None
    notes: tuple[str, ...]
    exit_code: int | None
    reason: str | None
    device: str | None = None
    fps: float | None = None
    reused: int = 0

    @classmethod
    def of(cls, row: sqlite3.Row) -> Entry:
        """From a row of the ledger."""
        values = dict(row)
        output, delivery = values.pop("output"), values.pop("delivery")
        output_stamp = Stamp(values.pop("output_size") or 0, values.pop("output_mtime") or 0)
        return cls(
            source=Path(os.fsdecode(values.pop("source"))),
            folder=Path(os.fsdecode(values.pop("folder"))),
            label=os.fsdecode(values.pop("label")),
            stamp=Stamp(values.pop("size"), values.pop("mtime")),
            output=None if output is None else Path(os.fsdecode(output)),
            output_stamp=None if output is None else output_stamp,
            delivery=None if delivery is None else Delivery.from_json(delivery),
            notes=tuple(values.pop("notes").splitlines()),
            **values,
        )

    @property
    def seconds(self) -> float | None:
        """How long it took, or has taken until now."""
        return None if self.started is None else (self.ended or time.time()) - self.started

    @property
    def fraction(self) -> float:
        """How much of it is done, 0..1; 0 where the number of frames is not known."""
        return min(1.0, (self.frames or 0) / self.total) if self.total else 0.0

    @property
    def fraction_made(self) -> float:
        """How much of it this attempt has done, 0..1."""
        return min(1.0, max(0, (self.frames or 0) - self.reused) / self.total) if self.total else 0.0

    @property
    def seconds_left(self) -> float | None:
        """At the present pace; None where not known."""
        return max(0, self.total - (self.frames or 0)) / self.fps if self.total and self.fps else None

    @property
    def result_stands(self) -> bool:
        """The result of the last success lies where it was put, as it was left."""
        return self.output is not None and Stamp.of(self.output) == self.output_stamp


@dataclass(frozen=True)
class Run:
    """One batch: its process, its workers, and when it was last seen alive (seconds since 1970)."""

    id: int
    pid: int
    jobs: int
    started: float
    beat: float
    ended: float | None
    exit_code: int | None
