"""What need not be done, as far as the ledger can tell at a glance."""

from __future__ import annotations

from pathlib import Path

from rfdn_video.batch.ledger import Ledger
from rfdn_video.stamp import Stamp

__all__ = ["done_contents", "is_anothers", "is_done", "is_result"]


def is_result(ledger: Ledger, path: Path) -> bool:
    """A result of ours lies at ``path``: of a source that it has replaced, or in a folder that is both."""
    return any(entry.result_stands for entry in ledger.results_at(path))


def is_anothers(ledger: Ledger, path: Path, source: Path) -> bool:
    """At ``path`` is another source than ``source``, or the result of another: it may be the only copy.

    A result that looks different, as a backup leaves it that was played back, still is one.
    """
    return bool(ledger.others_at(path, source))


def is_done(ledger: Ledger, path: Path, settings: str) -> bool:
    """The file has not been touched since it was done with these settings, nor has its result."""
    entry = ledger.find(path, settings)
    return entry is not None and entry.state == "done" and entry.stamp == Stamp.of(path) and entry.result_stands


def done_contents(ledger: Ledger, path: Path, settings: str) -> frozenset[str]:
    """SHA-256 of what may be at ``path`` and is done all the same: touched only, or a result of ours."""
    contents = {entry.output_content for entry in ledger.results_at(path)}
    if (entry := ledger.find(path, settings)) is not None and entry.result_stands:
        contents.add(entry.content)
    return frozenset(content for content in contents if content is not None)
