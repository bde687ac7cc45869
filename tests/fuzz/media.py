"""Harm done to media files, blindly and with knowledge of their structure. All of it follows from the generator."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random

__all__ = ["mutate_media"]

type Mutation = Callable[[bytearray, Random], None]

NUMBERS = (
    0,
    1,
    2,
    7,
    255,
    256,
    32767,
    65535,
    65536,
    2**24,
    2**31 - 1,
    2**31,
    2**32 - 1,
    2**53,
    2**62,
    2**63 - 1,
    2**64 - 1,
)
CONTAINERS = frozenset(
    (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"edts", b"dinf", b"udta", b"moof", b"traf", b"mvex")
)
MASTERS = frozenset(
    bytes.fromhex(name)
    for name in (
        "1a45dfa3",
        "18538067",
        "114d9b74",
        "1549a966",
        "1654ae6b",
        "ae",
        "e0",
        "e1",
        "1f43b675",
        "a0",
        "1c53bb6b",
    )
)
MASTERS |= frozenset(
    bytes.fromhex(name) for name in ("bb", "b7", "1043a770", "45b9", "b6", "1941a469", "61a7", "1254c367")
)


@dataclass(frozen=True)
class Part:
    """A box, element or packet: where it begins, where its content begins, and where it ends."""

    start: int
    payload: int
    end: int


def mutate_media(data: bytes, random: Random) -> bytes:
    """One to four changes, of which most know the structure."""
    harmed = bytearray(data)
    for _ in range(random.choice((1, 1, 2, 4))):
        random.choice(BLIND + STRUCTURAL + STRUCTURAL)(harmed, random)
    return bytes(harmed)


def _flip(data: bytearray, random: Random) -> None:
    begin, end = _region(data, random)
    for _ in range(random.choice((1, 2, 8, 64))):
        data[random.randrange(begin, end)] ^= 1 << random.randrange(8)


def _truncate(data: bytearray, random: Random) -> None:
    del data[random.randrange(len(data)) + 1 :]


def _remove(data: bytearray, random: Random) -> None:
    begin, end = _region(data, random)
    if end - begin < len(data) - 16:
        del data[begin:end]


def _repeat(data: bytearray, random: Random) -> None:
    begin, end = _region(data, random)
    data[end:end] = data[begin:end]


def _blank(data: bytearray, random: Random) -> None:
    begin, end = _region(data, random)
    data[begin:end] = random.choice((b"\0", b"\xff")) * (end - begin)


def _number(data: bytearray, random: Random) -> None:
    _put(data, random.randrange(len(data)), random)


def _exchange(data: bytearray, random: Random) -> None:
    (a, b), (c, d) = sorted((_region(data, random), _region(data, random)))
    if b <= c:
        data[a:d] = data[c:d] + data[b:c] + data[a:b]


def _in_a_part(data: bytearray, random: Random) -> None:
    """A number somewhere in a part's content, where most containers keep theirs: at a multiple of four."""
    if part := _choose(data, random):
        length = max(1, min(part.end, len(data)) - part.payload)
        _put(data, part.payload + random.randrange(length) // 4 * 4, random)


def _size_of_a_part(data: bytearray, random: Random) -> None:
    if part := _choose(data, random):
        at = part.start if data[4:8] == b"ftyp" else max(part.start, part.payload - random.randrange(1, 9))
        size = random.choice((0, 1, 7, 8, 9, part.end - part.start + random.randrange(-9, 9), random.choice(NUMBERS)))
        data[at : at + 4] = struct.pack(">I", size & 0xFFFFFFFF)


def _part_goes(data: bytearray, random: Random) -> None:
    if (part := _choose(data, random)) and part.end - part.start < len(data) - 16:
        del data[part.start : part.end]


def _part_twice(data: bytearray, random: Random) -> None:
    if (part := _choose(data, random)) and part.end - part.start < 1 << 16:
        data[part.end : part.end] = data[part.start : part.end] * random.choice((1, 2, 50))


def _parts_exchanged(data: bytearray, random: Random) -> None:
    parts = list(_parts(data))
    if len(parts) > 1:
        one, other = sorted(random.sample(parts, 2), key=lambda part: part.start)
        if one.end <= other.start:
            middle = data[one.end : other.start]
            data[one.start : other.end] = data[other.start : other.end] + middle + data[one.start : one.end]


def _part_of_noise(data: bytearray, random: Random) -> None:
    if part := _choose(data, random):
        end = min(part.end, len(data), part.payload + 4096)
        data[part.payload : end] = random.randbytes(max(0, end - part.payload))


BLIND: tuple[Mutation, ...] = (_flip, _flip, _truncate, _remove, _repeat, _blank, _number, _exchange)
STRUCTURAL: tuple[Mutation, ...] = (
    _in_a_part,
    _in_a_part,
    _in_a_part,
    _size_of_a_part,
    _part_goes,
    _part_twice,
    _parts_exchanged,
    _part_of_noise,
)


def _region(data: bytearray, random: Random) -> tuple[int, int]:
    """More often near the beginning or the end, where headers and indices are."""
    length = max(1, min(len(data), random.choice((1, 4, 16, 256, 4096))))
    latest = len(data) - length
    near = random.randrange(min(latest, 4096) + 1)
    begin = random.choice((near, latest - near, random.randrange(latest + 1)))
    return begin, begin + length


def _put(data: bytearray, at: int, random: Random) -> None:
    number, size = random.choice(NUMBERS), random.choice((1, 2, 4, 4, 8))
    data[at : at + size] = (number % (1 << 8 * size)).to_bytes(size, random.choice(("big", "big", "little")))


def _choose(data: bytearray, random: Random) -> Part | None:
    """Small parts are as likely as large ones, so headers are harmed more often than pictures."""
    parts = list(_parts(data))
    return random.choice(parts) if parts else None


def _parts(data: bytearray) -> Iterator[Part]:
    if data[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"free"):
        yield from _boxes(data, 0, len(data))
    elif data[:4] == b"\x1a\x45\xdf\xa3":
        yield from _elements(data, 0, len(data))
    elif data[:4] == b"RIFF":
        yield from _chunks(data, 0, len(data))
    elif data[:1] == b"G":
        yield from (Part(at, at + 4, at + 188) for at in range(0, len(data) - 187, 188))
    else:
        yield from (Part(at, at, at + 64) for at in range(0, len(data) - 63, 64))


def _boxes(data: bytearray, begin: int, end: int) -> Iterator[Part]:
    while begin + 8 <= end:
        size, name = struct.unpack_from(">I4s", data, begin)
        if size < 8:
            return
        part = Part(begin, begin + 8, min(end, begin + size))
        yield part
        if name in CONTAINERS:
            yield from _boxes(data, part.payload, part.end)
        begin += size


def _elements(data: bytearray, begin: int, end: int) -> Iterator[Part]:
    while begin + 2 <= end and data[begin]:
        at = begin + 9 - data[begin].bit_length()
        if at >= end or not data[at]:
            return
        width = 9 - data[at].bit_length()
        size = int.from_bytes(data[at : at + width]) ^ 1 << 7 * width
        unknown = size == (1 << 7 * width) - 1
        part = Part(begin, at + width, end if unknown else min(end, at + width + size))
        yield part
        if bytes(data[begin:at]) in MASTERS:
            yield from _elements(data, part.payload, part.end)
        begin = part.end


def _chunks(data: bytearray, begin: int, end: int) -> Iterator[Part]:
    while begin + 8 <= end:
        size = struct.unpack_from("<I", data, begin + 4)[0]
        part = Part(begin, begin + 8, min(end, begin + 8 + size))
        yield part
        if data[begin : begin + 4] in (b"RIFF", b"LIST"):
            yield from _chunks(data, part.payload + 4, part.end)
        begin += 8 + size + size % 2
