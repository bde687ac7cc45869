"""One process at a time trains in a folder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from rfdn_video.errors import OutputError

__all__ = ["sole_trainer"]


@contextmanager
def sole_trainer(folder: Path) -> Iterator[None]:
    """Makes ``folder`` and locks it for this process; the operating system ends the lock with it, however it ends.

    Raises:
        OutputError: it cannot be made, or another process trains there.
    """
    lock = FileLock(folder / "training.lock", timeout=0)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except Timeout:
        raise OutputError(f"{folder}: is being trained by another process; wait, or give another folder") from None
    except OSError as error:
        raise OutputError(f"{folder}: cannot be written: {error.strerror}") from None
    try:
        yield
    finally:
        lock.release()
