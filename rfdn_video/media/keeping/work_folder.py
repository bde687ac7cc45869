"""The folder in which an output is made: beside it, hidden, named after it, and locked by the job that works there."""

from __future__ import annotations

import hashlib
import shutil
from contextlib import suppress
from pathlib import Path

from filelock import FileLock, Timeout

from rfdn_video.errors import OutputError

__all__ = ["WorkFolder", "work_folder"]

LOCK = "lock"
MAX_NAME = 200  # bytes; file systems take 255


def work_folder(output: Path) -> Path:
    """Where ``output`` is made: on the same file system, so that it can be renamed into place."""
    name = f".{output.name}.unfinished"
    if len(name.encode(errors="surrogateescape")) > MAX_NAME:
        digest = hashlib.blake2b(output.name.encode(errors="surrogateescape"), digest_size=8).hexdigest()
        name = f".{output.stem[:20]}.{digest}.unfinished"
    return output.with_name(name)


class WorkFolder:
    """Holds what an output is made of, for one job at a time.

    The operating system ends the lock with the process, however that ends. What a dead job left that no
    :attr:`kept` name speaks of is swept away on entering. On leaving, the folder is removed unless something
    is to be kept.

    Attributes:
        path: of the folder.
        kept: names in the folder that stay when it is left.

    Raises:
        OutputError: another job works on the same output, or the folder cannot be made or is a symbolic link.
    """

    def __init__(self, output: Path) -> None:
        self._output = output
        self.path = work_folder(output)
        self.kept: set[str] = set()
        # An inode that a finishing job has just removed cannot be locked: it is tried again for a moment.
        self._lock = FileLock(self.path / LOCK, timeout=0.2, poll_interval=0.05)

    def __enter__(self) -> WorkFolder:
        try:
            self.path.mkdir(exist_ok=True)
            self._check_ours()
            self._lock.acquire()
        except Timeout:
            raise OutputError(
                f"{self._output}: another job is writing it; wait for that, or give another --output"
            ) from None
        except OSError as error:
            raise OutputError(f"{self.path}: cannot be made: {error.strerror}") from None
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.sweep()
            if not self.kept:
                shutil.rmtree(self.path, ignore_errors=True)
        finally:
            self._lock.release()

    def _check_ours(self) -> None:
        """What lies in the folder is swept away: a link must not lead that elsewhere."""
        if self.path.is_symlink():
            raise OutputError(f"{self.path}: is a symbolic link; remove it, or give another --output")

    def keep_all(self) -> None:
        """Nothing is touched."""
        self.kept = {path.name for path in self.path.iterdir()}

    def sweep(self) -> None:
        """Removes all that is not to be kept. Where the disk refuses, or the folder is gone, nothing more is said."""
        with suppress(OSError):
            for path in self.path.iterdir():
                if path.name not in self.kept and path.name != LOCK:
                    with suppress(OSError):
                        path.unlink()
