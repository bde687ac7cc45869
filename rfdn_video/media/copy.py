"""Copies all other streams packet for packet, in step with the video.

They are read through a second demuxer of the same file, so that nothing has to be held back: a
file with all its sound behind all its video needs no more memory than an interleaved one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction

import av
from av.container import OutputContainer
from av.packet import Packet
from av.stream import Discard, Stream

from rfdn_video.errors import OutputError
from rfdn_video.media.info import MediaInfo, OtherStream
from rfdn_video.media.source import open_source
from rfdn_video.media.timing import TimeRange, exact

__all__ = ["CopiedStream", "PacketCopier"]

# Subtitles shown at the beginning of a range may have begun this much earlier.
LOOK_BACK = Fraction(15)

_COVER_TYPES = {"mjpeg": ("cover.jpg", "image/jpeg"), "png": ("cover.png", "image/png")}


@dataclass
class CopiedStream:
    """What was copied of one stream, for the check of the finished file.

    Attributes:
        source: the stream.
        index: its place in the output.
        packets: how many were written.
        first: presentation time of the first one in the output, in seconds.
        end: when the last one ends, in seconds.
        digest: of all payloads in order.
        reframed: the muxer strips the ADTS headers of a transport stream's AAC, so that the payloads differ.
    """

    source: OtherStream
    index: int
    reframed: bool
    packets: int = 0
    first: Fraction | None = None
    end: Fraction | None = None
    digest: hashlib.blake2b = field(default_factory=lambda: hashlib.blake2b(digest_size=16))


class PacketCopier:
    """Moves the packets of ``streams`` from the source into an output.

    Call :meth:`add_streams` before the output's header is written, :meth:`advance` before every
    video frame, :meth:`finish` after the last.
    """

    def __init__(self, info: MediaInfo, streams: tuple[OtherStream, ...], wanted: TimeRange) -> None:
        self.copied: list[CopiedStream] = []
        self._info = info
        self._streams = streams
        self._wanted = wanted
        self._container = open_source(info.path)
        self._outputs: dict[int, tuple[Stream, CopiedStream]] = {}
        self._packets = self._demux()
        self._next: Packet[Stream] | None = None

    def close(self) -> None:
        """Closes the source."""
        self._container.close()

    def add_streams(self, output: OutputContainer, container_name: str) -> None:
        """Declares every stream in the output.

        Raises:
            OutputError: the container cannot hold one of them.
        """
        for other in self._streams:
            source = self._container.streams[other.index]
            if other.kind == "cover" and container_name == "mkv":
                self._attach_cover(output, source)
                continue
            try:
                stream = output.add_stream_from_template(source, opaque=True)
            except (ValueError, av.FFmpegError):
                raise OutputError(
                    f"{container_name} cannot hold {other.kind} stream {other.index} ({other.codec}); "
                    "write to .mkv, which holds nearly everything"
                ) from None
            stream.metadata.update(source.metadata)
            stream.disposition = source.disposition
            reframed = other.codec == "aac" and self._info.container == "mpegts"
            record = CopiedStream(other, stream.index, reframed)
            self.copied.append(record)
            if other.kind != "attachment":  # its content is in the header, it has no packets
                self._outputs[other.index] = (stream, record)

    def _attach_cover(self, output: OutputContainer, source: Stream) -> None:
        """Matroska keeps cover art as an attachment; copied as a stream it would become a second video."""
        name, mime_type = _COVER_TYPES.get(source.codec_context.codec.canonical_name, ("cover", "image"))
        with open_source(self._info.path) as container:
            packet = next(p for p in container.demux(container.streams[source.index]) if p.size)
            output.add_attachment(name, mime_type, bytes(packet))

    def advance(self, output: OutputContainer, until: Fraction, origin: Fraction) -> None:
        """Writes the packets up to ``until`` seconds of the source's clock.

        ``origin`` is what is subtracted from all times, in seconds.
        """
        while (packet := self._peek()) is not None and not _is_after(packet, until):
            self._copy(output, packet, origin)

    def finish(self, output: OutputContainer, end: Fraction | None, origin: Fraction) -> None:
        """Writes the packets that are presented before ``end`` (all that are left where None)."""
        while (packet := self._peek()) is not None:
            if end is None or not _is_after(packet, end):
                self._copy(output, packet, origin)
            elif _is_after(packet, end + LOOK_BACK):
                return
            self._next = None

    def _peek(self) -> Packet[Stream] | None:
        if self._next is None:
            self._next = next(self._packets, None)
        return self._next

    def _demux(self) -> Iterator[Packet[Stream]]:
        chosen = [self._container.streams[index] for index in self._outputs]
        for stream in self._container.streams:
            stream.discard = Discard.default if stream.index in self._outputs else Discard.all
        if not chosen:
            return
        if self._wanted.start is not None:
            self._container.seek(max(0, int((self._wanted.start - LOOK_BACK) * av.time_base)))
        yield from (packet for packet in self._container.demux(chosen) if packet.size)

    def _overlaps_start(self, packet: Packet[Stream]) -> bool:
        start = self._wanted.start
        if start is None or packet.pts is None:
            return True
        return bool((packet.pts + max(1, packet.duration or 0)) * exact(packet.time_base) > start)

    def _copy(self, output: OutputContainer, packet: Packet[Stream], origin: Fraction) -> None:
        self._next = None
        if not self._overlaps_start(packet):
            return
        stream, record = self._outputs[packet.stream_index]
        shift = round(origin / exact(packet.time_base))
        if packet.pts is not None:
            packet.pts -= shift
            time_base = exact(packet.time_base)
            record.first = packet.pts * time_base if record.first is None else record.first
            record.end = (packet.pts + (packet.duration or 0)) * time_base
        if packet.dts is not None:
            packet.dts -= shift
        record.packets += 1
        record.digest.update(bytes(packet))
        packet.stream = stream
        output.mux(packet)


def _is_after(packet: Packet[Stream], until: Fraction) -> bool:
    ticks = packet.pts if packet.pts is not None else packet.dts
    return ticks is not None and ticks * exact(packet.time_base) >= until
