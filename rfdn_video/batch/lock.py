"""One batch at a time works on a destination."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from rfdn_video.errors import OutputError
from rfdn_video.folder_lock import sole_user

__all__ = ["sole_owner", "worker_lock"]

PATIENCE = 60.0
"""Seconds in which the workers of a batch that was killed must have noticed it."""


@contextmanager
def sole_owner(destination: Path, folder: Path) -> Iterator[None]:
    """Makes ``folder``, that of the ledger, and holds it for this process.

    Raises:
        OutputError: it cannot be made, another batch is at work there, or workers of an earlier one do not end.
    """
    taken = f"{destination}: another batch is at work there; see rfdn-video batch status"
    with sole_user(folder, "owner.lock", taken):
        for path in folder.glob("worker-*.lock"):
            _await_worker(destination, path)
        yield


def worker_lock(folder: Path, number: int) -> Path:
    """The file that the worker of this number holds locked."""
    return folder / f"worker-{number}.lock"


def _await_worker(destination: Path, path: Path) -> None:
    try:
        with FileLock(path, timeout=PATIENCE):
            return
    except Timeout:
        raise OutputError(f"{destination}: a worker of an earlier batch is still there; end that process") from None
