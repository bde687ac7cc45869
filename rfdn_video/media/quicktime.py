"""Writes into a finished MP4 or MOV what FFmpeg's muxer does not: languages in MOV, and what is not shown unasked.

QuickTime takes the three letters of ISO 639-2, packed as in MP4 (QuickTime File Format, "Language Code Values").
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from rfdn_video.media.boxes import Box, boxes

__all__ = ["disable_tracks", "is_packable", "set_languages"]

# Behind version and flags: times of creation and change, time scale, duration; longer ones in version 1.
_LANGUAGE_AT = {0: 20, 1: 32}
_FLAGS_AT, _ENABLED = 3, 1  # of a track's header: the last byte of its flags


def is_packable(language: str) -> bool:
    """It is of three letters, which is what MP4 and MOV hold."""
    return re.fullmatch("[a-z]{3}", language) is not None


def set_languages(path: Path, languages: Sequence[str | None]) -> None:
    """Sets the languages of the first tracks, in their order; None, and what is not packable, changes nothing."""
    with path.open("r+b") as file:
        for language, track in zip(languages, _tracks(file, path), strict=False):
            if language is not None and is_packable(language):
                for header in _inside(file, track, b"mdia", b"mdhd"):
                    _set_language(file, header.content, language)


def disable_tracks(path: Path, numbers: Iterable[int]) -> None:
    """Tracks of these numbers, counted from 0, are for who asks for them only (ISO/IEC 14496-12, section 8.3.2)."""
    with path.open("r+b") as file:
        tracks = _tracks(file, path)
        for number in numbers:
            for header in _inside(file, tracks[number], b"tkhd"):
                file.seek(header.content + _FLAGS_AT)
                flags = file.read(1)[0]
                file.seek(header.content + _FLAGS_AT)
                file.write(bytes([flags & ~_ENABLED]))


def _tracks(file: BinaryIO, path: Path) -> list[Box]:
    return list(_inside(file, Box(b"", 0, path.stat().st_size), b"moov", b"trak"))


def _set_language(file: BinaryIO, begin: int, language: str) -> None:
    file.seek(begin)
    file.seek(begin + _LANGUAGE_AT[file.read(1)[0]])
    first, second, third = (ord(letter) - 0x60 for letter in language)
    file.write((first << 10 | second << 5 | third).to_bytes(2))


def _inside(file: BinaryIO, around: Box, *names: bytes) -> Iterator[Box]:
    """The boxes of the last name, in those of the name before it, and so on."""
    for box in boxes(file, around.content, around.end):
        if box.name == names[0]:
            if names[1:]:
                yield from _inside(file, box, *names[1:])
            else:
                yield box
