"""Files that are whole after a power failure, or not there."""

from __future__ import annotations

import errno
import os
from pathlib import Path

__all__ = ["replace_file", "sync"]

_NOT_FOR_FOLDERS = (errno.EINVAL, errno.EBADF, errno.ENOTSUP)
"""What fsync says of folders on file systems that sync only files, such as those shared with a virtual machine."""


def sync(path: Path) -> None:
    """Waits until a file, or a folder's list of names, is on the disk; the latter as far as its file system can.

    Raises:
        OSError: the disk refuses.
    """
    if os.name != "posix":  # directories cannot be synced elsewhere
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _NOT_FOR_FOLDERS or not path.is_dir():
            raise
    finally:
        os.close(descriptor)


def replace_file(path: Path, content: bytes) -> None:
    """Gives a file new content, all or nothing: written beside it, synced, renamed.

    Raises:
        OSError: the disk refuses; the file is as it was.
    """
    draft = path.with_name(f"{path.name}.part")
    try:
        draft.write_bytes(content)
        sync(draft)
        draft.replace(path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise
    sync(path.parent)
