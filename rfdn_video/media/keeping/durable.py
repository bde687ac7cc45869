"""Files that are whole after a power failure, or not there."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["replace_file", "sync"]


def sync(path: Path) -> None:
    """Waits until a file, or a folder's list of names, is on the disk.

    Raises:
        OSError: the disk refuses.
    """
    if os.name != "posix":  # directories cannot be synced elsewhere
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
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
