"""The finished segments of an output, in its work folder."""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from av.packet import Packet

from rfdn_video.media.keeping.durable import sync
from rfdn_video.media.keeping.journal import JOURNAL, Journal, Segment
from rfdn_video.media.keeping.packet_file import read_packets, write_packet
from rfdn_video.media.keeping.work_folder import WorkFolder

__all__ = ["Recording", "Segments"]

type Identify = Callable[[], Mapping[str, str]]
"""Tells what must be the same for segments to be of use. It reads the source, so it is asked only when needed."""


class Segments:
    """Every ``length`` pictures are a segment; those that are finished are kept until the output is.

    Args:
        work: the folder, locked.
        length: pictures of a segment.
        identify: what the segments are of.
        journal: of the work that is gone on with; None begins anew.

    Attributes:
        length: pictures of a segment.
        reused: segments that were finished before.
    """

    def __init__(self, work: WorkFolder, length: int, identify: Identify, journal: Journal | None = None) -> None:
        self.length = length
        self._work, self._identify, self._journal = work, identify, journal
        if journal is not None:  # one that a power failure has damaged is made again, and so are those behind it
            sound = next((n for n, s in enumerate(journal.segments) if not self._is_sound(n, s)), None)
            del journal.segments[len(journal.segments) if sound is None else sound :]
        self.reused = len(self._finished)
        self._keep()
        work.sweep()

    @property
    def frames(self) -> int:
        """Pictures in finished segments."""
        return sum(segment.frames for segment in self._finished)

    def read(self, number: int) -> Iterator[Packet[Any]]:
        """The packets of a finished segment."""
        return read_packets(self._path(number))

    def record(self, number: int) -> Recording:
        """Begins the file of a segment.

        Raises:
            OSError: the disk refuses.
        """
        return Recording(self._path(number).with_suffix(".part"))

    def finish(self, number: int, recording: Recording) -> None:
        """Makes a segment one that outlives the process and the power.

        Raises:
            OSError: the disk refuses.
        """
        size, digest = recording.complete()
        recording.path.replace(self._path(number))
        if self._journal is None:
            self._journal = Journal(self._identify())
            sync(self._work.path.parent)  # where the folder itself is listed
        self._journal.segments.append(Segment(self.length, size, digest))
        self._journal.write(self._work.path)
        self._keep()

    def discard(self) -> None:
        """The output is done: nothing is to be kept."""
        self._journal = None
        self._keep()

    @property
    def _finished(self) -> list[Segment]:
        return self._journal.segments if self._journal is not None else []

    def _path(self, number: int) -> Path:
        return self._work.path / f"{number:06}.packets"

    def _keep(self) -> None:
        names = {self._path(number).name for number in range(len(self._finished))}
        self._work.kept = {JOURNAL, *names} if names else set()

    def _is_sound(self, number: int, segment: Segment) -> bool:
        try:
            with self._path(number).open("rb") as file:
                whole = os.fstat(file.fileno()).st_size == segment.size and segment.frames == self.length
                return whole and hashlib.file_digest(file, _digest).hexdigest() == segment.digest
        except OSError:
            return False


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


def _digest() -> Any:
    return hashlib.blake2b(digest_size=16)
