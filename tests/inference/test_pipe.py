"""Frames in flight on a device that is really asynchronous: simulated, with memory of its own and random delays."""

from __future__ import annotations

import gc
import random
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from rfdn_video import Color, Frame, PixelFormat
from rfdn_video.errors import DeviceError, ModelError
from rfdn_video.frame import Matrix
from rfdn_video.inference.device import Event, Queue, resolve_devices
from rfdn_video.inference.fit import FittingEnlarger
from rfdn_video.inference.pipe import FramePipe
from rfdn_video.inference.program import PictureProgram, PictureShape
from rfdn_video.inference.scaling import ScalePlan
from rfdn_video.inference.slots import Lane, _Slot
from rfdn_video.inference.tiling import Tiling

GRAY = PixelFormat("gray", 8)
DELAY = 0.004  # seconds, at most


@dataclass
class Done:
    """See :class:`Event`."""

    wait: Callable[[], object]

    def seconds(self) -> float:
        """Asking must not wait, or it would stand in for the waits under test."""
        return 0.0


class SimulatedQueue:
    """A thread that dawdles before each piece of work; ``blind`` to the events it should wait for."""

    def __init__(self, seed: int, blind: bool) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="simulated")
        self._random, self._blind = random.Random(seed), blind  # noqa: S311

    def submit(self, work: Callable[[], None], after: Sequence[Event] = ()) -> Event:
        def run() -> None:
            if not self._blind:
                for event in after:
                    event.wait()
            time.sleep(self._random.uniform(0, DELAY))
            with torch.inference_mode():
                work()

        return Done(self._thread.submit(run).result)  # type: ignore[return-value]

    def close(self) -> None:
        self._thread.shutdown()


class SimulatedDevice:
    """Like a GPU: nothing of the host is visible to it before a copy.

    Args:
        seed: of the delays.
        blind: the queue (0 upload, 1 compute, 2 download) whose waits are removed; None for none.
        deaf: the host does not wait for results.
    """

    torch_device = torch.device("cpu")

    def __init__(self, seed: int = 0, blind: int | None = None, deaf: bool = False) -> None:
        self._seed, self._blind, self._deaf = seed, blind, deaf
        self.queues: list[SimulatedQueue] = []

    def queue(self) -> Queue:
        index = len(self.queues)
        self.queues.append(SimulatedQueue(self._seed + index, index == self._blind))
        return _Deaf(self.queues[-1]) if self._deaf and index == 2 else self.queues[-1]

    def staging(self, shape: tuple[int, ...], dtype: torch.dtype) -> Tensor:
        return torch.zeros(shape, dtype=dtype)

    def resident(self, staging: Tensor) -> Tensor:
        return torch.zeros_like(staging)

    def settle(self) -> None:
        return

    def close(self) -> None:
        for queue in self.queues:
            queue.close()


class _Deaf:
    def __init__(self, queue: SimulatedQueue) -> None:
        self._queue = queue

    def submit(self, work: Callable[[], None], after: Sequence[Event] = ()) -> Event:
        self._queue.submit(work, after)
        return Done(lambda: None)  # type: ignore[return-value]


class Doubling:
    """An engine that repeats every pixel; ``spoil`` makes pictures that begin with 255 no numbers."""

    name, device, runs_bands, at_once, repeats_rows = "doubling", torch.device("cpu"), False, 1, True

    def __init__(self, precision: torch.dtype = torch.float32, spoil: bool = False) -> None:
        self.precision, self._spoil = precision, spoil

    def __call__(self, image: Tensor) -> Tensor:
        larger = image.repeat_interleave(2, 2).repeat_interleave(2, 3)
        return larger * torch.nan if self._spoil and bool(image[0, 0, 0, 0] == 1) else larger


def _program(engine: Doubling, exact: Doubling) -> Callable[[PictureShape], PictureProgram]:
    def make(shape: PictureShape) -> PictureProgram:
        size = (shape.width, shape.height)
        plan = ScalePlan(size, (2 * size[0], 2 * size[1]), 2, 1)
        plain, certain = (FittingEnlarger(e, plan, Tiling((None,))) for e in (engine, exact))  # type: ignore[arg-type]
        return PictureProgram(shape, plain, lambda: certain, Path("weights.safetensors"))

    return make


def _lane(device: SimulatedDevice, engine: Doubling | None = None, slots: int = 3) -> Lane:
    return Lane(device, _program(engine or Doubling(), Doubling()), slots)


def _frames(count: int) -> list[Frame]:
    """Each of one value, which tells it from its neighbours."""
    color = Color(Matrix.BT709, full_range=True)
    return [Frame((np.full((6, 8), 7 * n % 250, np.uint8),), GRAY, color, n, 1, Fraction(1, 25)) for n in range(count)]


def _run(lanes: Sequence[Lane], frames: list[Frame]) -> Iterator[Frame]:
    with FramePipe(lanes) as pipe:
        for frame in frames:
            yield from pipe.push(frame)
        yield from pipe.drain()


