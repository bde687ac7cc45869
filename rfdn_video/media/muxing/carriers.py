"""What happens to the packets of one stream beside the video: copied, or re-encoded."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import av
from av.audio.stream import AudioStream
from av.bitstream import BitStreamFilterContext
from av.container import OutputContainer
from av.packet import Packet
from av.stream import Stream

from rfdn_video.media.muxing.channels import accepted_layout, stated_layout
from rfdn_video.media.muxing.streams import CarriedStream
from rfdn_video.media.timing import exact

__all__ = ["AudioEncoder", "Carrier", "Copier", "Record", "copy_of"]


@dataclass
class Record:
    """What was written of one stream, for the check of the finished file.

    Attributes:
        stream: in the source, and how it was carried.
        index: its place in the output.
        reframed: the muxer strips the ADTS headers of a transport stream's AAC, so that payloads differ.
        packets: how many were written.
        repaired: how many had no decoding time, one that went back, or were damaged.
        first, last: presentation times of the first and the last packet of the source in the output, in seconds.
        end: when the last one ends, in seconds.
        digest: of all payloads in order.
    """

    stream: CarriedStream
    index: int
    reframed: bool = False
    packets: int = 0
    repaired: int = 0
    first: Fraction | None = None
    last: Fraction | None = None
    end: Fraction | None = None
    digest: Any = field(default_factory=lambda: hashlib.blake2b(digest_size=16))

    def note(self, packet: Packet[Any]) -> None:
        """Counts a packet that is about to be written. FLAC ends with an empty one that carries its final header."""
        if packet.size:
            self.packets += 1
            self.digest.update(bytes(packet))

    def note_time(self, packet: Packet[Any]) -> None:
        """Takes down when a packet is to be presented, whatever else it takes to write it so."""
        if packet.pts is not None and packet.size:
            time_base = exact(packet.time_base)
            self.last = packet.pts * time_base
            self.first = self.last if self.first is None else self.first
            self.end = self.last + (packet.duration or 0) * time_base


class Carrier(ABC):
    """One stream's way from the source into the output."""

    record: Record

    @abstractmethod
    def feed(self, packet: Packet[Any]) -> Iterable[Packet[Any]]:
        """Takes a packet of the source, its times already shifted; gives packets of the output."""

    def until(self, time: Fraction) -> Iterable[Packet[Any]]:  # noqa: ARG002
        """Gives what was held back of the time before ``time``, in seconds; what comes from now on is later."""
        return ()

    def flush(self) -> Iterable[Packet[Any]]:
        """Gives what was held back."""
        return ()


class Copier(Carrier):
    """Passes packets on as they are; only decoding times that are missing or go back are mended, and missing durations.

    Args:
        record: of what is written.
        output: the stream there.
        step: ticks that each must be later than the one before; 0 where the container takes equal ones.
        hides: it can say that the beginning is not to be heard: by an edit list, or Matroska's CodecDelay, which its
            muxer derives from the source's. Else that is left out, but for the packet before the first one that is
            heard: its decoder needs that to begin with.
    """

    def __init__(self, record: Record, output: Stream, *, step: int, hides: bool) -> None:
        self.record = record
        self._output, self._step, self._hides = output, step, hides
        self._last: int | None = None
        self._priming: Packet[Any] | None = None

    def feed(self, packet: Packet[Any]) -> Iterator[Packet[Any]]:
        if packet.is_discard and not self._hides:
            self._priming = packet
            return
        if self._priming is not None and self._last is None:
            yield self._passed(self._priming)
        self._priming = None
        yield self._passed(packet)

    def _passed(self, packet: Packet[Any]) -> Packet[Any]:
        earliest = self._last + self._step if self._last is not None else None
        dts = packet.dts if packet.dts is not None else packet.pts
        if dts is None:
            dts = earliest or 0
        elif earliest is not None:
            dts = max(dts, earliest)
        if dts != packet.dts:
            self.record.repaired += 1
            packet.dts = dts
            packet.pts = dts if packet.pts is None else max(packet.pts, dts)
        if self.record.stream.source.kind == "audio" and not packet.duration:
            packet.duration = self._since_last(dts)
        self._last = dts
        packet.stream = self._output
        return packet

    def _since_last(self, dts: int) -> int:
        """In ticks, at least 1: MP4 does not show a last packet of no duration (Matroska gives ALAC none)."""
        return 1 if self._last is None else max(1, dts - self._last)


