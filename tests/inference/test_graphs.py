"""Recorded work: once a slot and shape, with the same pictures; nothing in it that CUDA could not record."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from rfdn_video import Color, Frame, PixelFormat, Upscaler
from rfdn_video.errors import DeviceError
from rfdn_video.frame import Matrix
from rfdn_video.inference.device import open_device
from rfdn_video.inference.graphs import Replayed
from rfdn_video.inference.pipe import FramePipe
from rfdn_video.inference.program import PictureShape
from rfdn_video.inference.slots import Lane, _Slot

YUV420 = PixelFormat("yuv", 8, 1, 1)
CPU = torch.device("cpu")
WAITS_FOR_THE_DEVICE = ("_local_scalar_dense", "nonzero", "lift_fresh", "is_nonzero", "masked_select")


class FakeRecorder:
    """Replays by doing the work again, and counts."""

    def __init__(self) -> None:
        self.recorded, self.replayed = 0, 0

    def __call__(self, work: Callable[[], None]) -> Callable[[], None]:
        self.recorded += 1

        def replay() -> None:
            self.replayed += 1
            work()

        return replay


def _frames(count: int, width: int = 40, height: int = 36) -> list[Frame]:
    generator = np.random.default_rng(count)
    return [
        Frame(
            tuple(generator.integers(0, 256, size, np.uint8) for size in YUV420.plane_sizes(width, height)),
            YUV420,
            Color(Matrix.BT709),
            n,
            1,
            Fraction(1, 25),
        )
        for n in range(count)
    ]


def _assert_equal(results: Sequence[Frame], expected: Sequence[Frame]) -> None:
    for got, want in zip(results, expected, strict=True):
        assert got.pts == want.pts
        for plane, wanted in zip(got.planes, want.planes, strict=True):
            np.testing.assert_array_equal(plane, wanted)


def test_plain_then_recorded_then_replayed() -> None:
    done: list[str] = []
    recorder = FakeRecorder()
    replayed = Replayed(recorder)
    counts = []
    for _ in range(4):
        replayed(lambda: done.append("work"))
        counts.append((recorder.recorded, recorder.replayed))
    assert counts == [(0, 0), (1, 1), (1, 2), (1, 3)]
    assert len(done) == 4


def test_work_that_fails_the_first_time_is_not_recorded() -> None:
    recorder = FakeRecorder()

    def fail() -> None:
        raise RuntimeError("out of memory")

    replayed = Replayed(recorder)
    for _ in range(2):
        with pytest.raises(RuntimeError):
            replayed(fail)
    assert recorder.recorded == 0


def test_each_slot_is_recorded_once_a_shape() -> None:
    """Frames of two shapes in turn; slots of a new shape are new."""
    upscaler, recorder, slots = Upscaler(scale=2, device="cpu", engine="torch"), FakeRecorder(), 3
    frames = [*_frames(10), *_frames(10, 24, 18), *_frames(10)]
    lane = upscaler._maker.lane(upscaler._maker.engines[0], slots, record=recorder)
    with FramePipe([lane]) as pipe:
        results = [result for frame in frames for result in pipe.push(frame)] + list(pipe.drain())
    _assert_equal(results, list(upscaler.stream(frames)))
    assert recorder.recorded == 3 * slots
    assert recorder.replayed == 3 * (10 - slots)


def test_what_cannot_be_recorded_ends_the_job() -> None:
    def refuse(_: Callable[[], None]) -> Callable[[], None]:
        raise DeviceError("this job cannot be recorded as a CUDA graph")

    upscaler = Upscaler(scale=2, device="cpu", engine="torch")
    lane = upscaler._maker.lane(upscaler._maker.engines[0], 2, record=refuse)
    with FramePipe([lane]) as pipe, pytest.raises(DeviceError, match="cannot be recorded"):
        for frame in _frames(6):
            list(pipe.push(frame))


def test_only_on_cuda() -> None:
    with pytest.raises(DeviceError, match="--cuda-graphs"):
        Upscaler(scale=2, device="cpu", cuda_graphs=True)


class _Operators(TorchDispatchMode):
    def __init__(self) -> None:
        super().__init__()
        self.seen: set[str] = set()

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.seen.add(function.overloadpacket.__name__)
        return function(*args, **(kwargs or {}))


@pytest.mark.parametrize("scale", [2, 3])
@pytest.mark.parametrize("tile", ["off", 16])
def test_the_work_waits_for_nothing_and_takes_nothing_from_the_host(
    tile: Any, scale: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the second time on: values that are read back, and tables from the host, cannot be recorded."""
    upscaler, frame = Upscaler(scale=scale, device="cpu", engine="torch", tile=tile), _frames(1)[0]
    lane: Lane = upscaler._maker.lane(upscaler._maker.engines[0], 1)
    with FramePipe([lane]), torch.inference_mode():
        slot = _Slot(open_device(CPU), lane._make_program(PictureShape.of(frame)), None)
        slot.load(frame, None, [range(frame.height)])
        slot.compute()
        for name in ("from_numpy", "tensor", "as_tensor"):
            monkeypatch.setattr(torch, name, None)
        with _Operators() as operators:
            slot.compute()
    assert any("conv" in name for name in operators.seen)
    assert not operators.seen.intersection(WAITS_FOR_THE_DEVICE)


@pytest.mark.cuda
@pytest.mark.parametrize("tile", ["off", 16])
@pytest.mark.parametrize("precision", ["fp32", "fp16"])
def test_cuda_graphs_give_the_eager_pictures(precision: str, tile: Any) -> None:
    frames = [*_frames(20, 96, 64), *_frames(12), *_frames(9, 96, 64)]
    eager, graphs = (
        Upscaler(scale=2, device="cuda", precision=precision, tile=tile, cuda_graphs=on) for on in (False, True)
    )
    _assert_equal(list(graphs.stream(frames)), list(eager.stream(frames)))


@pytest.mark.cuda
@pytest.mark.parametrize("slots", [2, 3, 5])
@pytest.mark.parametrize("graphs", [False, True])
def test_cuda_streams_do_not_race(slots: int, graphs: bool, nearest_x2: Path) -> None:
    """Every picture is another one, large enough for copies to take their time; the network repeats pixels."""
    frames = _frames(60, 640, 360)
    upscaler = Upscaler(scale=2, weights=nearest_x2, device="cuda", precision="fp32", slots=slots, cuda_graphs=graphs)
    for got, frame in zip(upscaler.stream(frames), frames, strict=True):
        luma = frame.planes[0].repeat(2, 0).repeat(2, 1).astype(int)
        assert np.abs(got.planes[0].astype(int) - luma).max() <= 1


@pytest.mark.cuda
@pytest.mark.skipif(torch.cuda.device_count() < 2, reason="needs two CUDA devices")
def test_several_cuda_devices_give_the_pictures_of_one() -> None:
    frames = _frames(31, 96, 64)
    one, two = (Upscaler(scale=2, device=device, precision="fp32") for device in ("cuda:0", "cuda:0,1"))
    for got, want in zip(two.stream(frames), one.stream(frames), strict=True):
        assert got.pts == want.pts
        assert np.abs(got.planes[0].astype(int) - want.planes[0].astype(int)).max() <= 1
