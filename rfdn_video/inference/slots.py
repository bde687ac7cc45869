"""Frames in flight: staging buffer -> upload -> compute -> download -> staging buffer, each on its own queue.

With several slots, frame n+1 uploads while n computes and n-1 downloads. A slot is used again
only after the event that says its result has been downloaded.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from rfdn_video.errors import ModelError
from rfdn_video.frame import Frame, PixelFormat
from rfdn_video.inference.device import Device, Event, report_device_errors
from rfdn_video.inference.graphs import Recorder, Replayed
from rfdn_video.inference.program import PictureProgram, PictureShape

__all__ = ["QUEUES", "Lane"]

QUEUES = ("upload", "network", "download")
"""What each queue of a device is called. Colour is computed in the network's."""


class Lane:
    """Up to ``count`` frames in flight on one device, first in, first out.

    Args:
        device: its memory and queues; closed with the lane.
        make_program: the work for pictures of one shape.
        count: of slots.
        record: the work on the device is recorded by it and replayed; None does it plainly.

    Attributes:
        recomputed: frames that were done again in float32.
        worked: how long each of the queues did, in seconds.
        waited: how long the caller waited for results, in seconds.
    """

    def __init__(
        self,
        device: Device,
        make_program: Callable[[PictureShape], PictureProgram],
        count: int,
        record: Recorder | None = None,
    ) -> None:
        self.recomputed = self._retries_before = 0
        self.worked, self.waited = dict.fromkeys(QUEUES, 0.0), 0.0
        self._device, self._make_program, self._count, self._record = device, make_program, count, record
        self._upload, self._compute, self._download = device.queue(), device.queue(), device.queue()
        self._program: PictureProgram | None = None
        self._free: list[_Slot] = []
        self._busy: deque[_Slot] = deque()

    @property
    def full(self) -> bool:
        """A frame must be collected before another one can be submitted."""
        return not self._free

    @property
    def retries(self) -> int:
        """Frames that were done again in smaller bands, because memory was short."""
        return self._retries_before + (self._program.retries if self._program else 0)

    def prepare(self, shape: PictureShape) -> None:
        """Makes the slots for pictures of a shape; nothing may be in flight."""
        assert not self._busy
        self._free.clear()  # before the new ones, or there would be memory for both
        self._retries_before = self.retries
        with report_device_errors(f"frames of {shape.width}x{shape.height}"):
            program = self._program = self._make_program(shape)
            self._free = [_Slot(self._device, program, self._record) for _ in range(self._count)]
            self._device.settle()

    def submit(self, frame: Frame) -> None:
        """Queues a frame of the shape that was prepared for."""
        slot = self._free.pop()
        slot.load(frame)
        uploaded = self._upload.submit(slot.upload)
        computed = self._compute.submit(slot.compute, after=[uploaded])
        downloaded = self._download.submit(slot.download, after=[computed])
        slot.events = uploaded, computed, downloaded
        self._busy.append(slot)

    def collect(self) -> Frame:
        """Waits for the oldest frame in flight.

        Raises:
            DeviceError: out of memory, or the device was lost.
            ModelError: the result holds NaN or infinity, computed in float32.
        """
        slot = self._busy.popleft()
        with report_device_errors("a frame"):
            self._wait(slot)
            if not slot.finite and slot.half:
                # The slot still holds its input.
                computed = self._compute.submit(slot.compute_exactly)
                slot.events = computed, self._download.submit(slot.download, after=[computed])
                self._wait(slot)
                self.recomputed += 1
        if not slot.finite:
            raise slot.failure()
        frame = slot.result()
        self._free.append(slot)
        return frame

    def close(self) -> None:
        """Waits for the device, which may still be writing into the slots."""
        self._device.close()

    def _wait(self, slot: _Slot) -> None:
        begin = time.perf_counter()
        slot.events[-1].wait()
        self.waited += time.perf_counter() - begin
        for name, event in zip(reversed(QUEUES), reversed(slot.events), strict=False):  # without upload at a second try
            self.worked[name] += event.seconds()


class _Slot:
    """The buffers of one frame in flight."""

    events: tuple[Event, ...]  # of its work, the last one says that the result is there

    def __init__(self, device: Device, program: PictureProgram, record: Recorder | None) -> None:
        self.half = program.half
        self._program = program
        self._frame: Frame | None = None
        self._host_in = _staging(device, program.shape.format, program.plan.source)
        self._host_out = _staging(device, program.result_format, program.plan.target)
        self._host_finite = device.staging((), torch.bool).fill_(True)
        self._device_in = [device.resident(buffer) for buffer in self._host_in]
        self._device_out = [device.resident(buffer) for buffer in self._host_out]
        self._device_finite = device.resident(self._host_finite).fill_(True)
        self.compute = Replayed(self._run, record) if record is not None else self._run

    @property
    def finite(self) -> bool:
        """The downloaded result holds numbers only."""
        return bool(self._host_finite)

    def load(self, frame: Frame) -> None:
        """Copies a frame's planes into staging memory."""
        self._frame = frame
        for buffer, plane in zip(self._host_in, frame.planes, strict=True):
            np.copyto(buffer.numpy(), plane)

    def upload(self) -> None:
        """Host to device."""
        _copy(self._host_in, self._device_in)

    def _run(self) -> None:
        """On the device."""
        self._program.run(self._device_in, self._device_out, self._device_finite)

    def compute_exactly(self) -> None:
        """On the device, in float32."""
        self._program.run(self._device_in, self._device_out, self._device_finite, exact=True)

    def download(self) -> None:
        """Device to host."""
        _copy([*self._device_out, self._device_finite], [*self._host_out, self._host_finite])

    def result(self) -> Frame:
        """The enlarged frame, in memory of its own."""
        assert self._frame is not None
        frame = replace(
            self._frame,
            planes=tuple(buffer.numpy().copy() for buffer in self._host_out),
            format=self._program.result_format,
            color=self._program.result_color,
        )
        self._frame = None
        return frame

    def failure(self) -> ModelError:
        """Says that the result is no picture."""
        assert self._frame is not None
        seconds = float(self._frame.pts * self._frame.time_base)
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
