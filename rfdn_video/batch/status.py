"""What a batch has done, is doing and will do, read from its ledger: for people and for programs."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from rfdn_video.batch.advice import advice
from rfdn_video.batch.entry import Entry, Run, State
from rfdn_video.batch.ledger import Ledger

__all__ = ["ALIVE_SECONDS", "Progress", "Status", "entry_record", "measure", "read_status"]

ALIVE_SECONDS = 60.0
"""A batch that has not been seen for so long has ended, or hangs."""

SHOWN = 50
"""Entries that are listed of the queue and of what is done; running ones are listed all, failed ones unless told."""


@dataclass(frozen=True)
class Progress:
    """How far a batch is.

    Attributes:
        counts: files in each state, of those that this batch took up.
        fraction: 0..1 of the work, by the sources' bytes.
        seconds_left: at the pace until now; None while there is none.
    """

    counts: dict[State, int]
    fraction: float
    seconds_left: float | None


@dataclass(frozen=True)
class Status:
    """A moment of a batch.

    Attributes:
        run: the newest one; None where none has begun.
        alive: it is at work.
        progress: of that batch.
        counts: files in each state, of all batches.
        running, failed, queued, done: entries, those begun last first; only some of the last two.
    """

    run: Run | None
    alive: bool
    progress: Progress | None
    counts: dict[State, int]
    running: list[Entry]
    failed: list[Entry]
    queued: list[Entry]
    done: list[Entry]

    def record(self) -> dict[str, Any]:
        """For JSON."""
        run, progress = self.run, self.progress
        return {
            "alive": self.alive,
            "run": run
            and {name: getattr(run, name) for name in ("id", "pid", "jobs", "started", "beat", "ended", "exit_code")},
            "fraction": progress and round(progress.fraction, 4),
            "eta_seconds": progress and progress.seconds_left and round(progress.seconds_left, 1),
            "counts": self.counts,
            **{
                name: [entry_record(entry) for entry in getattr(self, name)]
                for name in ("running", "failed", "queued", "done")
            },
        }


def read_status(ledger: Ledger, failed: int = -1) -> Status:
    """The present moment, with so many failed entries at most."""
    run = ledger.last_run()
    return Status(
        run=run,
        alive=run is not None and run.ended is None and time.time() - run.beat < ALIVE_SECONDS,
        progress=measure(ledger, run) if run is not None else None,
        counts=ledger.counts(),
        running=ledger.in_state("running", "delivering"),
        failed=ledger.in_state("failed", limit=failed),
        queued=ledger.in_state("queued", limit=SHOWN),
        done=ledger.in_state("done", limit=SHOWN),
    )


def measure(ledger: Ledger, run: Run) -> Progress:
    """How far a run is, and how long the rest takes if its files are like those that are done."""
    running = ledger.in_state("running", "delivering", run=run)
    over = ledger.work(run, "done", "failed")
    enlarged, spent = ledger.enlarged(run)
    parts = sum(entry.stamp.size * entry.fraction for entry in running)
    left = ledger.work(run, "queued") + sum(entry.stamp.size for entry in running) - parts
    whole = left + over + parts
    spent += sum(entry.seconds or 0.0 for entry in running)
    made = sum(entry.stamp.size * entry.fraction_made for entry in running)
    pace = (enlarged + made) / spent if spent else 0.0  # bytes a second and job
    busy = max(1, min(run.jobs, len(running) + (ledger.counts(run).get("queued", 0))))
    return Progress(
        counts=ledger.counts(run),
        fraction=1 - left / whole if whole else 1.0,
        seconds_left=left / pace / busy if pace else 0.0 if not left else None,
    )


def entry_record(entry: Entry) -> dict[str, Any]:
    """One file, for JSON."""
    return {
        "id": entry.id,
        "input": str(entry.source),
        "state": entry.state,
        "output": None if entry.output is None else str(entry.output),
        "input_bytes": entry.stamp.size,
        "output_bytes": None if entry.output_stamp is None else entry.output_stamp.size,
        "frames": entry.frames,
        "total": entry.total,
        "fps": _rounded(entry.fps, 3) if entry.state == "running" else None,
        "eta_seconds": _rounded(entry.seconds_left, 1) if entry.state == "running" else None,
        "seconds": _rounded(entry.seconds, 1),
        "attempts": entry.attempts,
        "worker": entry.worker,
        "device": entry.device,
        "notes": list(entry.notes),
        "exit_code": entry.exit_code,
        "reason": entry.reason,
        "advice": None if entry.exit_code is None else advice(entry.exit_code),
    }


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)
