"""What the results of a source are called, so that those of two sources never meet."""

from __future__ import annotations

from pathlib import Path

from rfdn_video.batch.ledger import Ledger
from rfdn_video.batch.sources import Source

__all__ = ["label_for", "result_path"]


def label_for(ledger: Ledger, source: Source) -> str:
    """The stem, unless results of another file are called so; then the whole name, then with a number."""
    if (label := ledger.label_of(source.path, source.folder)) is not None:
        return label
    names = [source.stem, source.path.name.replace(".", "_")]
    names += [f"{names[1]}_{number}" for number in range(2, 1000)]
    return next(name for name in names if ledger.owner_of(source.folder, name) is None)


def result_path(folder: Path, label: str, source: Path, staged: Path) -> Path:
    """Where a result goes that is called after its source while it is made: ``<label>_x2.<suffix>``."""
    return folder / (label + staged.name.removeprefix(source.stem))
