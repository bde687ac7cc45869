"""Frames dealt to one or several devices, and taken back in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from statistics import fmean

from rfdn_video.errors import DeviceError
from rfdn_video.frame import Frame
from rfdn_video.inference.program import PictureShape
from rfdn_video.inference.slots import QUEUES, Lane
from rfdn_video.inference.tally import Tally

__all__ = ["FramePipe"]


class FramePipe:
    """Keeps the lanes of all devices full, in order.

    Args:
        lanes: one or several a device; frames go to them in turn, but equal ones to the same. Closed with the pipe.
    """

    def __init__(self, lanes: Sequence[Lane]) -> None:
        self._lanes = lanes
        self._turn = -1  # the lane that got the newest frame
        self._shape: PictureShape | None = None
        self._in_flight: deque[Lane] = deque()  # where the frames are, oldest first

    def __enter__(self) -> FramePipe:
        return self

    def __exit__(self, _kind: object, error: BaseException | None, _traceback: object) -> None:
        """Closes every lane. A device that was lost fails at each further call: it is the first error that counts."""
        failures: list[Exception] = []
        for lane in self._lanes:
            try:
                lane.close()
            except (DeviceError, RuntimeError) as failure:
                failures.append(failure)
        if failures and error is None:
            raise failures[0]

    @property
    def tally(self) -> Tally:
        """Of all frames that came out."""
        return sum((lane.tally for lane in self._lanes), Tally())

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
        lane, changed = self._deal(frame)
        while lane.full:
            yield self._in_flight.popleft().collect()
        lane.submit(frame, changed)
        self._in_flight.append(lane)

    def drain(self) -> Iterator[Frame]:
        """Gives all frames that are in flight."""
        while self._in_flight:
            yield self._in_flight.popleft().collect()

    def _deal(self, frame: Frame) -> tuple[Lane, list[range]]:
        """Who does a frame, and where it differs from the newest one there: nowhere, if it repeats the one before."""
        newest = self._lanes[self._turn]
        changed = newest.changed(frame)
        if not changed:
            return newest, changed
        self._turn = (self._turn + 1) % len(self._lanes)
        lane = self._lanes[self._turn]
        return lane, changed if lane is newest else lane.changed(frame)
