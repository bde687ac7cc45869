"""What tells at a glance whether a file has changed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

__all__ = ["Stamp"]


@dataclass(frozen=True)
class Stamp:
    """Size in bytes and modification time in nanoseconds: equal while a file is unchanged."""

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
