"""A folder that is being written: nobody sees it under its name, and none outlives its process for long."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

from filelock import FileLock, Timeout

__all__ = ["unfinished_folder"]

_PREFIX = ".unfinished-"


@contextmanager
def unfinished_folder(parent: Path) -> Iterator[Path]:
    """A new folder under ``parent``; what is not renamed at the end is removed, with what killed processes left.

    Raises:
        OSError: it cannot be made.
    """
    parent.mkdir(parents=True, exist_ok=True)
    _remove_abandoned(parent)
    folder = parent / f"{_PREFIX}{uuid4().hex}"
    with _owned(folder):  # before there is a folder that somebody could take for abandoned
        folder.mkdir()
        yield folder


@contextmanager
def _owned(folder: Path) -> Iterator[None]:
    """Locks a folder's name and removes the folder at the end; the lock ends with the process, however it ends."""
    lock = folder.with_suffix(".lock")
    with FileLock(lock, timeout=0):
        try:
            yield
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            lock.unlink(missing_ok=True)


def _remove_abandoned(parent: Path) -> None:
    for folder in parent.glob(f"{_PREFIX}*"):
        if folder.is_dir():
            with suppress(Timeout), _owned(folder):  # Timeout: it is being written
                pass
