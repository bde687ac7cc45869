"""Surgery on MP4 files that FFmpeg has written: boxes that its muxer cannot be told to write."""

from __future__ import annotations

import struct


def box(name: bytes, content: bytes) -> bytes:
    """As ISO/IEC 14496-12, section 4.2, has it."""
    return struct.pack(">I4s", 8 + len(content), name) + content


def with_box(data: bytes, added: bytes, entry: bytes) -> bytes:
    """At the end of a sample entry, such as ``avc1``; the index must lie behind the pictures."""
    assert data.index(b"mdat") < data.index(b"moov")
    changed, at = bytearray(data), 0
    for name in (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd", entry):
        at = data.index(name, at)
        size = struct.unpack(">I", data[at - 4 : at])[0]
        changed[at - 4 : at] = struct.pack(">I", size + len(added))
    end = at - 4 + size
    return bytes(changed[:end]) + added + bytes(changed[end:])