class AudioEncoder(Carrier):
    """Decodes sound and encodes it anew, in the format nearest to its own that the encoder takes."""

    def __init__(self, record: Record, source: AudioStream, output: OutputContainer) -> None:
        self.record = record
        self._decoder = source.codec_context
        assert record.stream.codec is not None
        rate = _nearest_rate(record.stream.codec, self._decoder.sample_rate)
        self._decoder.layout = stated_layout(self._decoder.layout)  # so that its frames state it too
        layout = accepted_layout(record.stream.codec, self._decoder.layout, rate)
        self.stream: Any = output.add_stream(record.stream.codec, rate=rate, layout=layout.name)
        self._encoder: Any = self.stream.codec_context
        self._resampler: av.AudioResampler | None = None
        self._end: int | None = None

    def feed(self, packet: Packet[Any]) -> Iterator[Packet[Any]]:
        try:
            frames = self._decoder.decode(packet)
        except av.FFmpegError:
            self.record.repaired += 1
            return
        for frame in frames:
            yield from self._encode(frame)

    def flush(self) -> Iterator[Packet[Any]]:
        for frame in self._decoder.decode(None):
            yield from self._encode(frame)
        if self._resampler is not None:
            yield from self._encode(None)
        yield from self._packets(None)

    def _encode(self, frame: av.AudioFrame | None) -> Iterator[Packet[Any]]:
        if self._resampler is None:
            context = self._encoder
            self._resampler = av.AudioResampler(
                context.format, context.layout, context.sample_rate, frame_size=context.frame_size or None
            )
        if frame is not None and frame.pts is not None:  # AVI counts in packets, too coarse for other pieces
            frame.pts = round(frame.pts * exact(frame.time_base) * frame.sample_rate)
            frame.time_base = Fraction(1, frame.sample_rate)
        try:
            resampled = self._resampler.resample(frame)
        except ValueError:  # damaged sound that claims to be of another kind from here on
            self.record.repaired += 1
            return
        for piece in resampled:
            yield from self._packets(piece)

    def _packets(self, frame: av.AudioFrame | None) -> Iterator[Packet[Any]]:
        for packet in self._encoder.encode(frame):
            if packet.pts is None:  # of AAC's last ones, where the source's times are uneven
                packet.pts = packet.dts = self._end
            self._end = None if packet.pts is None else packet.pts + (packet.duration or 0)
            packet.stream = self.stream
            yield packet


def copy_of(source: Stream, output: OutputContainer) -> Stream:
    """A stream for the packets of the source.

    PyAV asks a muxer which codecs it lists. Matroska's does not list those that it holds as Windows stores them (RFC
    9559 calls it A_MS/ACM), so such sound is declared as another, of which nothing stays.
    """
    wrapped = isinstance(source, AudioStream) and output.format.name == "matroska"
    if not wrapped or source.codec_context.codec.canonical_name in output.supported_codecs:
        return output.add_stream_from_template(source, opaque=True)
    stream = output.add_mux_stream("mp3")
    BitStreamFilterContext("null", in_stream=source, out_stream=stream)
    stream.time_base = source.time_base
    return stream


def _nearest_rate(encoder: str, rate: int) -> int:
    allowed = av.Codec(encoder, "w").audio_rates
    return min(allowed, key=lambda r: (abs(r - rate), -r)) if allowed else rate
