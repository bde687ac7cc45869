"""What an encoded picture holds, however its container wraps it: for comparing what went in with what is there."""

from __future__ import annotations

import re

__all__ = ["payload"]

# A start code with the zero bytes before it; a NAL unit never ends with one (ITU-T H.264, 7.4.1).
_START_CODE = re.compile(rb"\x00*\x00\x00\x01")
_TEMPORAL_DELIMITER = b"\x12\x00"


def payload(codec: str, data: bytes) -> bytes:
    """A packet's content without what muxers change of it.

    H.264 and H.265 delimit their NAL units by start codes or by lengths (ISO/IEC 14496-15, section 4.3.3);
    their parameter sets may lie in the container's header only. AV1 leaves its temporal delimiters out in
    containers (AV1 in ISOBMFF, section 2.4).

    Args:
        codec: FFmpeg's name of it.
        data: of one packet.
    """
    if codec == "h264":
        return b"".join(unit for unit in _nal_units(data) if unit and unit[0] & 31 not in (7, 8))
    if codec == "hevc":
        return b"".join(unit for unit in _nal_units(data) if unit and unit[0] >> 1 & 63 not in (32, 33, 34))
    return data.removeprefix(_TEMPORAL_DELIMITER) if codec == "av1" else data


def _nal_units(data: bytes) -> list[bytes]:
    units, position = [], 0
    while position + 4 <= len(data):
        begin, position = position + 4, position + 4 + int.from_bytes(data[position : position + 4])
        units.append(data[begin:position])
    # Start codes read as lengths do not add up to the packet.
    return units if position == len(data) else _START_CODE.split(data)
