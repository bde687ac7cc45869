"""An encoder that begins anew at every segment, so that finished ones can be kept; their joint is one stream.

Every segment comes from an encoder of its own, opened with the same options: it begins with a key picture and
refers to nothing outside. Where segments begin depends on nothing but the number of pictures, so that the
pictures of a job that was interrupted are those of one that was not.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from typing import Any, Protocol

import av
from av.packet import Packet
from av.video.stream import VideoStream

from rfdn_video.errors import InputError, OutputError
from rfdn_video.frame import Frame
from rfdn_video.media.encoding.target import Target, advice
from rfdn_video.media.encoding.video_encoder import MakeEncoder, VideoEncoder
from rfdn_video.media.keeping.joined_times import JoinedTimes
from rfdn_video.media.keeping.recording import Recording
from rfdn_video.media.keeping.segments import Segments
from rfdn_video.media.layout import VideoLayout

__all__ = ["SegmentedEncoder"]


class SegmentedEncoder:
    """See :class:`rfdn_video.media.encoding.video_encoder.VideoEncoder`.

    Pictures of segments that were finished before are only counted, and compared by their times.

    Args:
        declared: made the stream of the output, and does no more.
        make: opens the encoders that do the work.
        target, layout: what they are opened with.
        segments: which keep what is finished.

    Raises:
        OutputError: a second encoder would need other parameter sets than the first: nothing can be joined.
    """

    def __init__(
        self, declared: VideoEncoder, make: MakeEncoder, target: Target, layout: VideoLayout, segments: Segments
    ) -> None:
        self.stream, self.codec = declared.stream, declared.codec
        self._declared, self._make, self._target, self._layout = declared, make, target, layout
        self._segments = segments
        self._times = JoinedTimes()
        self._count, self._first, self._number = 0, 0, -1  # pictures, the segment's first one, and its number
        self._part: _Part | None = None
        self._recording: Recording | None = None
        self._spare: _Live | None = self._open()

    def encode(self, frame: Frame, pts: int) -> Iterator[Packet[VideoStream]]:
        """See :class:`VideoEncoder`."""
        if self._segments.begins(self._count):
            yield from self._finish()
            self._keep()
            self._begin()
        assert self._part is not None
        self._count += 1
        self._times.show(pts)
        yield from self._joined(self._part.encode(frame, pts))

    def flush(self) -> Iterator[Packet[VideoStream]]:
        """See :class:`VideoEncoder`. The last segment is not kept: the output is about to be done, or wrong."""
        yield from self._finish()
        if self._count < self._segments.frames:
            raise _changed()

    def close(self) -> None:
        """See :class:`VideoEncoder`."""
        for part in (self._part, self._spare, self._recording, self._declared):
            if part is not None:
                part.close()

    def _begin(self) -> None:
        self._number, self._first = self._number + 1, self._count
        self._times.begin()
        if self._number < self._segments.reused:
            self._part = _Finished(self._segments.read(self._number), self._times, self._layout)
        else:
            self._recording = self._segments.record(self._number)
            self._part, self._spare = self._spare or self._open(), None

    def _finish(self) -> Iterator[Packet[VideoStream]]:
        if self._part is None:
            return
        yield from self._joined(self._part.finish())
        self._part.close()
        self._part = None

    def _keep(self) -> None:
        if self._recording is not None:
            self._segments.finish(self._number, self._count - self._first, self._recording)
            self._recording = None

    def _joined(self, packets: Iterable[Packet[Any]]) -> Iterator[Packet[VideoStream]]:
        for packet in packets:
            self._times.next(packet)
            if self._recording is not None:
                self._recording.write(packet)
            packet.stream = self.stream
            yield packet

    def _open(self) -> _Live:
        live = _Live(self._make, self._target, self._layout)
        if live.parameter_sets != (self.stream.codec_context.extradata or b""):
            live.close()
            raise OutputError(
                f"encoder {self._target.encoder} gives other parameter sets each time that it is opened, so segments "
                f"of its work cannot be joined; {advice(self._target)}"
            )
        return live


class _Part(Protocol):
    """One segment: pictures in, packets out."""

    def encode(self, frame: Frame, pts: int) -> Iterable[Packet[Any]]: ...
    def finish(self) -> Iterable[Packet[Any]]: ...
    def close(self) -> None: ...


class _Live:
    """A segment that is being encoded. The encoder belongs to a container that is never written."""

    def __init__(self, make: MakeEncoder, target: Target, layout: VideoLayout) -> None:
        self._unwritten = av.open(io.BytesIO(), "w", format=target.container.muxer)
        try:
            self._encoder = make(self._unwritten, target, layout)
        except BaseException:
            self._unwritten.close()
            raise
        self.parameter_sets = self._encoder.stream.codec_context.extradata or b""
        self.encode, self.finish = self._encoder.encode, self._encoder.flush

    def close(self) -> None:
        self._encoder.close()
        self._unwritten.close()


class _Finished:
    """A segment that was finished before: a packet for every picture, and the rest at its end."""

    def __init__(self, packets: Iterator[Packet[Any]], times: JoinedTimes, layout: VideoLayout) -> None:
        self._packets, self._times, self._layout = packets, times, layout
        self._shown: list[int] = []

    def encode(self, frame: Frame, pts: int) -> Iterator[Packet[Any]]:  # noqa: ARG002 (its work is done)
        packet = next(self._packets, None)
        if packet is not None:
            yield self._ours(packet)

    def finish(self) -> Iterator[Packet[Any]]:
        yield from map(self._ours, self._packets)
        if sorted(self._shown) != list(self._times.shown):
            raise _changed()

    def close(self) -> None:
        """Nothing is open."""

    def _ours(self, packet: Packet[Any]) -> Packet[Any]:
        assert packet.pts is not None
        self._shown.append(packet.pts)
        packet.time_base = self._layout.time_base
        return packet


def _changed() -> InputError:
    return InputError("the source's pictures come at other times than before; --no-resume begins anew")
