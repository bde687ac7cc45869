"""Decoding times over the joints of segments, as if one encoder had made them all."""

from __future__ import annotations

from array import array
from typing import Any

from av.packet import Packet

__all__ = ["JoinedTimes"]


class JoinedTimes:
    """Gives packets of later segments the decoding times that follow those of the first.

    An encoder that looks d pictures ahead decodes the k-th packet when the (k-d)-th picture is shown; its first
    d packets come before its first picture. Each encoder counts from its own first picture, so at a joint
    of variable rate the times of a new one may go back. Here k counts from the first picture of all.

    Args:
        delay: d, where the first segment has too few pictures to tell; it gets other decoding times then.
    """

    def __init__(self, delay: int | None = None) -> None:
        self._keeps_first = delay is None
        self._shown: array[int] = array("q")
        self._first = self._count = 0  # of this segment, the number of its first picture and of packets so far
        self._delay = delay or 0
        self._last: int | None = None

    @property
    def shown(self) -> array[int]:
        """When the pictures of this segment are shown, so far."""
        return self._shown[self._first :]

    def begin(self) -> None:
        """A new segment begins."""
        self._first, self._count = len(self._shown), 0

    def show(self, pts: int) -> None:
        """A picture comes; in the order of display."""
        self._shown.append(pts)

    def next(self, packet: Packet[Any]) -> None:
        """Sets the decoding time of a packet; in the order of decoding."""
        assert packet.pts is not None
        assert packet.dts is not None
        if self._first or not self._keeps_first:
            earliest = self._last + 1 if self._last is not None else packet.dts
            packet.dts = min(max(self._time(), earliest), packet.pts)
        elif packet.dts < self._shown[0]:
            self._delay += 1
        self._last = packet.dts
        self._count += 1

    def _time(self) -> int:
        number = min(self._first + self._count - self._delay, len(self._shown) - 1)
        return self._shown[number] if number >= 0 else self._shown[0] + number  # one tick apart, before all pictures
