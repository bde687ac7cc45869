"""Frames in flight: staging buffer -> upload -> compute -> download -> staging buffer, each on its own queue.

With several slots, frame n+1 uploads while n computes and n-1 downloads. A slot is used again
only after the event that says its result has been downloaded.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from rfdn_video.frame import Frame, PixelFormat
from rfdn_video.inference.device import Device, Event, report_out_of_memory
from rfdn_video.inference.program import PictureProgram, PictureShape

__all__ = ["FramePipe"]


class FramePipe:
    """Keeps up to ``count`` frames in flight on a device, in order.

    Args:
        device: its memory and queues; closed with the pipe.
        make_program: the work for pictures of one shape; called when the shape changes.
        count: of slots, at least 2.

    Attributes:
        recomputed: frames that were done again in float32.
    """

    def __init__(self, device: Device, make_program: Callable[[PictureShape], PictureProgram], count: int) -> None:
        self.recomputed = self._retries_before = 0
        self._device, self._make_program, self._count = device, make_program, count
        self._upload, self._compute, self._download = device.queue(), device.queue(), device.queue()
        self._program: PictureProgram | None = None
        self._free: list[_Slot] = []
        self._busy: deque[_Slot] = deque()

    def __enter__(self) -> FramePipe:
        return self

    def __exit__(self, *_: object) -> None:
        # The device may still be writing into the slots: they must outlive its work.
        self._device.close()

    @property
    def retries(self) -> int:
        """Frames that were done again in smaller bands, because memory was short."""
        return self._retries_before + (self._program.retries if self._program else 0)

    def push(self, frame: Frame) -> Iterator[Frame]:
        """Takes a frame in; gives those that had to make room for it."""
        shape = PictureShape.of(frame)
        if self._program is None or self._program.shape != shape:
            yield from self.drain()
            self._prepare(shape)
        if not self._free:
            yield self._collect()
        self._submit(self._free.pop(), frame)

    def drain(self) -> Iterator[Frame]:
        """Gives all frames that are in flight."""
        while self._busy:
            yield self._collect()

    def _prepare(self, shape: PictureShape) -> None:
        self._retries_before = self.retries
        program = self._program = self._make_program(shape)
        with report_out_of_memory(shape.width, shape.height):
            self._free = [_Slot(self._device, program) for _ in range(self._count)]
        self._device.settle()

    def _submit(self, slot: _Slot, frame: Frame) -> None:
        slot.load(frame)
        uploaded = self._upload.submit(slot.upload)
        computed = self._compute.submit(slot.compute, after=[uploaded])
        slot.done = self._download.submit(slot.download, after=[computed])
        self._busy.append(slot)

    def _collect(self) -> Frame:
        slot = self._busy.popleft()
        slot.done.wait()
        if not slot.finite:
            # The slot still holds its input.
            computed = self._compute.submit(slot.compute_exactly)
            self._download.submit(slot.download, after=[computed]).wait()
            self.recomputed += 1
        frame = slot.result()
        self._free.append(slot)
        return frame


class _Slot:
    """The buffers of one frame in flight."""

    done: Event

    def __init__(self, device: Device, program: PictureProgram) -> None:
        self._program = program
        self._frame: Frame | None = None
        self._host_in = _staging(device, program.shape.format, program.plan.source)
        self._host_out = _staging(device, program.result_format, program.plan.target)
        self._host_finite = device.staging((), torch.bool).fill_(True)
        self._device_in = [device.resident(buffer) for buffer in self._host_in]
        self._device_out = [device.resident(buffer) for buffer in self._host_out]
        self._device_finite = device.resident(self._host_finite).fill_(True)

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

    def compute(self) -> None:
        """On the device."""
        self._program.run(self._device_in, self._device_out, self._device_finite)

    def compute_exactly(self) -> None:
        """On the device, in float32."""
        self._device_finite.fill_(True)
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


def _staging(device: Device, layout: PixelFormat, size: tuple[int, int]) -> list[Tensor]:
    """One buffer a plane; ``size`` is (width, height)."""
    dtype = torch.uint8 if layout.depth == 8 else torch.uint16
    return [device.staging(plane, dtype) for plane in layout.plane_sizes(*size)]


def _copy(sources: list[Tensor], targets: list[Tensor]) -> None:
    for source, target in zip(sources, targets, strict=True):
        if target is not source:  # a CPU has no memory of its own
            # Elsewhere than on CUDA nothing would tell when a copy that does not block is done.
            target.copy_(source, non_blocking=source.is_cuda or target.is_cuda)
