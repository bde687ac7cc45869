"""A folder that one process at a time works in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from rfdn_video.errors import OutputError

__all__ = ["sole_user"]


@contextmanager
def sole_user(folder: Path, name: str, taken: str) -> Iterator[None]:
    """Makes ``folder`` and locks it for this process; the operating system ends the lock with it, however it ends.

    Args:
        folder: where work is done.
        name: of the file in it that is locked.
        taken: what is said where another process has the lock.

    Raises:
        OutputError: another process works there, or the folder cannot be made.
    """
    lock = FileLock(folder / name, timeout=0)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except Timeout:
        raise OutputError(taken) from None
    except OSError as error:
        raise OutputError(f"{folder}: cannot be made: {error.strerror}") from None
    try:
        yield
    finally:
        lock.release()
