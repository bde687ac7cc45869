"""What tells at a glance whether a file has changed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

__all__ = ["Stamp"]


@dataclass(frozen=True)
class Stamp:
    """Of a file that has not changed: size in bytes, time of change in nanoseconds."""

    size: int
    mtime: int

    @classmethod
    def of(cls, path: Path) -> Stamp | None:
        """Of a file; None where there is none."""
        try:
            status = path.stat()
        except OSError:
            return None
        return cls(status.st_size, status.st_mtime_ns)
