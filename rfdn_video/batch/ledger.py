"""What a batch knows of its files, on disk: it outlives every way in which a batch may end.

One batch at a time writes; any number of processes may read. SQLite in WAL mode, synced at every step.
"""

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from rfdn_video.batch.delivery import Delivery
from rfdn_video.batch.entry import Entry, Run, State
from rfdn_video.batch.sources import Source
from rfdn_video.errors import InputError, OutputError
from rfdn_video.stamp import Stamp

__all__ = ["Ledger", "ledger_path"]

VERSION = 3
READABLE = (1, 2, 3)
"""Of version 1 are ledgers without ``fps`` and ``device``, of 2 those without ``reused``."""
SCHEMA = """
CREATE TABLE files (
    id INTEGER PRIMARY KEY,
    source BLOB NOT NULL,  -- paths are bytes: not every name is text
    settings TEXT NOT NULL,
    folder BLOB NOT NULL,
    label BLOB NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('queued', 'running', 'delivering', 'done', 'failed')),
    run INTEGER NOT NULL REFERENCES runs (id),
    size INTEGER NOT NULL,
    mtime INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    worker INTEGER,
    frames INTEGER,
    total INTEGER,
    started REAL,
    ended REAL,
    content TEXT,
    output BLOB,
    output_size INTEGER,
    output_mtime INTEGER,
    output_content TEXT,
    delivery TEXT,
    notes TEXT NOT NULL DEFAULT '',
    exit_code INTEGER,
    reason TEXT,
    device TEXT,
    fps REAL,
    reused INTEGER NOT NULL DEFAULT 0,
    UNIQUE (source, settings)
);
CREATE INDEX by_state ON files (run, state);
CREATE INDEX by_place ON files (folder, label);
CREATE INDEX by_output ON files (output);
CREATE TABLE runs (
    id INTEGER PRIMARY KEY,
    pid INTEGER NOT NULL,
    jobs INTEGER NOT NULL,
    started REAL NOT NULL,
    beat REAL NOT NULL,
    ended REAL,
    exit_code INTEGER
);
"""
QUEUE_AGAIN = "UPDATE files SET state = 'queued', started = NULL, frames = NULL, fps = NULL"
FROM_2 = "ALTER TABLE files ADD COLUMN reused INTEGER NOT NULL DEFAULT 0;"
FROM_1 = f"ALTER TABLE files ADD COLUMN device TEXT; ALTER TABLE files ADD COLUMN fps REAL; {FROM_2}"


def ledger_path(destination: Path) -> Path:
    """Where the ledger of a destination lies."""
    return destination / ".rfdn-batch" / "ledger.sqlite"


