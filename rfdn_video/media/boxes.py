"""The boxes that MP4 and MOV are made of (ISO/IEC 14496-12, section 4.2)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

__all__ = ["Box", "boxes"]


@dataclass(frozen=True)
class Box:
    """Where a box lies in its file.

    Attributes:
        name: its four letters.
        content: where what is in it begins.
        end: where it ends; of a file that is cut off, beyond the file.
    """

    name: bytes
    content: int
    end: int


def boxes(file: BinaryIO, begin: int, end: int) -> Iterator[Box]:
    """Those that lie side by side from ``begin`` to ``end``; what is no box ends them."""
    while begin + 8 <= end:
        file.seek(begin)
        header = file.read(16)
        length, before = int.from_bytes(header[:4]), 8
        if length == 1:
            length, before = int.from_bytes(header[8:]), 16
        elif length == 0:  # all the rest
            length = end - begin
        if length < before:
            return
        yield Box(header[4:8], begin + before, begin + length)
        begin += length
