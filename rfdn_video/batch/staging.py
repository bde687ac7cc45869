"""Where things lie while a file is under way: the folder of its unfinished result, and pictures of it."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, get_args

__all__ = ["PICTURES", "Picture", "staging_path", "thumbnail_path"]

type Picture = Literal["before", "after", "detail-before", "detail-after"]
PICTURES: tuple[Picture, ...] = get_args(Picture.__value__)


def staging_path(folder: Path, number: int) -> Path:
    """That of an entry of the ledger which lies in ``folder``."""
    return folder / "work" / str(number)


def thumbnail_path(staging: Path, picture: Picture) -> Path:
    """The file of a picture: of a whole frame, or of its middle at full size."""
    return staging / f"thumbnail-{picture}.jpg"
