"""Encoded packets in a file, exactly as the encoder gave them. (Containers round times, or lack decoding times.)"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from av.packet import Packet, PacketSideData, packet_sidedata_type_from_literal

__all__ = ["read_packets", "write_packet"]

_HEAD = struct.Struct("<qqqBBI")  # pts, dts, duration, key picture, pieces of side data, bytes
_SIDE = struct.Struct("<II")  # number of its type in FFmpeg, bytes
_FOR_STATISTICS = ("quality_stats", "cpb_properties")  # no muxer wants them of a packet


def write_packet(file: BinaryIO, packet: Packet[Any]) -> None:
    """Appends a packet.

    Raises:
        OSError: the disk refuses.
    """
    sides = [side for side in packet.iter_sidedata() if side.data_type not in _FOR_STATISTICS]
    content = bytes(packet)
    times = packet.pts, packet.dts, packet.duration or 0
    file.write(_HEAD.pack(*times, packet.is_keyframe, len(sides), len(content)) + content)
    for side in sides:
        data = bytes(side)
        file.write(_SIDE.pack(packet_sidedata_type_from_literal(side.data_type), len(data)) + data)  # type: ignore[arg-type]


def read_packets(path: Path) -> Iterator[Packet[Any]]:
    """The packets of a file in order; their time base is the writer's.

    Raises:
        OSError: it cannot be read.
        ValueError: it ends early.
    """
    with path.open("rb") as file:
        while head := file.read(_HEAD.size):
            pts, dts, duration, is_key, sides, size = _HEAD.unpack(_whole(head, _HEAD.size))
            packet: Packet[Any] = Packet(_whole(file.read(size), size))
            packet.pts, packet.dts, packet.duration, packet.is_keyframe = pts, dts, duration, bool(is_key)
            for _ in range(sides):
                kind, length = _SIDE.unpack(_whole(file.read(_SIDE.size), _SIDE.size))
                side = PacketSideData(kind, length)  # type: ignore[call-arg]
                side.update(_whole(file.read(length), length))
                packet.set_sidedata(side)
            yield packet


def _whole(data: bytes, size: int) -> bytes:
    if len(data) != size:
        raise ValueError("the file of packets ends early")
    return data
