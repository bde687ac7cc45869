"""Text subtitles of one kind become those of another."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any, cast

import av
from av.container import OutputContainer
from av.packet import Packet
from av.stream import Stream
from av.subtitles.codeccontext import SubtitleCodecContext
from av.subtitles.subtitle import AssSubtitle, SubtitleSet

from rfdn_video.media.muxing.carriers import Carrier, Record
from rfdn_video.media.muxing.overlaps import Cue, Overlaps
from rfdn_video.media.timing import exact

__all__ = ["SubtitleConverter"]

MILLISECOND = Fraction(1, 1000)


class SubtitleConverter(Carrier):
    """Decodes text subtitles and writes them as text of another kind."""

    def __init__(self, record: Record, source: Stream, output: OutputContainer) -> None:
        self.record = record
        assert record.stream.codec is not None
        self.stream = output.add_stream(record.stream.codec)
        self._decoder = cast("SubtitleCodecContext", source.codec_context)
        self._encoder = cast("SubtitleCodecContext", self.stream.codec_context)
        self._decoder.open(strict=False)  # only then it has a header
        self._encoder.subtitle_header = self._decoder.subtitle_header
        self._overlaps = Overlaps() if record.stream.codec == "mov_text" else None

    def feed(self, packet: Packet[Any]) -> Iterator[Packet[Any]]:
        begin = round((packet.pts or 0) * exact(packet.time_base) / MILLISECOND)
        length = round((packet.duration or 0) * exact(packet.time_base) / MILLISECOND)
        subtitles = self._decode(packet)
        for rect in subtitles.rects if subtitles is not None else ():
            if not isinstance(rect, AssSubtitle):
                continue
            if self._overlaps is None:
                yield self._encoded(Cue(begin, begin + length, rect.ass))
            else:
                self._overlaps.add(begin, length, rect.ass)

    def until(self, time: Fraction) -> Iterator[Packet[Any]]:
        if self._overlaps is not None:
            yield from map(self._encoded, self._overlaps.until(round(time / MILLISECOND)))

    def flush(self) -> Iterator[Packet[Any]]:
        if self._overlaps is not None:
            yield from map(self._encoded, self._overlaps.until())

    def _encoded(self, cue: Cue) -> Packet[Any]:
        packet = self._encoder.encode_subtitle(SubtitleSet.create(cue.event, 0, cue.end - cue.begin, cue.begin))
        packet.pts = packet.dts = cue.begin
        packet.duration, packet.time_base = cue.end - cue.begin, MILLISECOND
        packet.stream = self.stream
        return packet

    def _decode(self, packet: Packet[Any]) -> SubtitleSet | None:
        try:
            return self._decoder.decode2(self._in_utf8(packet))
        except av.FFmpegError:
            self.record.repaired += 1
            return None

    def _in_utf8(self, packet: Packet[Any]) -> Packet[Any]:
        """What is not UTF-8, which libav refuses, is taken for the code that old text in Latin letters is in."""
        content = bytes(packet)
        if self.record.stream.source.codec == "mov_text" or _is_utf8(content):  # the former holds lengths in bytes
            return packet
        self.record.repaired += 1
        text: Packet[Any] = Packet(content.decode("cp1252", "replace").encode())
        text.pts, text.dts, text.duration, text.time_base = packet.pts, packet.dts, packet.duration, packet.time_base
        return text


def _is_utf8(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True
