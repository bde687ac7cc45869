"""Carries all other streams into the output, in step with the video.

They are read through a second demuxer of the same file, so that nothing has to be held back: a
file with all its sound behind all its video needs no more memory than an interleaved one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from math import ceil
from typing import Any

import av
from av.audio.stream import AudioStream
from av.container import InputContainer, OutputContainer
from av.packet import Packet
from av.stream import Discard, Stream

from rfdn_video.errors import InputError, OutputError
from rfdn_video.media.libav_log import cause_of, errors_logged
from rfdn_video.media.muxing.carriers import AudioEncoder, Carrier, Copier, Record, copy_of
from rfdn_video.media.muxing.channels import is_unstated, stated_layout
from rfdn_video.media.muxing.steady_sound import SteadySound, is_pcm
from rfdn_video.media.muxing.streams import CarriedStream
from rfdn_video.media.muxing.subtitles import SubtitleConverter
from rfdn_video.media.muxing.tags import carried_tags, track_tags
from rfdn_video.media.reading.info import MediaInfo
from rfdn_video.media.reading.source import open_source
from rfdn_video.media.timeline import Timeline
from rfdn_video.media.timing import TimeRange, exact

__all__ = ["SideStreams", "StreamRefusedError", "refusal"]

# Subtitles shown at the beginning of a range may have begun this much earlier.
LOOK_BACK = Fraction(15)

# Name and type of cover art whose source does not say them (RFC 9559, section 18.1.1, names the file).
_COVER_TYPES = {
    "bmp": ("cover.bmp", "image/bmp"),
    "gif": ("cover.gif", "image/gif"),
    "mjpeg": ("cover.jpg", "image/jpeg"),
    "png": ("cover.png", "image/png"),
    "tiff": ("cover.tiff", "image/tiff"),
    "webp": ("cover.webp", "image/webp"),
}


class SideStreams:
    """Moves ``streams`` from the source into an output.

    Call :meth:`declare` before the output's header is written, :meth:`advance` before every video
    frame, :meth:`finish` after the last.

    Args:
        info, streams, wanted: what is carried of what.
        timeline: the video's, where its clock may jump.
        salvage: where the source cannot be read any further, it ends, and each stream counts as repaired.

    Attributes:
        records: what was written of each.

    Raises (while packets are moved):
        InputError: the source cannot be read any further.
    """

    def __init__(
        self,
        info: MediaInfo,
        streams: tuple[CarriedStream, ...],
        wanted: TimeRange,
        timeline: Timeline | None,
        *,
        salvage: bool,
    ) -> None:
        self.records: list[Record] = []
        self._salvage = salvage
        self._info, self._streams, self._wanted, self._timeline = info, streams, wanted, timeline
        self._container = self._open() if streams else None
        self._carriers: dict[int, Carrier] = {}
        self._steady: dict[int, SteadySound] = {}
        self._covers: list[tuple[Carrier, Packet[Any]]] = []
        self._packets = self._demux()
        self._next: Packet[Any] | None = None
        self._held: Packet[Any] | None = None

    def close(self) -> None:
        """Closes the source."""
        if self._container is not None:
            self._container.close()

    def declare(self, output: OutputContainer, container_name: str) -> None:
        """Adds every stream to the output.

        Raises:
            OutputError: the container cannot hold one of them, or its encoder cannot be used.
        """
        streams = self._streams
        if container_name in ("mkv", "mp4"):  # where readers count pictures and attachments behind all others
            streams = tuple(sorted(streams, key=lambda carried: carried.source.kind in ("cover", "attachment")))
        for carried in streams:
            with errors_logged() as log:
                try:
                    self._declare(carried, output, container_name)
                except (ValueError, av.FFmpegError) as error:
                    raise refusal(carried, container_name, cause_of(error, log)) from None

    def advance(self, output: OutputContainer, until: Fraction, origin: Fraction) -> None:
        """Writes the packets up to ``until`` seconds of the source's clock.

        ``origin`` is what is subtracted from all times, in seconds.
        """
        self._write_covers(output)
        while (packet := self._peek()) is not None and not _is_after(packet, until):
            self._carry(output, packet, origin, self._wanted.end)
        for carrier in self._carriers.values():
            self._write(output, carrier, carrier.until(until - origin))

    def finish(self, output: OutputContainer, end: Fraction | None, origin: Fraction) -> None:
        """Writes the packets that are presented before ``end`` (all that are left where None)."""
        while (packet := self._peek(last=True)) is not None:
            if end is None or not _is_after(packet, end):
                self._carry(output, packet, origin, end)
            elif _is_after(packet, end + LOOK_BACK):
                break
            self._next = None
        for carrier in self._carriers.values():
            self._write(output, carrier, carrier.flush())

    def _open(self) -> InputContainer:
        assert self._info.sides is not None
        return open_source(self._info.sides, looked=self._info.looked)

    def _declare(self, carried: CarriedStream, output: OutputContainer, container_name: str) -> None:
        assert self._container is not None
        source = self._container.streams[carried.source.index]
        if carried.source.kind == "cover" and container_name == "mkv":
            self._attach_cover(output, source)
            return
        stream, carrier = self._carrier(carried, source, output, container_name)
        stream.metadata.update(track_tags(source.metadata, container_name))
        stream.disposition = source.disposition
        self.records.append(carrier.record)
        if container_name in ("mp4", "mov") and is_pcm(carrier.record):
            self._steady[carrier.record.index] = SteadySound(carrier.record, stream)
        if carried.source.kind == "cover":
            self._covers.append((carrier, self._cover(source)))
        elif carried.source.kind != "attachment":  # its content is in the header, it has no packets
            self._carriers[carried.source.index] = carrier

    def _carrier(
        self, carried: CarriedStream, source: Stream, output: OutputContainer, container_name: str
    ) -> tuple[Stream, Carrier]:
        record = Record(carried, index=len(output.streams))
        if carried.codec is None:
            record.reframed = carried.source.codec == "aac" and self._info.container == "mpegts"
            stream = copy_of(source, output)
            step = 0
            if isinstance(source, AudioStream) and container_name in ("mp4", "mov"):  # which count in samples there
                _state_layout(stream, carried.source.codec)
                step = max(1, ceil(1 / (source.sample_rate * exact(source.time_base))))  # ticks of a sample
            return stream, Copier(record, stream, step=step, hides=container_name != "nut")
        if isinstance(source, AudioStream):
            encoder = AudioEncoder(record, source, output)
            return encoder.stream, encoder
        converter = SubtitleConverter(record, source, output)
        return converter.stream, converter

    def _attach_cover(self, output: OutputContainer, source: Stream) -> None:
        """Matroska keeps cover art as an attachment; copied as a stream it would become a second video."""
        name, mime_type = _COVER_TYPES.get(source.codec_context.codec.canonical_name, ("cover", "image"))
        tags = {"filename": name, "mimetype": mime_type} | carried_tags(source.metadata)
        attachment = output.add_attachment(tags["filename"], tags["mimetype"], bytes(self._cover(source)))
        attachment.metadata.update(tags)

    def _cover(self, source: Stream) -> Packet[Any]:
        """A cover's only packet; a demuxer gives it at the file's beginning, whatever part is wanted."""
        with self._open() as container:
            return next(p for p in container.demux(container.streams[source.index]) if p.size)

    def _write_covers(self, output: OutputContainer) -> None:
        for carrier, packet in self._covers:
            packet.pts = packet.dts = 0  # a demuxer gives none
            self._write(output, carrier, carrier.feed(packet))
        self._covers.clear()

    def _peek(self, *, last: bool = False) -> Packet[Any] | None:
        """The next packet, on the video's clock; None for now where the video has not come to it."""
        if self._next is None:
            packet = self._held or next(self._packets, None)
            self._held = None
            if packet is not None and self._timeline is not None and not self._timeline.follow(packet, last=last):
                self._held = packet
                return None
            self._next = packet
        return self._next

    def _demux(self) -> Iterator[Packet[Any]]:
        if self._container is None:
            return
        chosen = [self._container.streams[index] for index in self._carriers]
        for stream in self._container.streams:
            stream.discard = Discard.default if stream.index in self._carriers else Discard.all
        if not chosen:
            return
        if self._wanted.start is not None and self._info.seeks_exactly:
            self._container.seek(max(0, int((self._wanted.start - LOOK_BACK) * av.time_base)))
        try:
            yield from (packet for packet in self._container.demux(chosen) if packet.size)
        except av.FFmpegError as error:
            if not self._salvage:
                raise InputError(
                    f"{self._info.sides}: its sound or subtitles cannot be read to their end ({error.strerror}); "
                    "--salvage takes what comes before"
                ) from None
            for record in self.records:
                record.repaired += 1

    def _overlaps_start(self, packet: Packet[Any]) -> bool:
        start = self._wanted.start
        if start is None or packet.pts is None:
            return True
        return bool((packet.pts + max(1, packet.duration or 0)) * exact(packet.time_base) > start)

    def _carry(self, output: OutputContainer, packet: Packet[Any], origin: Fraction, end: Fraction | None) -> None:
        self._next = None
        if not self._overlaps_start(packet):
            return
        carrier = self._carriers[packet.stream_index]
        is_subtitle = carrier.record.stream.source.kind == "subtitle"
        if is_subtitle and end is not None:
            _clip_to_end(packet, end)
        shift = round(origin / exact(packet.time_base))
        if packet.pts is not None:
            packet.pts -= shift
        if packet.dts is not None:
            packet.dts -= shift
        if is_subtitle:
            _clip_to_beginning(packet)
        self._write(output, carrier, carrier.feed(packet))

    def _write(self, output: OutputContainer, carrier: Carrier, packets: Iterable[Packet[Any]]) -> None:
        record = carrier.record
        steady = self._steady.get(record.index)
        for packet in packets:
            record.note_time(packet)
            for placed in (packet,) if steady is None else steady.placed(packet):
                record.note(placed)
                output.mux(placed)


