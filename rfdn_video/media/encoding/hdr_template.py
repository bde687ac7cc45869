"""The smallest MP4 that describes a video stream with mastering display and light level.

A stream of an output cannot be told of them through PyAV; it can only inherit them from a stream of an input.
Boxes: ISO/IEC 14496-12; ``mdcv`` and ``clli`` are in its section 12.1.6.
"""

from __future__ import annotations

import struct

from rfdn_video.media.hdr import HDRMetadata

__all__ = ["HDR_CODECS", "hdr_template"]

_SAMPLE_ENTRIES = {"h264": b"avc1", "hevc": b"hvc1", "av1": b"av01", "vp9": b"vp09", "ffv1": b"FFV1", "prores": b"apch"}
HDR_CODECS = frozenset(_SAMPLE_ENTRIES)
"""FFmpeg's names of the codecs that there is a template for."""


def hdr_template(codec: str, hdr: HDRMetadata) -> bytes:
    """A file that holds no pictures, only a stream of ``codec`` with ``hdr``."""
    described = _full_box(b"stsd", struct.pack(">I", 1), _sample_entry(codec, hdr))
    media = _box(b"minf", _box(b"stbl", described))
    header = _full_box(b"mdhd", struct.pack(">4I2H", 0, 0, 1, 0, 0x55C4, 0))  # a tick is a second; no language
    handler = _full_box(b"hdlr", struct.pack(">I4s", 0, b"vide"), bytes(13))
    return _box(b"ftyp", b"isom", bytes(4)) + _box(b"moov", _box(b"trak", _box(b"mdia", header, handler, media)))


def _sample_entry(codec: str, hdr: HDRMetadata) -> bytes:
    size = struct.pack(">2H2I4xH32x2H", 16, 16, 72 << 16, 72 << 16, 1, 24, 0xFFFF)
    visual = struct.pack(">6xH16x", 1) + size
    return _box(_SAMPLE_ENTRIES[codec], visual, _mastering_display(hdr), _light_level(hdr))


def _mastering_display(hdr: HDRMetadata) -> bytes:
    if not hdr.primaries:
        return b""
    red, green, blue, white, (lowest, highest) = hdr.primaries
    chromaticities = (round(value * 50_000) for point in (green, blue, red, white) for value in point)
    return _box(b"mdcv", struct.pack(">8H2I", *chromaticities, round(highest * 10_000), round(lowest * 10_000)))


def _light_level(hdr: HDRMetadata) -> bytes:
    return _box(b"clli", struct.pack(">2H", *hdr.light)) if hdr.light is not None else b""


def _box(name: bytes, *content: bytes) -> bytes:
    return struct.pack(">I4s", 8 + sum(map(len, content)), name) + b"".join(content)


def _full_box(name: bytes, *content: bytes) -> bytes:
    return _box(name, bytes(4), *content)
