"""A segment that is done: a record in the shared folder, published by a rename, beside the file that it names.

Any number of attempts may end at any time: each has a file of its own, the first record to get its name counts.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from av.packet import Packet

from rfdn_video.media.keeping.durable import sync
from rfdn_video.media.keeping.packet_file import read_packets
from rfdn_video.media.keeping.publish import rename_new
from rfdn_video.media.keeping.recording import is_sound

__all__ = ["Edge", "Published", "Record", "job_digest", "publish", "published", "read_record", "record_path"]


@dataclass(frozen=True)
class Edge:
    """A picture of the source at the edge of a segment: when it is shown, in ticks, and BLAKE2b of its samples."""

    pts: int
    digest: str


@dataclass(frozen=True)
class Record:
    """A finished segment.

    Attributes:
        number: of the segment.
        job: BLAKE2b of what it was done with.
        searched: decoding began at a key picture before it, not at the source's beginning.
        file: name of the file of packets, in the same folder.
        size, digest: of that file, in bytes, and its BLAKE2b.
        parameter_sets: see :class:`rfdn_video.media.keeping.lone_segment.Encoded`.
        pts, durations: of its pictures on the source's clock, in ticks.
        captioned: how many of them had closed captions.
        first: its first picture; None where it has none.
        following: the picture behind its last one; None at the source's end.
        report: counts of :class:`rfdn_video.media.reading.decode.DecodeReport`.
        tally: counts of the network's work.
        tiling, bands, reuse: see :class:`rfdn_video.summary.Summary`.
    """

    number: int
    job: str
    searched: bool
    file: str
    size: int
    digest: str
    parameter_sets: str
    pts: list[int]
    durations: list[int]
    captioned: int
    first: Edge | None
    following: Edge | None
    report: dict[str, int]
    tally: dict[str, float]
    tiling: str
    bands: list[float]

    @property
    def frames(self) -> int:
        """How many pictures; 0 behind the source's end."""
        return len(self.pts)


def job_digest(job: Mapping[str, str]) -> str:
    """BLAKE2b of what segments were done with."""
    return hashlib.blake2b(json.dumps(job, sort_keys=True).encode(), digest_size=16).hexdigest()


def record_path(work: Path, number: int) -> Path:
    """Where the record of a segment is."""
    return work / f"{number:06}.json"


def published(work: Path) -> set[int]:
    """Numbers of the segments that have a record: one look at a folder that may be far away, for however many."""
    try:
        return {int(path.stem) for path in work.iterdir() if path.suffix == ".json" and path.stem.isdecimal()}
    except OSError:  # it has gone away, for a while perhaps
        return set()


def publish(work: Path, record: Record) -> bool:
    """Gives a record its name, unless another attempt was faster.

    Returns:
        It counts; else its file of packets is of no use.

    Raises:
        OSError: the disk refuses.
    """
    handle, name = tempfile.mkstemp(prefix=f"{record.number:06}.", suffix=".part", dir=work)
    draft = Path(name)
    try:
        with os.fdopen(handle, "w") as file:
            json.dump(asdict(record), file)
        sync(draft)
        rename_new(draft, record_path(work, record.number))
    except FileExistsError:
        return False
    finally:
        with suppress(OSError):  # of a folder that has gone away
            draft.unlink(missing_ok=True)
    sync(work)
    return True


def read_record(work: Path, number: int, job: str) -> Record | None:
    """The record of a segment of this job, if its file is as it was written; what is not is removed.

    Raises:
        OSError: the folder cannot be read.
    """
    path = record_path(work, number)
    try:
        values = json.loads(path.read_bytes())
        for name in ("first", "following"):
            values[name] = values[name] and Edge(**values[name])
        record = Record(**values)
    except FileNotFoundError:
        return None
    except (ValueError, TypeError, KeyError):
        record = None
    if record is not None and record.job == job and is_sound(work / record.file, record.size, record.digest):
        return record
    path.unlink(missing_ok=True)
    return None


@dataclass(frozen=True)
class Published:
    """See :class:`rfdn_video.media.keeping.joined_encoder.FinishedSegment`."""

    record: Record
    work: Path

    @property
    def frames(self) -> int:
        """How many pictures."""
        return self.record.frames

    @property
    def parameter_sets(self) -> str:
        """Of its encoder."""
        return self.record.parameter_sets

    def packets(self) -> Iterator[Packet[Any]]:
        """From its file."""
        return read_packets(self.work / self.record.file)
