"""Writes into a finished MOV what FFmpeg's muxer does not: languages that the Macintosh had no number for.

QuickTime takes the three letters of ISO 639-2, packed as in MP4 (QuickTime File Format, "Language Code Values").
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

__all__ = ["is_packable", "set_languages"]

# Behind version and flags: times of creation and change, time scale, duration; longer ones in version 1.
_LANGUAGE_AT = {0: 20, 1: 32}


def is_packable(language: str) -> bool:
    """It is of three letters, which is what MP4 and MOV hold."""
    return re.fullmatch("[a-z]{3}", language) is not None


def set_languages(path: Path, languages: Sequence[str | None]) -> None:
    """Sets the languages of the first tracks, in their order; None, and what is not packable, changes nothing."""
    with path.open("r+b") as file:
        for movie in _boxes(file, b"moov", 0, path.stat().st_size):
            for language, track in zip(languages, _boxes(file, b"trak", *movie), strict=False):
                if language is not None and is_packable(language):
                    for header in _headers(file, track):
                        _set_language(file, header, language)


def _headers(file: BinaryIO, track: tuple[int, int]) -> Iterator[tuple[int, int]]:
    for media in _boxes(file, b"mdia", *track):
        yield from _boxes(file, b"mdhd", *media)


def _set_language(file: BinaryIO, header: tuple[int, int], language: str) -> None:
    begin, _ = header
    file.seek(begin)
    file.seek(begin + _LANGUAGE_AT[file.read(1)[0]])
    first, second, third = (ord(letter) - 0x60 for letter in language)
    file.write((first << 10 | second << 5 | third).to_bytes(2))


def _boxes(file: BinaryIO, name: bytes, begin: int, end: int) -> Iterator[tuple[int, int]]:
    """Where the contents of the boxes of this name begin and end, side by side from ``begin`` to ``end``."""
    while begin + 8 <= end:
        file.seek(begin)
        header = file.read(16)
        length, start = int.from_bytes(header[:4]), 8
        if length == 1:
            length, start = int.from_bytes(header[8:]), 16
        if header[4:8] == name:
            yield begin + start, begin + length
        begin += max(length, 8)