def _clip_to_beginning(packet: Packet[Any]) -> None:
    """Shows from 0 on what began before: a time below 0 would make Matroska move all streams."""
    if packet.pts is not None and packet.pts < 0:
        packet.duration = max(0, (packet.duration or 0) + packet.pts)
        packet.pts = packet.dts = 0


def _clip_to_end(packet: Packet[Any], end: Fraction) -> None:
    """Shows nothing behind the last picture, which would make the part longer than was asked for."""
    if packet.pts is not None and packet.duration:
        packet.duration = max(1, min(packet.duration, int(end / exact(packet.time_base)) - packet.pts))


class StreamRefusedError(OutputError):
    """A container cannot hold a stream, or the encoder that is to convert it cannot be used."""


def refusal(carried: CarriedStream, container_name: str, cause: str | None = None) -> StreamRefusedError:
    """What is said where a container cannot hold a stream; of one that is converted, libav's words say why."""
    remedies = ["write to .mkv, which holds nearly everything"] if container_name != "mkv" else []
    if carried.source.kind == "audio":
        encoders = ("libopus",) if container_name == "webm" else ("aac", "pcm_s16le")
        convert = [f"convert it with --audio {encoder}" for encoder in encoders if encoder != carried.codec]
        remedies = [*convert[:1], "leave it out with --audio none", *remedies]
    because = f": {cause}" if cause and carried.codec else ""
    return StreamRefusedError(f"{container_name} cannot hold {carried}{because}; {', or '.join(remedies)}")


def _state_layout(stream: Stream, codec: str) -> None:
    """MP4 and MOV say of PCM which channel is where, and MP4 is refused without that, only when it is finished."""
    context: Any = stream.codec_context
    context.layout = stated_layout(context.layout)
    if codec.startswith("pcm_") and is_unstated(context.layout):
        raise ValueError(f"which of its {context.layout.nb_channels} channels is where is not said in the source")


def _is_after(packet: Packet[Any], until: Fraction) -> bool:
    ticks = packet.pts if packet.pts is not None else packet.dts
    return ticks is not None and ticks * exact(packet.time_base) >= until
