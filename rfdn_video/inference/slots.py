"""Frames in flight: staging buffer -> upload -> compute -> download -> staging buffer, each on its own queue.

With several slots, frame n+1 uploads while n computes and n-1 downloads. A slot is used again
only after the event that says its result has been downloaded. The newest frame's slot keeps its
input and its result, from which the next frame takes what did not change.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from rfdn_video.errors import ModelError
from rfdn_video.frame import Frame, PixelFormat
from rfdn_video.inference.device import Device, Event, report_device_errors
from rfdn_video.inference.graphs import Recorder, Replayed
from rfdn_video.inference.program import Earlier, Made, PictureProgram, PictureShape
from rfdn_video.inference.reuse import changed_rows
from rfdn_video.inference.tally import Tally

__all__ = ["QUEUES", "Lane"]

QUEUES = ("upload", "network", "download")
"""What each queue of a device is called. Colour is computed in the network's."""


class Lane:
    """Up to ``count`` frames in flight on one device, first in, first out.

    Args:
        device: its memory and queues; closed with the lane.
        make_program: the work for pictures of one shape.
        count: of frames in flight, each in a slot of its own.
        record: the work on the device is recorded by it and replayed; None does it plainly.
        reuse: what did not change is taken from the frame before.

    Attributes:
        worked: how long each of the queues did, in seconds.
        waited: how long the caller waited for results, in seconds.
    """

    def __init__(
        self,
        device: Device,
        make_program: Callable[[PictureShape], PictureProgram],
        count: int,
        record: Recorder | None = None,
        *,
        reuse: bool = True,
    ) -> None:
        self._done, self._retries_before = Tally(), 0
        self.worked, self.waited = dict.fromkeys(QUEUES, 0.0), 0.0
        self._device, self._make_program, self._count = device, make_program, count
        self._record, self._reuse = record, reuse
        self._upload, self._compute, self._download = device.queue(), device.queue(), device.queue()
        self._program: PictureProgram | None = None
        self._free: list[_Slot] = []
        self._busy: deque[tuple[_Slot, Frame]] = deque()  # a frame that is repeated is in the slot of the first one
        self._newest: _Slot | None = None

    @property
    def full(self) -> bool:
        """A frame must be collected before another one can be submitted."""
        return len(self._busy) >= self._count

    @property
    def tally(self) -> Tally:
        """Of all frames that were collected."""
        return replace(self._done, retries=self._retries_before + (self._program.retries if self._program else 0))

    def prepare(self, shape: PictureShape) -> None:
        """Makes the slots for pictures of a shape; nothing may be in flight."""
        assert not self._busy
        self._newest = None
        self._free.clear()  # before the new ones, or there would be memory for both
        self._retries_before = self.tally.retries
        with report_device_errors(f"frames of {shape.width}x{shape.height}"):
            program = self._program = self._make_program(shape)
            self._free = [_Slot(self._device, program, self._record) for _ in range(self._count)]
            self._device.settle()

    def changed(self, frame: Frame) -> list[range]:
        """Rows in which a frame, of the shape that was prepared for, differs from the one submitted last."""
        if self._newest is None or not self._reuse:
            return [range(frame.height)]
        return self._newest.changed(frame)

    def submit(self, frame: Frame, changed: Sequence[range]) -> None:
        """Queues a frame of the shape that was prepared for.

        Args:
            frame: the picture.
            changed: what :meth:`changed` gave for it.

        Raises:
            DeviceError: out of memory, or the device was lost, perhaps at an earlier frame.
        """
        if changed:
            with report_device_errors("a frame"):
                self._newest = self._queue(frame, changed)
        assert self._newest is not None
        if self._newest in self._free:  # a repeated frame, and the one before has been collected
            self._free.remove(self._newest)
        self._newest.waiting += 1
        self._busy.append((self._newest, frame))

    def _queue(self, frame: Frame, changed: Sequence[range]) -> _Slot:
        slot = self._free.pop()
        slot.load(frame, self._newest, changed)
        uploaded = self._upload.submit(slot.upload)
        computed = self._compute.submit(slot.compute, after=[uploaded])
        downloaded = self._download.submit(slot.download, after=[computed])
        slot.events = uploaded, computed, downloaded
        return slot

    def collect(self) -> Frame:
        """Waits for the oldest frame in flight.

        Raises:
            DeviceError: out of memory, or the device was lost.
            ModelError: the result holds NaN or infinity, computed in float32.
        """
        slot, frame = self._busy.popleft()
        first = slot.first
        with report_device_errors("a frame"):
            if first:
                self._wait(slot)
            if not slot.finite and slot.half:
                self._rescue(slot)
        if not slot.finite:
            raise slot.failure(frame)
        self._done += Tally(frames=1, recomputed=first and slot.exact, repeated=not first, copied=slot.copied)
        result = slot.result(frame)
        if not slot.waiting:
            self._free.append(slot)
        return result

    def _rescue(self, slot: _Slot) -> None:
        """Half precision gave NaN or infinity; the slot still holds its input."""
        if slot.copied:  # perhaps from the frame before, which could not be done
            self._redo(slot, slot.compute_all)
        if not slot.finite:
            self._redo(slot, slot.compute_exactly)

    def _redo(self, slot: _Slot, compute: Callable[[], None]) -> None:
        computed = self._compute.submit(compute)
        slot.events = computed, self._download.submit(slot.download, after=[computed])
        self._wait(slot)

    def close(self) -> None:
        """Waits for the device, which may still be writing into the slots, and lets go of them.

        Raises:
            DeviceError: the device was lost.
        """
        with report_device_errors("the end of the work"):
            self._device.close()
        self._free.clear()
        self._busy.clear()
        self._newest = None

    def _wait(self, slot: _Slot) -> None:
        begin = time.perf_counter()
        slot.events[-1].wait()
        self.waited += time.perf_counter() - begin
        for name, event in zip(reversed(QUEUES), reversed(slot.events), strict=False):  # without upload at a second try
            self.worked[name] += event.seconds()


