"""Frames dealt to one or several devices, and taken back in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from statistics import fmean

from rfdn_video.frame import Frame
from rfdn_video.inference.program import PictureShape
from rfdn_video.inference.slots import QUEUES, Lane

__all__ = ["FramePipe"]


class FramePipe:
    """Keeps the lanes of all devices full, in order.

    Args:
        lanes: one a device; frame n goes to lane n modulo their number. Closed with the pipe.
    """

    def __init__(self, lanes: Sequence[Lane]) -> None:
        self._lanes = lanes
        self._turn = 0
        self._shape: PictureShape | None = None
        self._in_flight: deque[Lane] = deque()  # where the frames are, oldest first

    def __enter__(self) -> FramePipe:
        return self

    def __exit__(self, *_: object) -> None:
        for lane in self._lanes:
            lane.close()

    @property
    def recomputed(self) -> int:
        """Frames that were done again in float32."""
        return sum(lane.recomputed for lane in self._lanes)

    @property
    def retries(self) -> int:
        """Frames that were done again in smaller bands, because memory was short."""
        return sum(lane.retries for lane in self._lanes)

    @property
    def worked(self) -> dict[str, float]:
        """How long each queue of a device did, in seconds; the mean of several devices."""
        return {name: fmean(lane.worked[name] for lane in self._lanes) for name in QUEUES}

    @property
    def waited(self) -> float:
        """How long the caller waited for the devices, in seconds."""
        return sum(lane.waited for lane in self._lanes)

    def push(self, frame: Frame) -> Iterator[Frame]:
        """Takes a frame in; gives those that had to make room for it."""
        shape = PictureShape.of(frame)
        if self._shape != shape:
            yield from self.drain()
            for lane in self._lanes:
                lane.prepare(shape)
            self._shape = shape
        lane = self._lanes[self._turn]
        self._turn = (self._turn + 1) % len(self._lanes)
        if lane.full:  # and its oldest frame is the oldest of all, since they come and go in turn
            yield self._in_flight.popleft().collect()
        lane.submit(frame)
        self._in_flight.append(lane)

    def drain(self) -> Iterator[Frame]:
        """Gives all frames that are in flight."""
        while self._in_flight:
            yield self._in_flight.popleft().collect()
