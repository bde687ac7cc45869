"""Short names for several files, each its own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

__all__ = ["distinct_file_names", "distinct_names"]


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
    return _first_distinct(ways, whole)


def distinct_file_names(paths: Sequence[Path]) -> list[str]:
    """The names with their suffixes; where they repeat, all with their folders before them, or the whole paths."""
    whole = [path.absolute() for path in paths]
    return _first_distinct(([path.name for path in whole], [f"{p.parent.name}/{p.name}" for p in whole]), whole)


def _first_distinct(ways: Sequence[list[str]], whole: list[Path]) -> list[str]:
    return next((names for names in ways if len(set(names)) == len(set(whole))), [str(path) for path in whole])
