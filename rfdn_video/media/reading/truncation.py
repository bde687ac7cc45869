"""Finds files that are cut off: their own headers promise more bytes than there are.

A demuxer reads such a file to where it breaks off, and says nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from rfdn_video.media.matroska import HEAD_SIZE, segment_end

__all__ = ["missing_bytes", "top_level_boxes"]


def missing_bytes(path: Path) -> int:
    """How much of a file's end is missing; 0 where nothing is, or where its container does not say.

    MP4 and MOV (ISO/IEC 14496-12, section 4.2), Matroska and WebM (RFC 9559), and AVI (RIFF) say.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(HEAD_SIZE)
    if head[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip"):
        ends = [start + length for _, start, length in top_level_boxes(path)]
        return max(0, ends[-1] - size) if ends else 0
    if head[:4] == b"RIFF":
        return max(0, _riff_end(path) - size)
    return max(0, (segment_end(head) or 0) - size)


def top_level_boxes(path: Path) -> Iterator[tuple[bytes, int, int]]:
    """(name, start, length) of the boxes of an MP4 side by side; the last one may reach beyond the file."""
    size = path.stat().st_size
    with path.open("rb") as file:
        position = 0
        while position + 8 <= size:
            file.seek(position)
            header = file.read(16)
            length = int.from_bytes(header[:4])
            if length == 1:
                length = int.from_bytes(header[8:16])
            elif length == 0:  # to the end of the file
                length = size - position
            if length < 8:
                return
            yield header[4:8], position, length
            position += length


def _riff_end(path: Path) -> int:
    """Where the last RIFF chunk ends; large AVIs have several. A recording that was not closed says 0."""
    size, position = path.stat().st_size, 0
    with path.open("rb") as file:
        while position + 8 <= size:
            file.seek(position)
            header = file.read(8)
            length = int.from_bytes(header[4:], "little")
            if header[:4] != b"RIFF" or not length:
                break
            position += 8 + length + length % 2
    return position