class Ledger:
    """Opens the ledger of a destination.

    Args:
        destination: the folder of results.
        create: make it where there is none, and write to it; else it is only read.

    Raises:
        InputError: there is none, or it is of a newer version or no ledger.
        OutputError: it cannot be made.
    """

    def __init__(self, destination: Path, *, create: bool = False) -> None:
        path = ledger_path(destination)
        if not create and not path.exists():
            raise InputError(f"{destination}: no batch has written there")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            how = "mode=rwc" if create else _reading(path)
            self._db = sqlite3.connect(f"{path.absolute().as_uri()}?{how}", uri=True, timeout=30, autocommit=True)
            self._db.row_factory = sqlite3.Row
            if create:
                self._prepare()
            self._check_version(path)
        except OSError as error:
            raise OutputError(f"{path.parent}: cannot be made: {error.strerror}") from None
        except sqlite3.Error as error:
            raise InputError(f"{path}: is no ledger that can be used: {error}; remove it to begin afresh") from None

    def _prepare(self) -> None:
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = FULL")
        if (change := {0: SCHEMA, 1: FROM_1, 2: FROM_2}.get(self._version())) is not None:
            self._db.executescript(f"BEGIN; {change} PRAGMA user_version = {VERSION}; COMMIT")

    def _version(self) -> int:
        return int(self._db.execute("PRAGMA user_version").fetchone()[0])

    def _check_version(self, path: Path) -> None:
        if (version := self._version()) not in READABLE:
            raise InputError(
                f"{path}: is of version {version}, this program knows {VERSION}; remove it to begin afresh"
            )
        self._reused = "reused" if version == VERSION else "0"

    def close(self) -> None:
        """Ends its use."""
        self._db.close()

    def begin_run(self, jobs: int) -> Run:
        """Notes that this process works from now on; what an earlier one was at is queued again."""
        now = time.time()
        self._db.execute(f"{QUEUE_AGAIN} WHERE state = 'running'")
        self._db.execute("UPDATE runs SET ended = beat WHERE ended IS NULL")
        self._db.execute(
            "INSERT INTO runs (pid, jobs, started, beat) VALUES (?, ?, ?, ?)", (os.getpid(), jobs, now, now)
        )
        run = self.last_run()
        assert run is not None
        return run

    def beat(self, run: Run) -> None:
        """Shows that the batch is alive."""
        self._db.execute("UPDATE runs SET beat = ? WHERE id = ?", (time.time(), run.id))

    def end_run(self, run: Run, exit_code: int) -> None:
        """Notes how it ended; what was under way is queued again."""
        self._db.execute(f"{QUEUE_AGAIN} WHERE state = 'running'")
        self._db.execute("UPDATE runs SET ended = ?, exit_code = ? WHERE id = ?", (time.time(), exit_code, run.id))

    def last_run(self) -> Run | None:
        """The newest one."""
        row = self._db.execute("SELECT * FROM runs ORDER BY id DESC LIMIT 1").fetchone()
        return None if row is None else Run(**row)

    def find(self, source: Path, settings: str) -> Entry | None:
        """What is known of a source under these settings."""
        return self._one("SELECT * FROM files WHERE source = ? AND settings = ?", os.fsencode(source), settings)

    def get(self, number: int) -> Entry:
        """The entry of this number."""
        entry = self._one("SELECT * FROM files WHERE id = ?", number)
        assert entry is not None
        return entry

    def results_at(self, path: Path) -> list[Entry]:
        """The entries whose results were put at ``path``."""
        return list(self._all("SELECT * FROM files WHERE output = ?", os.fsencode(path)))

    def others_at(self, path: Path, source: Path) -> list[Entry]:
        """The entries of other sources than ``source`` that lie at ``path``, or whose results were put there."""
        query = "SELECT * FROM files WHERE source != ? AND (source = ? OR output = ?)"
        return list(self._all(query, *_bytes(source, path.resolve(), path)))

    def label_of(self, source: Path, folder: Path) -> str | None:
        """What the results of a source are called in this folder, with any settings."""
        query = "SELECT * FROM files WHERE source = ? AND folder = ?"
        entry = self._one(query, os.fsencode(source), os.fsencode(folder))
        return None if entry is None else entry.label

    def owner_of(self, folder: Path, label: str) -> Path | None:
        """The source whose results have this label in this folder."""
        query = "SELECT * FROM files WHERE folder = ? AND label = ?"
        entry = self._one(query, os.fsencode(folder), os.fsencode(label))
        return None if entry is None else entry.source

    def queue(self, source: Source, settings: str, label: str, stamp: Stamp, run: Run) -> Entry:
        """Enters a file to be done, or to be done again."""
        self._db.execute(
            "INSERT INTO files (source, folder, label, settings, state, run, size, mtime)"
            " VALUES (?, ?, ?, ?, 'queued', ?, ?, ?)"
            " ON CONFLICT (source, settings) DO UPDATE SET state = 'queued', run = excluded.run, size = excluded.size,"
            " mtime = excluded.mtime, attempts = 0, worker = NULL, frames = NULL, total = NULL, started = NULL,"
            " ended = NULL, delivery = NULL, notes = '', exit_code = NULL, reason = NULL",
            (*_bytes(source.path, source.folder, label), settings, run.id, stamp.size, stamp.mtime),
        )
        entry = self.find(source.path, settings)
        assert entry is not None
        return entry

    def start(self, entry: Entry, worker: int, device: str | None) -> None:
        """A worker has taken it up."""
        self._db.execute(
            "UPDATE files SET state = 'running', attempts = attempts + 1, worker = ?, device = ?, started = ?,"
            " frames = 0, fps = NULL, reused = 0, exit_code = NULL, reason = NULL WHERE id = ?",
            (worker, device, time.time(), entry.id),
        )

    def advance(self, number: int, frames: int, total: int | None, fps: float | None, reused: int = 0) -> None:
        """So many frames are done, so many a second just now; some of them by an earlier attempt."""
        query = "UPDATE files SET frames = ?, total = ?, fps = ?, reused = ? WHERE id = ?"
        self._db.execute(query, (frames, total, fps, reused, number))

    def deliver(self, number: int, delivery: Delivery, frames: int, notes: tuple[str, ...]) -> None:
        """The result is finished and about to take its place."""
        self._db.execute(
            "UPDATE files SET state = 'delivering', delivery = ?, frames = ?, notes = ? WHERE id = ?",
            (delivery.to_json(), frames, "\n".join(notes), number),
        )

    def finish(self, number: int, content: str, output: Path, output_content: str) -> None:
        """The result of a source with this content is in its place."""
        stamp = Stamp.of(output) or Stamp(0, 0)
        self._db.execute(
            "UPDATE files SET state = 'done', run = (SELECT max(id) FROM runs), ended = ?, delivery = NULL,"
            " exit_code = NULL, reason = NULL,"
            " content = ?, output = ?, output_size = ?, output_mtime = ?, output_content = ? WHERE id = ?",
            (time.time(), content, os.fsencode(output), stamp.size, stamp.mtime, output_content, number),
        )

    def fail(self, number: int, exit_code: int, reason: str, delivery: Delivery | None) -> None:
        """It could not be done; a delivery that is given can be tried again."""
        self._db.execute(
            "UPDATE files SET state = 'failed', run = (SELECT max(id) FROM runs), ended = ?, exit_code = ?, reason = ?,"
            " delivery = ? WHERE id = ?",
            (time.time(), exit_code, reason, delivery and delivery.to_json(), number),
        )

    def undelivered(self) -> list[Entry]:
        """Entries whose result is finished, but not in its place."""
        return list(self._all("SELECT * FROM files WHERE delivery IS NOT NULL"))

    def forget_delivery(self, number: int) -> None:
        """Nothing of its result is left; it is to be done again."""
        self._db.execute(f"{QUEUE_AGAIN}, delivery = NULL WHERE id = ?", (number,))

    def drop_begun(self, source: Path, but: int) -> list[int]:
        """Forgets what was begun of a source by other entries and never came to a result; gives their numbers."""
        rows = self._db.execute(
            "DELETE FROM files WHERE source = ? AND id != ? AND output IS NULL AND delivery IS NULL"
            " AND state IN ('queued', 'failed') RETURNING id",
            (os.fsencode(source), but),
        )
        return [number for (number,) in rows.fetchall()]

    def requeue(self, number: int) -> None:
        """It is to be tried again."""
        self._db.execute(f"{QUEUE_AGAIN} WHERE id = ?", (number,))

    def in_state(self, *states: State, run: Run | None = None, limit: int = -1) -> list[Entry]:
        """Entries in one of these states, of any run or of one; those begun last come first."""
        query = (
            "SELECT * FROM files WHERE state IN (SELECT value FROM json_each(?)) AND (? IS NULL OR run = ?)"
            " ORDER BY started DESC, id LIMIT ?"
        )
        number = run and run.id
        return list(self._all(query, json.dumps(states), number, number, limit))

    def counts(self, run: Run | None = None) -> dict[State, int]:
        """How many entries there are in each state, of any run or of one."""
        number = run and run.id
        rows = self._db.execute(
            "SELECT state, count(*) FROM files WHERE ? IS NULL OR run = ? GROUP BY state", (number, number)
        )
        return dict(rows.fetchall())

    def work(self, run: Run, *states: State) -> int:
        """Bytes of the sources in these states that a run has taken up."""
        (size,) = self._db.execute(
            "SELECT ifnull(sum(size), 0) FROM files"
            " WHERE run = ? AND state IN (SELECT value FROM json_each(?)) AND ifnull(started, ?) >= ?",
            (run.id, json.dumps(states), run.started, run.started),
        ).fetchone()
        return int(size)

    def enlarged(self, run: Run) -> tuple[int, float]:
        """Bytes of the sources that a run has enlarged, and the seconds spent on them.

        Not those passed over, nor what earlier attempts had finished.
        """
        size, seconds = self._db.execute(
            f"SELECT ifnull(sum(size * (1 - min({self._reused}, frames) / (1.0 * frames))), 0),"  # noqa: S608 (ours)
            " ifnull(sum(ended - started), 0) FROM files"
            " WHERE run = ? AND state = 'done' AND frames > 0 AND started >= ?",
            (run.id, run.started),
        ).fetchone()
        return round(size), float(seconds)

    def failures(self) -> dict[int, int]:
        """How many entries failed with each exit code."""
        rows = self._db.execute("SELECT exit_code, count(*) FROM files WHERE state = 'failed' GROUP BY exit_code")
        return dict(rows.fetchall())

    def finished(self, run: Run) -> tuple[int, int, int]:
        """Frames that a run has finished, and the bytes of their sources and results."""
        frames, read, written = self._db.execute(
            "SELECT ifnull(sum(frames), 0), ifnull(sum(size), 0), ifnull(sum(output_size), 0) FROM files"
            " WHERE run = ? AND state = 'done' AND started >= ?",
            (run.id, run.started),
        ).fetchone()
        return int(frames), int(read), int(written)

    def _one(self, query: str, *values: Any) -> Entry | None:
        return next(self._all(query, *values), None)

    def _all(self, query: str, *values: Any) -> Iterator[Entry]:
        with closing(self._db.execute(query, values)) as rows:
            for row in rows.fetchall():
                yield Entry.of(row)


def _reading(path: Path) -> str:
    """Readers of a WAL database need its shared-memory file; where it is absent and cannot be made, nobody writes."""
    alone = not Path(f"{path}-wal").exists() and not os.access(path.parent, os.W_OK)
    return "immutable=1" if alone else "mode=ro"


def _bytes(*names: Path | str) -> list[bytes]:
    return [os.fsencode(name) for name in names]
