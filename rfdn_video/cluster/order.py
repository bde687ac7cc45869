"""What a worker is told: names and settings. Pictures never travel between machines but through the shared folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from rfdn_video.media.keeping.work_folder import work_folder
from rfdn_video.settings import Settings
from rfdn_video.stamp import Stamp

__all__ = ["Order"]


@dataclass(frozen=True)
class Order:
    """One film.

    Attributes:
        source, output: absolute, and the same on every machine.
        settings: how; the device is what Ray gives the worker.
        pictures: of a segment, about.
        stamp: of the source, as the driver sees it.
        job: what every worker must find the same, see :mod:`rfdn_video.cluster.handshake`; empty until one has said it.
    """

    source: Path
    output: Path
    settings: Settings
    pictures: int
    stamp: Stamp | None
    job: Mapping[str, str] = field(default_factory=dict)

    @property
    def work(self) -> Path:
        """The shared folder in which segments are published."""
        return work_folder(self.output)

    def is_there(self) -> bool:
        """Source and folder can be seen from here."""
        return self.work.is_dir() and self.source.exists()
