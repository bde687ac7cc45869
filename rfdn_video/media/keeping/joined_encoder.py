"""An encoder whose work has been done elsewhere, segment by segment: their packets come as one stream."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from itertools import takewhile
from typing import Any, Protocol

from av.packet import Packet
from av.video.stream import VideoStream

from rfdn_video.errors import OutputError
from rfdn_video.frame import Frame
from rfdn_video.media.encoding.video_encoder import REORDERED, VideoEncoder
from rfdn_video.media.keeping.joined_times import JoinedTimes
from rfdn_video.media.keeping.lone_segment import parameter_sets

__all__ = ["FinishedSegment", "JoinedEncoder"]


class FinishedSegment(Protocol):
    """What :class:`rfdn_video.media.keeping.lone_segment.LoneSegment` has made.

    Attributes:
        frames: how many pictures; may be 0.
        parameter_sets: see :class:`rfdn_video.media.keeping.lone_segment.Encoded`.
    """

    @property
    def frames(self) -> int: ...
    @property
    def parameter_sets(self) -> str: ...

    def packets(self) -> Iterator[Packet[Any]]:
        """In the order of the file; their times count from its first picture."""


class JoinedEncoder:
    """See :class:`rfdn_video.media.encoding.video_encoder.VideoEncoder`; pictures are only counted.

    Args:
        declared: made the stream of the output, and does no more.
        segments: in order; they must have as many pictures as will come.
        time_base: of the packets, in seconds.

    Raises:
        OutputError: a segment's encoder gave other parameter sets: nothing can be joined.
    """

    def __init__(self, declared: VideoEncoder, segments: Sequence[FinishedSegment], time_base: Fraction) -> None:
        self.stream, self.codec = declared.stream, declared.codec
        self._declared, self._time_base = declared, time_base
        sets = parameter_sets(self.stream.codec_context.extradata)
        if any(segment.frames and segment.parameter_sets != sets for segment in segments):
            raise OutputError(
                "the encoder gives other parameter sets each time that it is opened, so segments of its work "
                "cannot be joined; take another --encoder"
            )
        filled = [segment for segment in segments if segment.frames]
        self._waiting = iter(filled)
        is_short = bool(filled) and filled[0].frames < REORDERED
        self._times = JoinedTimes(max(map(_delay, filled)) if is_short else None)
        self._packets: Iterator[Packet[Any]] = iter(())
        self._left = self._offset = 0
        self._shown: list[int] = []

    def encode(self, frame: Frame, pts: int) -> Iterator[Packet[VideoStream]]:  # noqa: ARG002 (its work is done)
        """See :class:`VideoEncoder`."""
        if not self._left:
            yield from self.flush()
            segment = next(self._waiting)
            self._packets, self._left, self._offset = segment.packets(), segment.frames, pts
            self._times.begin()
        self._left -= 1
        self._times.show(pts)
        if (packet := next(self._packets, None)) is not None:
            yield self._ours(packet)

    def flush(self) -> Iterable[Packet[VideoStream]]:
        """See :class:`VideoEncoder`. What is left of a segment.

        Raises:
            OutputError: its packets are not those of its pictures.
        """
        yield from map(self._ours, self._packets)
        if sorted(self._shown) != list(self._times.shown):
            raise OutputError(
                "the packets of a finished segment are not those of its pictures; --no-resume begins anew"
            )
        self._shown.clear()

    def close(self) -> None:
        """See :class:`VideoEncoder`."""
        self._declared.close()

    def _ours(self, packet: Packet[Any]) -> Packet[VideoStream]:
        assert packet.pts is not None
        assert packet.dts is not None
        packet.pts += self._offset
        packet.dts += self._offset
        packet.time_base, packet.stream = self._time_base, self.stream
        self._shown.append(packet.pts)
        self._times.next(packet)
        return packet


def _delay(segment: FinishedSegment) -> int:
    """How many of its packets are decoded before its first picture is shown, which is at 0."""
    return sum(1 for _ in takewhile(lambda packet: packet.dts is not None and packet.dts < 0, segment.packets()))
