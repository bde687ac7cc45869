"""Where things lie while a file is under way: the folder of its unfinished result, and pictures of it."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, get_args

__all__ = ["SIDES", "Side", "staging_path", "thumbnail_path"]

type Side = Literal["before", "after"]
SIDES: tuple[Side, ...] = get_args(Side.__value__)


def staging_path(folder: Path, number: int) -> Path:
    """That of an entry of the ledger which lies in ``folder``."""
    return folder / "work" / str(number)


def thumbnail_path(staging: Path, side: Side) -> Path:
    """The picture of a frame before or after."""
    return staging / f"thumbnail-{side}.jpg"
