"""Writes into a finished Matroska file what the muxer cannot be told through PyAV: the display shape.

FFmpeg's muxer leaves a Void element between SeekHead and Tracks. Tracks grows at its front into
that space, so that nothing behind it moves. Element numbers: RFC 9559; EBML: RFC 8794.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

__all__ = ["HEAD_SIZE", "segment_end", "set_display_shape"]

_SEGMENT, _SEEK_HEAD, _TRACKS = b"\x18\x53\x80\x67", b"\x11\x4d\x9b\x74", b"\x16\x54\xae\x6b"
_VOID, _CRC = b"\xec", b"\xbf"
_SEEK, _SEEK_POSITION = b"\x4d\xbb", b"\x53\xac"
_TRACK_ENTRY, _VIDEO = b"\xae", b"\xe0"
_DISPLAY_WIDTH, _DISPLAY_HEIGHT, _DISPLAY_UNIT = b"\x54\xb0", b"\x54\xba", b"\x54\xb2"
_UNIT_ASPECT_RATIO = 3

HEAD_SIZE = 1 << 22  # of a file, in bytes: ample for everything up to Tracks


@dataclass(frozen=True)
class _Element:
    name: bytes
    start: int
    payload: int
    end: int


def set_display_shape(path: Path, aspect_ratio: Fraction) -> bool:
    """Sets the display aspect ratio (width : height of the picture as shown) of the first video track.

    Returns:
        False where the file is not laid out as FFmpeg's muxer does; then nothing is changed.
    """
    with path.open("r+b") as file:
        head = file.read(HEAD_SIZE)
        segment = next((e for e in _elements(head, 0, len(head)) if e.name == _SEGMENT), None)
        if segment is None:
            return False
        children = []
        for element in _elements(head, segment.payload, len(head)):
            children.append(element)
            if element.name == _TRACKS:
                break
        names = [e.name for e in children]
        if names[:2] != [_SEEK_HEAD, _VOID] or names[-1] != _TRACKS or children[-1].end > len(head):
            return False
        patched = _patch(head, segment, children, aspect_ratio)
        if patched is None:
            return False
        file.seek(children[0].start)
        file.write(patched)
        return True


def segment_end(head: bytes) -> int | None:
    """Where the segment that begins in ``head`` ends; None where it does not say, as in a live recording."""
    segment = next((e for e in _elements(head, 0, len(head)) if e.name == _SEGMENT), None)
    if segment is None:
        return None
    bits = 7 * (segment.payload - segment.start - len(segment.name))
    unknown = (1 << bits) - 1  # RFC 8794, section 6.2
    return None if segment.end - segment.payload == unknown else segment.end


def _patch(head: bytes, segment: _Element, children: list[_Element], aspect_ratio: Fraction) -> bytes | None:
    """The bytes from SeekHead to the end of Tracks anew, as long as they were."""
    seek_head, void, tracks = children[0], children[1], children[-1]
    new_tracks = _element(_TRACKS, _with_shape(head[tracks.payload : tracks.end], aspect_ratio))
    growth = len(new_tracks) - (tracks.end - tracks.start)
    room = void.end - void.start - growth
    if room < 9:
        return None
    moved = {e.start - segment.payload for e in children[2:]}
    new_seek_head = _element(_SEEK_HEAD, _with_positions(head[seek_head.payload : seek_head.end], moved, -growth))
    if len(new_seek_head) != seek_head.end - seek_head.start:
        return None
    new_void = _VOID + (room - 9 | 1 << 56).to_bytes(8) + bytes(room - 9)
    between = head[void.end : tracks.start]
    return new_seek_head + new_void + between + new_tracks


def _with_shape(tracks: bytes, aspect_ratio: Fraction) -> bytes:
    parts, done = [], False
    for entry in _elements(tracks, 0, len(tracks)):
        content = tracks[entry.payload : entry.end]
        fields = list(_elements(content, 0, len(content))) if entry.name == _TRACK_ENTRY and not done else []
        if any(field.name == _VIDEO for field in fields):
            done = True
            shaped = b"".join(_video_with_shape(content, field, aspect_ratio) for field in fields)
            parts.append(_element(entry.name, shaped))
        elif entry.name != _CRC:
            parts.append(tracks[entry.start : entry.end])  # as it is: a shorter one would move what is behind
    return _master(tracks, parts)


def _video_with_shape(entry: bytes, field: _Element, aspect_ratio: Fraction) -> bytes:
    if field.name != _VIDEO:
        return entry[field.start : field.end]
    replaced = (_DISPLAY_WIDTH, _DISPLAY_HEIGHT, _DISPLAY_UNIT)
    kept = [e for e in _elements(entry, field.payload, field.end) if e.name not in replaced]
    values = (aspect_ratio.numerator, aspect_ratio.denominator, _UNIT_ASPECT_RATIO)
    shape = b"".join(
        _element(name, value.to_bytes((value.bit_length() + 7) // 8))
        for name, value in zip(replaced, values, strict=True)
    )
    return _element(_VIDEO, b"".join(entry[e.start : e.end] for e in kept) + shape)


def _with_positions(seek_head: bytes, moved: set[int], shift: int) -> bytes:
    parts = []
    for seek in _elements(seek_head, 0, len(seek_head)):
        content = seek_head[seek.payload : seek.end]
        if seek.name == _SEEK:
            content = b"".join(_shifted(content, field, moved, shift) for field in _elements(content, 0, len(content)))
        if seek.name != _CRC:
            parts.append(_element(seek.name, content))
    return _master(seek_head, parts)


def _shifted(seek: bytes, field: _Element, moved: set[int], shift: int) -> bytes:
    content = seek[field.payload : field.end]
    if field.name == _SEEK_POSITION and (position := int.from_bytes(content)) in moved:
        content = (position + shift).to_bytes(len(content))
    return _element(field.name, content)


def _master(before: bytes, parts: list[bytes]) -> bytes:
    """A master element's new content, behind its checksum if it had one before (RFC 8794, section 11.3.1)."""
    content = b"".join(parts)
    checksum = _element(_CRC, zlib.crc32(content).to_bytes(4, "little")) if before.startswith(_CRC) else b""
    return checksum + content


def _element(name: bytes, content: bytes) -> bytes:
    length = next(n for n in range(1, 9) if len(content) < (1 << 7 * n) - 1)
    return name + (len(content) | 1 << 7 * length).to_bytes(length) + content


def _elements(data: bytes, begin: int, end: int) -> Iterator[_Element]:
    """Walks the elements side by side in ``data[begin:end]``; the last may reach beyond it."""
    while begin < end - 1:
        name_length = 9 - data[begin].bit_length()
        at = begin + name_length
        if name_length > 4 or at >= end or not data[at]:
            return
        size_length = 9 - data[at].bit_length()
        size = int.from_bytes(data[at : at + size_length]) ^ 1 << 7 * size_length
        payload = at + size_length
        yield _Element(data[begin:at], begin, payload, payload + size)
        begin = payload + size
