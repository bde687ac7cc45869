"""The finished segments of an output, in its work folder."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping
from itertools import accumulate
from pathlib import Path
from typing import Any

from av.packet import Packet

from rfdn_video.media.keeping.durable import sync
from rfdn_video.media.keeping.journal import JOURNAL, Journal, Segment
from rfdn_video.media.keeping.packet_file import read_packets
from rfdn_video.media.keeping.recording import Recording, is_sound
from rfdn_video.media.keeping.work_folder import WorkFolder

__all__ = ["Segments"]

type Identify = Callable[[], Mapping[str, str]]
"""Tells what must be the same for segments to be of use. It reads the source, so it is asked only when needed."""


class Segments:
    """What is encoded is cut into segments; those that are finished are kept until the output is.

    Args:
        work: the folder, locked.
        length: pictures of a segment, at least.
        gop: a segment ends where the next key picture is likely, no more than this many pictures later; with 1,
            every segment has just ``length``.
        identify: what the segments are of.
        journal: of the work that is gone on with; None begins anew.

    Attributes:
        length, gop: as given.
        reused: segments that were finished before.
    """

    def __init__(
        self, work: WorkFolder, length: int, gop: int, identify: Identify, journal: Journal | None = None
    ) -> None:
        self.length, self.gop = length, gop
        self._work, self._identify, self._journal = work, identify, journal
        if journal is not None:  # one that a power failure has damaged is made again, and so are those behind it
            sound = next((n for n, s in enumerate(journal.segments) if not self._is_sound(n, s)), None)
            del journal.segments[len(journal.segments) if sound is None else sound :]
        self.reused = len(self._finished)
        # Found where pictures come in, needed where they are encoded: one thread adds, another one asks.
        self._begins = list(accumulate((segment.frames for segment in self._finished), initial=0))
        self._keep()
        work.sweep()

    @property
    def frames(self) -> int:
        """Pictures in finished segments."""
        return sum(segment.frames for segment in self._finished)

    def begin(self, picture: int) -> None:
        """A segment begins with this picture, counted from 0."""
        if picture > self._begins[-1]:
            self._begins.append(picture)

    def begins(self, picture: int) -> bool:
        """Whether one does."""
        return self._begins[self.number_of(picture)] == picture

    def number_of(self, picture: int) -> int:
        """The segment of a picture, from 0."""
        return bisect_right(self._begins, picture) - 1

    def read(self, number: int) -> Iterator[Packet[Any]]:
        """The packets of a finished segment."""
        return read_packets(self._path(number))

    def record(self, number: int) -> Recording:
        """Begins the file of a segment.

        Raises:
            OSError: the disk refuses.
        """
        return Recording(self._path(number).with_suffix(".part"))

    def finish(self, number: int, frames: int, recording: Recording) -> None:
        """Makes a segment of so many pictures one that outlives the process and the power.

        Raises:
            OSError: the disk refuses.
        """
        size, digest = recording.complete()
        recording.path.replace(self._path(number))
        job = self._identify() if self._journal is None else self._journal.job
        journal = Journal(job, [*self._finished, Segment(frames, size, digest)])
        journal.write(self._work.path)
        sync(self._work.path.parent)  # where the folder itself is listed
        self._journal = journal
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
            return is_sound(self._path(number), segment.size, segment.digest)
        except OSError:
            return False