class _Slot:
    """The buffers of one frame in flight.

    Attributes:
        waiting: frames to be collected that have this result.
        exact: half precision could not do it.
    """

    events: tuple[Event, ...]  # of its work, the last one says that the result is there

    def __init__(self, device: Device, program: PictureProgram, record: Recorder | None) -> None:
        self.half, self.exact, self.waiting = program.half, False, 0
        self._program = program
        self._collected = False
        self._base: _Slot | None = None
        self._changed: Sequence[range] = ()
        self._made: Made | None = None
        self._whole_made: Made | None = None
        self._recorded: object = None
        self._host_in = _staging(device, program.shape.format, program.plan.source)
        self._host_out = _staging(device, program.result_format, program.plan.target)
        self._host_finite = device.staging((), torch.bool).fill_(True)
        self._device_in = [device.resident(buffer) for buffer in self._host_in]
        self._device_out = [device.resident(buffer) for buffer in self._host_out]
        self._device_finite = device.resident(self._host_finite).fill_(True)
        # The work is no attribute: in a circle with the slot, it would keep the buffers until Python looks for such.
        self._replayed = None if record is None else Replayed(record)

    @property
    def finite(self) -> bool:
        """The downloaded result holds numbers only."""
        return bool(self._host_finite)

    @property
    def first(self) -> bool:
        """Its result has not been collected yet."""
        return not self._collected

    @property
    def copied(self) -> float:
        """Share of the result's rows that were copied, for the frame that is collected next."""
        return 1.0 if self._collected or self._made is None else self._made.copied

    def changed(self, frame: Frame) -> list[range]:
        """Rows in which a frame differs from this one."""
        planes = tuple(buffer.numpy() for buffer in self._host_in)
        return changed_rows(frame.format, planes, frame.planes, at_all=not self._program.in_strips)

    def load(self, frame: Frame, base: _Slot | None, changed: Sequence[range]) -> None:
        """Copies a frame's planes into staging memory.

        Args:
            frame: the picture.
            base: the slot of the frame before, perhaps this one.
            changed: rows in which they differ.
        """
        self._base = None if changed == [range(frame.height)] else base
        self._changed = changed
        self.exact = self._collected = False
        for buffer, plane in zip(self._host_in, frame.planes, strict=True):
            np.copyto(buffer.numpy(), plane)

    def upload(self) -> None:
        """Host to device."""
        _copy(self._host_in, self._device_in)

    def compute(self) -> None:
        """On the device; what did not change is copied."""
        base, self._base = self._base, None  # slots that held each other would keep their buffers likewise
        if base is None or base._made is None:
            self.compute_all()
            return
        self._made = self._run(Earlier(base._device_out, base._device_finite, base._made.enlarger, self._changed))

    def compute_all(self) -> None:
        """On the device, all of it."""
        if self._replayed is not None:
            self._replayed(self._run_whole)
        else:
            self._run_whole()
        self._made = self._whole_made

    def compute_exactly(self) -> None:
        """On the device, in float32."""
        self._made, self.exact = self._run(exact=True), True

    def _run_whole(self) -> None:
        self._whole_made = self._run()
        if self._replayed is not None:
            self._recorded = self._whole_made.enlarger()  # its buffers are those of the recording

    def _run(self, earlier: Earlier | None = None, *, exact: bool = False) -> Made:
        return self._program.run(self._device_in, self._device_out, self._device_finite, earlier=earlier, exact=exact)

    def download(self) -> None:
        """Device to host."""
        _copy([*self._device_out, self._device_finite], [*self._host_out, self._host_finite])

    def result(self, frame: Frame) -> Frame:
        """The enlarged frame, in memory of its own."""
        self.waiting -= 1
        self._collected = True
        return replace(
            frame,
            planes=tuple(buffer.numpy().copy() for buffer in self._host_out),
            format=self._program.result_format,
            color=self._program.result_color,
        )

    def failure(self, frame: Frame) -> ModelError:
        """Says that the result is no picture."""
        seconds = float(frame.pts * frame.time_base)
        return self._program.not_finite(f"the frame at {seconds:g} s")


def _staging(device: Device, layout: PixelFormat, size: tuple[int, int]) -> list[Tensor]:
    """One buffer a plane; ``size`` is (width, height)."""
    dtype = torch.uint8 if layout.depth == 8 else torch.uint16
    return [device.staging(plane, dtype) for plane in layout.plane_sizes(*size)]


def _copy(sources: list[Tensor], targets: list[Tensor]) -> None:
    for source, target in zip(sources, targets, strict=True):
        if target is not source:  # a CPU has no memory of its own
            # Elsewhere than on CUDA nothing would tell when a copy that does not block is done.
            target.copy_(source, non_blocking=source.is_cuda or target.is_cuda)
