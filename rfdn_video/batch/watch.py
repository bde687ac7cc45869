"""New files in folders, each when it is complete: it has stopped growing, and nobody writes to it."""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rfdn_video.batch.identity import Stamp
from rfdn_video.batch.sources import Source
from rfdn_video.errors import UsageError

__all__ = ["Watch", "is_being_written", "watching"]

RESCAN_SECONDS = 60.0
"""Not every file system tells of changes: network mounts and some of containers do not."""


@dataclass
class _Candidate:
    stamp: Stamp
    since: float
    taken: bool = False


class Watch:
    """Gives files as they are complete.

    Args:
        find: gives all files there are.
        quiet: seconds for which a file's size and time must stay as they are.
        changed: is set when something may have changed.
    """

    def __init__(self, find: Callable[[], Iterable[Source]], quiet: float, changed: threading.Event) -> None:
        self._find, self._quiet, self._changed = find, quiet, changed
        self._seen: dict[Path, _Candidate] = {}
        self._scanned = -RESCAN_SECONDS

    def complete(self) -> Iterator[Source]:
        """Those that have become complete since the last call; again when a file has changed since."""
        now = time.monotonic()
        waiting = any(not candidate.taken for candidate in self._seen.values())
        if not (waiting or self._changed.is_set() or now - self._scanned >= RESCAN_SECONDS):
            return
        self._changed.clear()
        self._scanned = now
        found = list(self._find())
        for path in self._seen.keys() - {source.path for source in found}:
            del self._seen[path]
        for source in found:
            if self._is_complete(source.path, now):
                yield source

    def _is_complete(self, path: Path, now: float) -> bool:
        if (stamp := Stamp.of(path)) is None:
            return False
        candidate = self._seen.get(path)
        if candidate is None or candidate.stamp != stamp:
            self._seen[path] = _Candidate(stamp, now)
            return False
        if candidate.taken or now - candidate.since < self._quiet or is_being_written(path):
            return False
        candidate.taken = True
        return True


def is_being_written(path: Path) -> bool:
    """Whether any process has the file open for writing, as far as the system tells.

    Linux grants a read lease on a file that nobody writes to (fcntl(2), F_SETLEASE). It does not for files of
    other users, nor on every file system: then nothing is known, which is False.
    """
    if sys.platform != "linux":
        return False
    import fcntl

    try:
        with path.open("rb") as file:
            fcntl.fcntl(file, fcntl.F_SETSIG, signal.SIGURG)  # of a writer that comes just now; ignored by default
            fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_RDLCK)
            fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


@contextmanager
def watching(roots: Iterable[Path]) -> Iterator[threading.Event]:
    """Gives an event that is set when something changes in these folders.

    Raises:
        UsageError: the library that tells it is absent.
    """
    try:
        from watchfiles import watch
    except ImportError:
        raise UsageError("--watch needs the extra watch: pip install 'rfdn-video[watch]'") from None
    changed, over = threading.Event(), threading.Event()

    def run() -> None:
        for _ in watch(*roots, watch_filter=None, stop_event=over, raise_interrupt=False):
            changed.set()

    thread = threading.Thread(target=run, name="watch", daemon=True)
    thread.start()
    try:
        yield changed
    finally:
        over.set()
        thread.join(2)
