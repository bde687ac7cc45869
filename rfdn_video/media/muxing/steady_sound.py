"""PCM in MP4 and MOV, which count its samples and store no times: what has a gap or overlaps is made steady."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from av.packet import Packet

from rfdn_video.errors import OutputError
from rfdn_video.media.muxing.carriers import Record
from rfdn_video.media.timing import exact

__all__ = ["JITTER", "SteadySound", "is_pcm"]

JITTER = Fraction(1, 100)
"""Seconds that times may be off: less is how containers round and recorders stamp, and silence there would click."""
MAX_SILENCE = 3600  # seconds; more is a damaged time, or a file of many gigabytes

# Bytes of silence (ITU-T G.711 for the two laws); of all other PCM that MP4 and MOV hold it is 0.
_SILENCE = {"pcm_u8": 0x80, "pcm_alaw": 0xD5, "pcm_mulaw": 0xFF}


def is_pcm(record: Record) -> bool:
    """The stream is PCM in the output."""
    return (record.stream.codec or record.stream.source.codec).startswith("pcm_")


class SteadySound:
    """Puts silence where nothing is, and leaves out what would be heard at the time of what came before.

    Args:
        record: of the stream, which is PCM.
        stream: in the output.
    """

    def __init__(self, record: Record, stream: Any) -> None:
        codec, context = record.stream.codec or record.stream.source.codec, stream.codec_context
        bits = re.search(r"\d+", codec)
        self._record, self._stream = record, stream
        self._sample = (int(bits[0]) // 8 if bits else 1) * context.layout.nb_channels  # bytes of all its channels
        self._silence = _SILENCE.get(codec, 0)
        self._rate = context.sample_rate
        self._next: int | None = None

    def placed(self, packet: Packet[Any]) -> Iterator[Packet[Any]]:
        """The packet, its time counted in samples, with the silence before it.

        Raises:
            OutputError: the gap is too long.
        """
        ticks = packet.pts if packet.pts is not None else packet.dts
        begin = round((ticks or 0) * exact(packet.time_base) * self._rate)
        content = bytes(packet)
        if self._next is None:
            self._next = begin
        ahead = begin - self._next
        if ahead > JITTER * self._rate:
            yield from self._silent(ahead)
        elif ahead < -JITTER * self._rate:
            self._record.repaired += 1
            content = content[-ahead * self._sample :]
        if content:
            yield self._packet(content)

    def _silent(self, samples: int) -> Iterator[Packet[Any]]:
        if samples > MAX_SILENCE * self._rate:
            raise OutputError(
                f"{self._record.stream} has a gap of {samples // self._rate} s, which MP4 and MOV hold as silence only "
                f"(up to {MAX_SILENCE} s is written); write to .mkv, or encode it with --audio aac"
            )
        while samples:
            piece = min(samples, self._rate)
            yield self._packet(bytes([self._silence]) * (piece * self._sample))
            samples -= piece

    def _packet(self, content: bytes) -> Packet[Any]:
        assert self._next is not None
        packet: Packet[Any] = Packet(content)
        packet.stream, packet.time_base, packet.is_keyframe = self._stream, Fraction(1, self._rate), True
        packet.pts = packet.dts = self._next
        packet.duration = len(content) // self._sample
        self._next += packet.duration
        return packet
