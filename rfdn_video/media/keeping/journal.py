"""The journal of a work folder: which segments of an output are finished, and of what job."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from rfdn_video.media.keeping.durable import replace_file

__all__ = ["JOURNAL", "Journal", "Segment"]

JOURNAL = "journal.json"
_FORM = 1


@dataclass(frozen=True)
class Segment:
    """A finished segment.

    Attributes:
        frames: how many pictures; at least 1.
        size: of its file, in bytes.
        digest: BLAKE2b of that, in hexadecimal.
    """

    frames: int
    size: int
    digest: str

    def __post_init__(self) -> None:
        if not isinstance(self.frames, int) or self.frames < 1:
            raise ValueError(f"a segment of {self.frames!r} frames")


@dataclass
class Journal:
    """What is finished.

    Attributes:
        job: what must be the same for the segments to be of use, see :mod:`rfdn_video.fingerprint`.
        segments: in order, from the first picture on.
    """

    job: Mapping[str, str]
    segments: list[Segment] = field(default_factory=list)

    @classmethod
    def read(cls, folder: Path) -> Journal | None:
        """The journal of a folder; None where there is none.

        Raises:
            ValueError: it is damaged, or of another version's form.
            OSError: it cannot be read.
        """
        try:
            record = json.loads((folder / JOURNAL).read_bytes())
        except FileNotFoundError:
            return None
        except RecursionError:
            raise ValueError("it is nested too deeply") from None
        try:
            if record["form"] != _FORM:
                raise ValueError(f"its form is {record['form']}")
            return cls(dict(record["job"]), [Segment(**segment) for segment in record["segments"]])
        except (KeyError, TypeError) as error:
            raise ValueError(f"it is no journal: {error}") from None

    def write(self, folder: Path) -> None:
        """Writes it anew, all or nothing.

        Raises:
            OSError: the disk refuses.
        """
        record = {"form": _FORM, "job": dict(self.job), "segments": [asdict(segment) for segment in self.segments]}
        replace_file(folder / JOURNAL, json.dumps(record, indent=1).encode())
