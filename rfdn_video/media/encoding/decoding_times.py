"""Decoding times of packets whose container keeps none: NUT holds when a picture is shown, and no more."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from typing import Any

from av.packet import Packet

__all__ = ["DecodingTimes"]


class DecodingTimes:
    """Gives packets, in the order of decoding, their dts.

    An encoder with B-frames that may look d pictures ahead gives the k-th packet the time at which the (k-d)-th
    picture is shown, as x264 does; the first d come before the first picture, as far apart as pictures are.
    A reader of NUT sees d in that it can give no dts to the first d packets, so these wait here.
    """

    def __init__(self) -> None:
        self._shown: array[int] = array("q")
        self._early: list[Packet[Any]] = []
        self._delay: int | None = None
        self._count = 0

    def show(self, pts: int) -> None:
        """A picture went into the encoder; in the order of display."""
        self._shown.append(pts)

    def next(self, packet: Packet[Any], *, is_early: bool) -> Iterator[Packet[Any]]:
        """Takes a packet (``is_early`` where its reader knew no dts); gives those that are complete."""
        if self._delay is None:
            self._early.append(packet)
            if not is_early:
                self._delay = len(self._early) - 1
                yield from self._release()
        else:
            yield self._timed(packet)

    def flush(self) -> Iterator[Packet[Any]]:
        """Gives what was held back, where there were fewer packets than the encoder looks ahead."""
        if self._delay is None:
            self._delay = max(0, len(self._early) - 1)
            yield from self._release()

    def _release(self) -> Iterator[Packet[Any]]:
        for packet in self._early:
            yield self._timed(packet)
        self._early.clear()

    def _timed(self, packet: Packet[Any]) -> Packet[Any]:
        shown, delay, count = self._shown, self._delay or 0, self._count
        dts = shown[count - delay] if count >= delay else shown[count] - (shown[delay] - shown[0])
        packet.dts = dts if packet.pts is None else min(dts, packet.pts)
        self._count += 1
        return packet
