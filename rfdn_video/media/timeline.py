"""One clock for a recording whose clock jumps: transport and program streams and FLV, cut or joined, do.

The video leads: where its decoding times jump, all later times are moved so that it goes on without a
gap; but where the sound has run on meanwhile, pictures are missing, and the gap stays. The other streams are read
by a demuxer of their own; they are moved by the same amounts, so that they stay in sync.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, cast

from av.container import InputContainer
from av.packet import Packet
from av.video.stream import VideoStream

from rfdn_video.media.timing import exact

__all__ = ["Timeline"]

# Decoding times go back in no sound stream; a gap of more than this is none (as FFmpeg's command line has it).
BACKWARD, FORWARD = Fraction(1, 10), Fraction(10)


@dataclass(frozen=True)
class _Jump:
    """From this byte of the file on, ``offset`` seconds are added to all times."""

    position: int
    offset: Fraction


class Timeline:
    """Moves packets of one file onto a clock that never jumps.

    :meth:`lead` is for the thread that reads the video, :meth:`follow` for the one that reads the rest.

    Args:
        frame_duration: of a video packet that does not say, in seconds.
        only_backward: a step forward is a gap, however long; that is so where clocks begin at 0.
    """

    def __init__(self, frame_duration: Fraction, *, only_backward: bool) -> None:
        self._jumps: list[_Jump] = []
        self._frame_duration, self._only_backward = frame_duration, only_backward
        self._expected: Fraction | None = None
        self._expected_before: Fraction | None = None
        self._unconfirmed: _Jump | None = None
        self._position = 0
        self._ends: dict[int, Fraction] = {}
        self._passed: dict[int, int] = {}
        self._heard: dict[int, Fraction] = {}

    @property
    def jumps(self) -> int:
        """How many there were so far."""
        return len(self._jumps)

    def lead(self, container: InputContainer, video: VideoStream) -> Iterator[Packet[VideoStream]]:
        """Packets of the video, moved; the sound is read along, to tell a jump from a gap."""
        for packet in container.demux(video, *container.streams.audio):
            if packet.stream.index == video.index:  # the empty ones at the end do not know their own number
                self._lead(packet)
                yield cast("Packet[VideoStream]", packet)
            else:
                self._hear(packet)

    def _lead(self, packet: Packet[Any]) -> None:
        if packet.dts is None:
            self._confirm()
            return
        self._position = packet.pos if packet.pos is not None else self._position
        tick = exact(packet.time_base)
        offset = self._offset_at(packet.dts * tick)
        if packet.pts is not None and self._leaps(packet.pts * tick, packet.dts * tick):
            packet.pts = None  # the parser has looked beyond a jump that is yet to come
        time = packet.dts * tick + offset
        _move(packet, offset)
        self._expected_before = self._expected
        self._expected = time + (packet.duration * tick if packet.duration else self._frame_duration)

    def _offset_at(self, dts: Fraction) -> Fraction:
        """What is added to the video's times from this packet on, unless the next shows that it alone is wrong."""
        expected, before = self._expected, self._expected_before
        if expected is None:
            return Fraction(0)
        if abs(dts + self._offset(len(self._jumps)) - expected) <= BACKWARD:
            self._unconfirmed = None
        self._confirm()
        offset = self._offset(len(self._jumps))
        time = dts + offset
        last_was_wrong = before is not None and abs(time - before - self._frame_duration) <= BACKWARD
        if self._leaps(time, expected) and not self._heard_until(time) and not last_was_wrong:
            offset = expected - dts
            self._unconfirmed = _Jump(self._position, offset)
        return offset

    def _confirm(self) -> None:
        if self._unconfirmed is not None:
            self._jumps.append(self._unconfirmed)
            self._unconfirmed = None

    def _hear(self, packet: Packet[Any]) -> None:
        """Notes how far a sound has run that was in step with the video, and has not jumped since."""
        if packet.dts is None or self._expected is None:
            return
        index, tick = packet.stream_index, exact(packet.time_base)
        time = packet.dts * tick + (self._unconfirmed.offset if self._unconfirmed else self._offset(len(self._jumps)))
        runs_on = index in self._heard and not self._leaps(time, self._heard[index])
        if runs_on or abs(time - self._expected) <= FORWARD:
            self._heard[index] = time + (packet.duration or 0) * tick
        else:
            self._heard.pop(index, None)

    def _heard_until(self, time: Fraction) -> bool:
        """A sound has come nearer to ``time`` than to the end of the last picture, which is earlier."""
        assert self._expected is not None
        middle = (self._expected + time) / 2
        return time > self._expected and any(middle < end <= time + FORWARD for end in self._heard.values())

    def follow(self, packet: Packet[Any], *, last: bool = False) -> bool:
        """Moves a packet of another stream.

        Args:
            packet: in the order of the file.
            last: the video has been read to its end; no jump will come.

        Returns:
            False where it lies behind a jump that the video has not come to yet: ask again later.
        """
        if packet.dts is None:
            return True
        index, tick = packet.stream_index, exact(packet.time_base)
        passed = self._passed.get(index, 0)
        while passed < len(self._jumps) and packet.pos is not None and packet.pos >= self._jumps[passed].position:
            passed += 1
        time = packet.dts * tick + self._offset(passed)
        if (end := self._ends.get(index)) is not None and self._leaps(time, end):
            # The first packets of what was joined may lie before its first picture.
            if passed < len(self._jumps):
                passed += 1
            elif not last and (time < end or self._expected is None or time > self._expected):
                return False  # where the video goes on without a jump, it is a gap
            time = packet.dts * tick + self._offset(passed)
        _move(packet, self._offset(passed))
        self._passed[index] = passed
        self._ends[index] = time + (packet.duration or 0) * tick
        return True

    def _offset(self, passed: int) -> Fraction:
        return self._jumps[passed - 1].offset if passed else Fraction(0)

    def _leaps(self, time: Fraction, expected: Fraction) -> bool:
        step = time - expected
        return step < -BACKWARD or (step > FORWARD and not self._only_backward)


def _move(packet: Packet[Any], offset: Fraction) -> None:
    ticks = round(offset / exact(packet.time_base))
    if ticks and packet.pts is not None:
        packet.pts += ticks
    if ticks and packet.dts is not None:
        packet.dts += ticks