def _wrong(lanes: Sequence[Lane], frames: list[Frame]) -> int:
    """How many results are not those of their frame."""
    results = list(_run(lanes, frames))
    assert [r.pts for r in results] == [f.pts for f in frames]
    pairs = zip(frames, results, strict=True)
    return sum(not np.array_equal(f.planes[0].repeat(2, 0).repeat(2, 1), r.planes[0]) for f, r in pairs)


@pytest.mark.parametrize("slots", [1, 2, 3, 5])
def test_no_slot_is_used_too_early(slots: int) -> None:
    assert _wrong([_lane(SimulatedDevice(slots), slots=slots)], _frames(60)) == 0


@pytest.mark.parametrize("removed", ["compute waits for upload", "download waits for compute", "host waits for result"])
def test_every_wait_is_needed(removed: str) -> None:
    """The test above can fail: it does as soon as one wait is left out."""
    blind = {"compute waits for upload": 1, "download waits for compute": 2}.get(removed)
    device = SimulatedDevice(3, blind, deaf=removed.startswith("host"))
    assert _wrong([_lane(device)], _frames(60)) > 0


@pytest.mark.parametrize("count", [2, 3])
def test_several_devices_are_dealt_frames_in_turn(count: int) -> None:
    """Of different speed, and more or fewer frames than fill them."""
    for frames in (1, count, 41):
        devices = [SimulatedDevice(10 * n) for n in range(count)]
        assert _wrong([_lane(device) for device in devices], _frames(frames)) == 0


def test_each_device_gets_its_share() -> None:
    taken: list[list[int]] = [[], []]
    lanes = [_lane(SimulatedDevice(n)) for n in (0, 1)]
    for lane, record in zip(lanes, taken, strict=True):
        submit = lane.submit
        lane.submit = lambda f, c, s=submit, r=record: (r.append(f.pts), s(f, c))[1]  # type: ignore[method-assign,misc]
    list(_run(lanes, _frames(9)))
    assert taken == [[0, 2, 4, 6, 8], [1, 3, 5, 7]]


def test_half_precision_that_fails_is_done_again_between_the_others() -> None:
    frames = _frames(30)
    for n in (0, 11, 12, 29):
        frames[n].planes[0][:] = 255
    lane = _lane(SimulatedDevice(5), Doubling(torch.float16, spoil=True))
    assert _wrong([lane], frames) == 0
    assert (lane.tally.recomputed, lane.tally.repeated) == (3, 1)


def test_no_number_in_full_precision_is_an_error() -> None:
    frames = _frames(30)
    frames[10].planes[0][:] = 255
    lane = _lane(SimulatedDevice(6), Doubling(spoil=True))
    with pytest.raises(ModelError, match=r"weights.safetensors: gives NaN or infinity for the frame at 0.4 s"):
        list(_run([lane], frames))


class Lost(SimulatedDevice):
    """Fails at the first frame's download, and at every call from then on, as CUDA does."""

    closed = 0

    def queue(self) -> Queue:
        queue = super().queue()
        return _Failing() if len(self.queues) == 3 else queue

    def close(self) -> None:
        self.closed += 1
        super().close()
        raise RuntimeError(LOST)


class _Failing:
    def submit(self, _work: Callable[[], None], after: Sequence[Event] = ()) -> Event:
        raise RuntimeError(f"{LOST}, after {len(after)} events")


LOST = "CUDA error: unspecified launch failure"


@pytest.mark.fault(71)
def test_a_device_that_is_lost_is_said_once_and_all_are_closed() -> None:
    devices = [Lost(), Lost()]
    with pytest.raises(DeviceError, match="the device was lost at a frame: CUDA error: unspecified launch failure"):
        list(_run([_lane(device) for device in devices], _frames(4)))
    assert [device.closed for device in devices] == [1, 1]


def test_a_device_that_is_lost_at_the_end_is_an_error_too() -> None:
    with pytest.raises(DeviceError, match="the device was lost at the end of the work"), FramePipe([_lane(Lost())]):
        pass


@pytest.mark.fault(31)
def test_slots_go_with_their_lane_and_with_their_shape() -> None:
    """Python's search for circles knows nothing of the memory that they hold, so it may come late."""

    def slots() -> int:
        return sum(isinstance(one, _Slot) for one in gc.get_objects())

    gc.collect()
    gc.disable()
    try:
        before = slots()  # upscalers of other tests may live
        frames = _frames(9)
        larger = [replace(frame, planes=(np.zeros((8, 10), np.uint8),)) for frame in frames]
        list(_run([_lane(SimulatedDevice(), slots=3)], [*frames, *larger, *frames]))
        assert slots() == before
    finally:
        gc.enable()


def test_what_a_device_is_called() -> None:
    assert resolve_devices("cpu") == (torch.device("cpu"),)
    with pytest.raises(DeviceError, match="twice"):
        resolve_devices("cpu:0,0")
