"""New files in folders, each when it is complete: it has stopped growing, and nobody writes to it."""

from __future__ import annotations

import signal
import stat
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from rfdn_video.batch.sources import Source
from rfdn_video.errors import InputError, UsageError
from rfdn_video.stamp import Stamp

__all__ = ["Watch", "is_being_written", "watching"]

RESCAN_SECONDS = 60.0
"""Not every file system tells of changes: network mounts and some of containers do not."""
LOOK_SECONDS = 5.0
"""Between two looks whether the folders are still the ones that changes are told of."""
FIRST_PAUSE = 0.5
"""Half the first pause, in seconds, while a folder is missing; doubled each time."""
LONGEST_PAUSE = 15.0


@dataclass(frozen=True)
class _Place:
    """Which folder it is that has a name: another one when something is mounted there, or no more."""

    is_folder: bool
    device: int
    number: int

    @classmethod
    def of(cls, root: Path) -> _Place | None:
        """None where there is nothing, or nothing that answers."""
        try:
            status = root.stat()
        except OSError:
            return None
        if not stat.S_ISDIR(status.st_mode):  # a file may be replaced, which its stamp tells
            return cls(False, 0, 0)
        return cls(True, status.st_dev, status.st_ino)


@dataclass
class _Candidate:
    stamp: Stamp
    since: float
    taken: bool = False


class Watch:
    """Gives files as they are complete.

    Args:
        roots: files and folders. One that vanishes later, as the network or a disk goes, is waited for.
        find: gives all files there are in one of them; raises InputError where it is not there.
        quiet: seconds for which a file's size and time must stay as they are.
        changed: is set when something may have changed.
        tell: is told of folders that vanish and come back.
    """

    def __init__(
        self,
        roots: Iterable[Path],
        find: Callable[[Path], Iterable[Source]],
        quiet: float,
        changed: threading.Event,
        tell: Callable[[str], None],
    ) -> None:
        self._find, self._quiet, self._changed, self._tell = find, quiet, changed, tell
        self._roots: dict[Path, _Place | None] = dict.fromkeys(roots)
        self._lost: set[Path] = set()
        self._seen: dict[Path, _Candidate] = {}
        self._scanned = -RESCAN_SECONDS

    def complete(self) -> Iterator[Source]:
        """Those that have become complete since the last call.

        Again when a file has changed since, and all of a folder that had vanished.
        """
        now = time.monotonic()
        waiting = any(not candidate.taken for candidate in self._seen.values())
        if not (waiting or self._changed.is_set() or now - self._scanned >= RESCAN_SECONDS):
            return
        self._changed.clear()
        self._scanned = now
        found = [source for root in self._roots for source in self._look_into(root)]
        if not self._lost:  # what lies in a folder that is away is not forgotten
            for path in self._seen.keys() - {source.path for source in found}:
                del self._seen[path]
        for source in found:
            if self._is_complete(source.path):
                yield source

    def _look_into(self, root: Path) -> list[Source]:
        place, known = _Place.of(root), self._roots[root]
        if place is None and known is not None:
            if known.is_folder and root not in self._lost:
                self._tell(f"{root}: has vanished; it is waited for")
                self._lost.add(root)
            return []
        try:
            found = list(self._find(root))
        except InputError:  # gone just now
            if known is None:
                raise
            return []
        if known is not None and known.is_folder and (root in self._lost or place != known):
            what = "is back" if root in self._lost else "another disk or folder is there now"
            self._tell(f"{root}: {what}; going on")
            for source in found:
                self._seen.pop(source.path, None)
        self._lost.discard(root)
        self._roots[root] = place
        return found

    def _is_complete(self, path: Path) -> bool:
        if (stamp := Stamp.of(path)) is None:
            return False
        now = time.monotonic()  # searching may have taken long
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
    if find_spec("watchfiles") is None:
        raise UsageError("--watch needs the extra watch: pip install 'rfdn-video[watch]'")
    changed, over = threading.Event(), threading.Event()
    thread = threading.Thread(target=_follow, args=(list(roots), changed, over), name="watch", daemon=True)
    thread.start()
    try:
        yield changed
    finally:
        over.set()
        thread.join(2)


def _follow(roots: list[Path], changed: threading.Event, over: threading.Event) -> None:
    """Begins anew whenever a folder has been replaced, which the system does not report."""
    pause = FIRST_PAUSE
    while not over.is_set():
        places = [_Place.of(root) for root in roots]
        there = [root for root, place in zip(roots, places, strict=True) if place is not None]
        whole = len(there) == len(roots)
        pause = FIRST_PAUSE if whole else min(2 * pause, LONGEST_PAUSE)
        for told in _changes(there, LOOK_SECONDS if whole else pause, over):
            if told:
                changed.set()
            if not whole or [_Place.of(root) for root in roots] != places:
                break
        changed.set()


def _changes(roots: list[Path], wait: float, over: threading.Event) -> Iterator[bool]:
    """Whether something has changed, every ``wait`` seconds at least; once where that cannot be told."""
    from watchfiles import watch

    try:
        if roots:
            found = watch(
                *roots,
                watch_filter=None,
                stop_event=over,
                rust_timeout=int(1000 * wait),
                yield_on_timeout=True,
                raise_interrupt=False,
            )
            yield from map(bool, found)
            return
    except (OSError, RuntimeError):  # one has just vanished, or the system watches no more folders
        pass
    over.wait(wait)
    yield False
