"""The file of one segment: written packet by packet, and known by its size and digest ever after."""

from __future__ import annotations

import hashlib
import io
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from av.packet import Packet

from rfdn_video.media.keeping.packet_file import write_packet

__all__ = ["Recording", "is_sound"]


class Recording:
    """The file of a segment that is being made."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = path.open("wb")
        self._hash, self._size = _digest(), 0

    def write(self, packet: Packet[Any]) -> None:
        """Appends a packet.

        Raises:
            OSError: the disk refuses.
        """
        memory = io.BytesIO()
        write_packet(memory, packet)
        self._hash.update(memory.getbuffer())
        self._size += self._file.write(memory.getbuffer())

    def complete(self) -> tuple[int, str]:
        """Waits until it is on the disk; gives its size and digest.

        Raises:
            OSError: the disk refuses.
        """
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        return self._size, self._hash.hexdigest()

    def close(self) -> None:
        """Gives it up; the work folder removes the file."""
        with suppress(OSError):  # of what the full disk has not taken
            self._file.close()


def is_sound(path: Path, size: int, digest: str) -> bool:
    """The file is there, and is what was recorded: a power failure may leave one that is not.

    Raises:
        OSError: the disk does not tell.
    """
    try:
        with path.open("rb") as file:
            whole = os.fstat(file.fileno()).st_size == size
            return whole and hashlib.file_digest(file, _digest).hexdigest() == digest
    except FileNotFoundError:
        return False


def _digest() -> Any:
    return hashlib.blake2b(digest_size=16)
