"""Short names for several files, each its own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

__all__ = ["distinct_names"]


def distinct_names(paths: Sequence[Path]) -> list[str]:
    """The stems; where stems repeat, all with their folders or suffixes before or behind them, or the whole paths.

    Only a file that is given twice has one name twice.
    """
    whole = [path.absolute() for path in paths]
    ways = (
        [path.stem for path in whole],
        [f"{path.parent.name}/{path.stem}" for path in whole],
        [path.name for path in whole],
    )
    return next((names for names in ways if len(set(names)) == len(set(whole))), [str(path) for path in whole])
