"""Finds files that are cut off: their own headers promise more than there is, or what closes a whole one is missing.

A demuxer reads such a file to where it breaks off, and says nothing. Only a file's head and tail are looked at, and
only for what no whole file lacks, however it was written. Of MPEG transport and program streams, bare video, and live
recordings of most kinds a part is as good as the whole: they do not say.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from rfdn_video.errors import InputError
from rfdn_video.media.boxes import boxes
from rfdn_video.media.formats import planar_layout
from rfdn_video.media.matroska import HEAD_SIZE, segment_end

__all__ = ["missing_bytes"]

_AT_LEAST = 1
"""Where one knows no more than that something is missing."""


def missing_bytes(path: Path) -> int:
    """How much of a file's end is missing, at least; 0 where nothing is, or where its container does not say."""
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(16)
        missing = next((sign for magic, sign in _SIGNS if re.match(magic, head, re.DOTALL)), None)
        return 0 if missing is None else max(0, missing(file, size))


def _of_mp4(file: BinaryIO, size: int) -> int:
    """ISO/IEC 14496-12, section 4.2; MOV too."""
    ends = [box.end for box in boxes(file, 0, size)]
    return ends[-1] - size if ends else 0


def _of_matroska(file: BinaryIO, size: int) -> int:
    """RFC 9559; WebM too."""
    return (segment_end(_read(file, 0, HEAD_SIZE)) or 0) - size


def _of_avi(file: BinaryIO, size: int) -> int:
    """Where the last RIFF chunk ends; large AVIs have several. A recording that was not closed says 0."""
    position = 0
    while position + 8 <= size:
        header = _read(file, position, 8)
        length = int.from_bytes(header[4:], "little")
        if header[:4] != b"RIFF" or not length:
            break
        position += 8 + length + length % 2
    return position - size


def _of_asf(file: BinaryIO, size: int) -> int:
    """The Data Object behind the Header Object says how long it is (ASF specification 01.20.03, section 5.1)."""
    begin = int.from_bytes(_read(file, 16, 8), "little")
    length = int.from_bytes(_read(file, begin + 16, 8), "little")
    return begin + length - size  # of a live recording, its own 50 bytes


def _of_flv(file: BinaryIO, size: int) -> int:
    """Behind each tag its length is repeated (Adobe's FLV 10.1, annex E.3); not by all writers, so the first tells."""

    def is_tag(begin: int, length: int) -> bool:
        return begin >= 13 and length == 11 + int.from_bytes(_read(file, begin + 1, 3))

    first = 11 + int.from_bytes(_read(file, 14, 3))
    repeated, last = (int.from_bytes(_read(file, at, 4)) for at in (13 + first, size - 4))
    return _AT_LEAST if repeated == first and last and not is_tag(size - 4 - last, last) else 0


def _of_ogg(file: BinaryIO, size: int) -> int:
    """The last page is whole, and the last of its stream (RFC 3533, section 6)."""
    tail = _tail(file, size, 1 << 16)  # no page is longer
    page = tail[max(0, tail.rfind(b"OggS\0")) :]
    sizes = page[27 : 27 + page[26]] if len(page) > 26 else b""
    if len(page) < 27 or len(sizes) < page[26]:
        return _AT_LEAST
    ends_stream = page[5] & 4
    return 27 + len(sizes) + sum(sizes) - len(page) or (0 if ends_stream else _AT_LEAST)


def _of_mxf(file: BinaryIO, size: int) -> int:
    """The header says where the footer is, where it knows (SMPTE ST 377-1, section 7.1)."""
    begin = 17 + max(0, int.from_bytes(_read(file, 16, 1)) - 0x80)  # behind key and BER length
    footer = int.from_bytes(_read(file, begin + 24, 8))
    return footer + 16 - size if footer else 0


def _of_rm(file: BinaryIO, size: int) -> int:
    """The DATA chunk says how long it is; FFmpeg says 10 bytes more, and in a live recording nothing."""
    position = 0
    while position + 8 <= size:
        header = _read(file, position, 8)
        length = int.from_bytes(header[4:])
        if header[:4] == b"DATA":
            return position + length - 10 - size
        position += max(8, length)
    return _AT_LEAST


def _of_gif(file: BinaryIO, size: int) -> int:
    """The last picture's end and the trailer (GIF89a, section 27); some have a little padding behind them."""
    return 0 if b"\0;" in _tail(file, size, 256) else _AT_LEAST


def _of_y4m(file: BinaryIO, size: int) -> int:
    """All pictures take the same number of bytes (yuv4mpeg(5)), unless some say more of themselves."""
    head, _, rest = _read(file, 0, 1024).partition(b"\n")
    picture = _bytes_of_y4m_picture(head.decode("latin-1"))
    if picture is None or not rest.startswith(b"FRAME\n"):
        return 0
    return -(size - len(head) - 1) % (len(b"FRAME\n") + picture)


def _bytes_of_y4m_picture(head: str) -> int | None:
    words = {word[0]: word[1:] for word in head.split()[1:]}
    chroma = re.match(r"(mono|\d{3})(?:p?(\d+))?(alpha)?", words.get("C", "420"))
    if chroma is None or "m" in words.get("I", ""):
        return None
    family = "gray" if chroma[1] == "mono" else f"yuv{'a' if chroma[3] else ''}{chroma[1]}p"
    try:
        layout = planar_layout(f"{family}{chroma[2] or ''}")
        planes = layout.plane_sizes(int(words["W"]), int(words["H"]))
    except (InputError, KeyError, ValueError):
        return None
    return sum(height * width for height, width in planes) * (1 if layout.depth == 8 else 2)


def _of_dv(file: BinaryIO, size: int) -> int:
    """Pictures of 525 or 625 lines take that many bytes, or two or four times as many (SMPTE 314M and 370M)."""
    return -size % (144_000 if int.from_bytes(_read(file, 3, 1)) & 0x80 else 120_000)


def _of_nut(file: BinaryIO, size: int) -> int:
    """The index, which ends with its own length and a checksum; FFmpeg writes one into pipes too."""
    length = int.from_bytes(_read(file, size - 12, 8))
    return 0 if 12 < length <= size and _read(file, size - length, 8) == _NUT_INDEX else _AT_LEAST


_NUT_INDEX = bytes.fromhex("4e58dd672f23e64e")

# By the first bytes, as patterns.
_SIGNS: tuple[tuple[bytes, Callable[[BinaryIO, int], int]], ...] = (
    (rb".{4}(?:ftyp|moov|mdat|wide|free|skip)", _of_mp4),
    (rb"\x1a\x45\xdf\xa3", _of_matroska),
    (rb"RIFF", _of_avi),
    (rb"\x30\x26\xb2\x75\x8e\x66\xcf\x11", _of_asf),
    (rb"FLV\x01", _of_flv),
    (rb"OggS", _of_ogg),
    (rb"\x06\x0e\x2b\x34\x02\x05\x01\x01\x0d\x01\x02\x01\x01\x02", _of_mxf),
    (rb"\.RMF", _of_rm),
    (rb"GIF8", _of_gif),
    (rb"YUV4MPEG2 ", _of_y4m),
    (rb"\x1f\x07\x00", _of_dv),
    (rb"nut/multimedia c", _of_nut),
)


def _read(file: BinaryIO, position: int, count: int) -> bytes:
    file.seek(max(0, position))
    return file.read(count)


def _tail(file: BinaryIO, size: int, count: int) -> bytes:
    return _read(file, size - count, count)
