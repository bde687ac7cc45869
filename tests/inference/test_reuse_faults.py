"""Reuse where something goes wrong or takes its time: memory is short, half precision overflows, a device is late."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from rfdn_video import Color, Frame, PixelFormat
from rfdn_video.frame import Matrix
from rfdn_video.inference.engines.engine import BandRunner
from rfdn_video.inference.engines.pytorch import TorchEngine
from rfdn_video.inference.fit import FittingEnlarger
from rfdn_video.inference.pipe import FramePipe
from rfdn_video.inference.program import PictureProgram, PictureShape
from rfdn_video.inference.rows import Read
from rfdn_video.inference.scaling import ScalePlan
from rfdn_video.inference.slots import Lane
from rfdn_video.inference.tally import Tally
from rfdn_video.inference.tiling import Tiling
from rfdn_video.models.weights import Weights, load_weights
from tests.inference.test_pipe import SimulatedDevice

GRAY = PixelFormat("gray", 8)
WIDTH, HEIGHT, BAND = 16, 160, 12
SPOILT = 255
"""A code value that half precision fails at."""


class Spoiling:
    """Half precision is far off, and gives no numbers for bands whose own rows hold :data:`SPOILT`."""

    device, runs_bands, at_once, repeats_rows = torch.device("cpu"), True, 1, True

    def __init__(self, engine: TorchEngine) -> None:
        self._engine, self.precision = engine, engine.precision

    def in_bands(self, width: int, height: int, band: int) -> BandRunner:
        return _SpoilingBands(self._engine.in_bands(width, height, band), self.precision is not torch.float32)


class _SpoilingBands:
    def __init__(self, runner: BandRunner, half: bool) -> None:
        self._runner, self._half, self.needed = runner, half, runner.needed

    def run(self, read: Read, wanted: range) -> Iterator[tuple[range, Tensor]]:
        for rows, band in self._runner.run(read, wanted):
            spoilt = self._half and bool((read(rows) == 1).any())
            yield rows, band * torch.nan if spoilt else band + 0.1 * self._half


class Short(Spoiling):
    """Has memory for ``enough`` bands of more than ``BAND // 2`` rows; what it gives tells the size of its bands."""

    def __init__(self, engine: TorchEngine, enough: int) -> None:
        super().__init__(engine)
        self.enough = enough

    def in_bands(self, width: int, height: int, band: int) -> BandRunner:
        return _ShortBands(self, self._engine.in_bands(width, height, band), band)


class _ShortBands:
    def __init__(self, engine: Short, runner: BandRunner, band: int) -> None:
        self._engine, self._runner, self._band, self.needed = engine, runner, band, runner.needed

    def run(self, read: Read, wanted: range) -> Iterator[tuple[range, Tensor]]:
        for rows, band in self._runner.run(read, wanted):
            self._engine.enough -= 1
            if self._band > BAND // 2 and self._engine.enough < 0:
                raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 1.00 GiB")
            yield rows, band + 0.01 * self._band


@pytest.fixture(scope="module")
def weights(attentive_x2: Path) -> Weights:
    return load_weights(attentive_x2)


def _lane(
    device: SimulatedDevice,
    weights: Weights,
    make: Callable[[TorchEngine], Spoiling] = Spoiling,
    precision: torch.dtype = torch.float32,
    *,
    reuse: bool,
    slots: int,
) -> Lane:
    half, exact = (make(TorchEngine(weights, device.torch_device, p)) for p in (precision, torch.float32))
    plan = ScalePlan((WIDTH, HEIGHT), (2 * WIDTH, 2 * HEIGHT), 2, 1)

    def program(shape: PictureShape) -> PictureProgram:
        plain, certain = (FittingEnlarger(e, plan, Tiling((BAND,))) for e in (half, exact))  # type: ignore[arg-type]
        return PictureProgram(shape, plain, lambda: certain, Path("weights.safetensors"))

    return Lane(device, program, slots, reuse=reuse)


def _frames(seed: int, count: int, values: Sequence[int] = (0,)) -> list[Frame]:
    """A picture in which a row now and then changes to one of ``values``, or everything does, or nothing."""
    choose = random.Random(seed)  # noqa: S311
    plane = np.random.default_rng(seed).integers(0, SPOILT, (HEIGHT, WIDTH)).astype(np.uint8)
    frames = []
    for index in range(count):
        event = choose.random()
        if event < 0.1:
            plane = np.random.default_rng(1000 * seed + index).integers(0, SPOILT, plane.shape).astype(np.uint8)
        elif event < 0.7:
            plane = plane.copy()
            plane[choose.randrange(7, HEIGHT, 45)] = choose.choice(values)
        color = Color(Matrix.BT709, full_range=True)
        frames.append(Frame((plane,), GRAY, color, index, 1, Fraction(1, 25)))
    return frames


def _run(lanes: Sequence[Lane], frames: list[Frame]) -> tuple[list[Frame], Tally]:
    with FramePipe(lanes) as pipe:
        results = [result for frame in frames for result in pipe.push(frame)] + list(pipe.drain())
        return results, pipe.tally


def _assert_equal(got: list[Frame], want: list[Frame]) -> None:
    assert [f.pts for f in got] == [f.pts for f in want]
    for a, b in zip(got, want, strict=True):
        np.testing.assert_array_equal(a.planes[0], b.planes[0], err_msg=f"frame {a.pts}")


@pytest.mark.parametrize("slots", [1, 2, 3, 5])
@pytest.mark.parametrize("devices", [1, 2])
def test_devices_that_are_late(weights: Weights, slots: int, devices: int) -> None:
    """Copies, work and results at random times; several devices of different speed."""
    for seed in range(2):
        frames = _frames(seed, 25)
        (got, done), (want, plain) = (
            _run(
                [_lane(SimulatedDevice(10 * seed + n), weights, reuse=reuse, slots=slots) for n in range(devices)],
                frames,
            )
            for reuse in (True, False)
        )
        _assert_equal(got, want)
        assert done.frames == plain.frames == 25
        assert plain.copied == 0
        equal = sum(np.array_equal(a.planes[0], b.planes[0]) for a, b in itertools.pairwise(frames))
        assert done.repeated >= equal > 0
        assert done.copied > equal


@pytest.mark.parametrize("slots", [1, 3])
def test_half_precision_fails_now_and_then(weights: Weights, slots: int) -> None:
    """What is copied must come from half precision where this frame is possible in it, and else be float32's."""
    counts = []
    for seed in range(3):
        frames = _frames(seed, 20, values=(0, 9, 18, 27, SPOILT))
        (got, done), (want, plain) = (
            _run([_lane(SimulatedDevice(seed), weights, Spoiling, torch.float16, reuse=r, slots=slots)], frames)
            for r in (True, False)
        )
        _assert_equal(got, want)
        counts.append((done.copied > done.repeated, plain.recomputed > 0, plain.recomputed < 20))
    assert all(any(happened) for happened in zip(*counts, strict=True))


@pytest.mark.parametrize("slots", [1, 2])
def test_memory_gets_short_in_the_middle_of_a_part(weights: Weights, slots: int) -> None:
    """The frame is done again whole in smaller bands, and the next ones take nothing from the large ones."""
    frames = _frames(1, 20)

    def run(enough: int, *, reuse: bool) -> tuple[list[Frame], Tally]:
        lane = _lane(SimulatedDevice(1), weights, lambda e: Short(e, enough), reuse=reuse, slots=slots)
        return _run([lane], frames)

    (large, _), (small, _) = run(10**9, reuse=False), run(0, reuse=False)
    for enough in range(20, 50, 9):
        got, done = run(enough, reuse=True)
        assert done.retries == 1
        assert done.copied > done.repeated + 1
        same = [[np.array_equal(a.planes[0], b.planes[0]) for a, b in zip(got, w, strict=True)] for w in (large, small)]
        turn = same[1].index(True)
        assert 0 < turn < 20
        assert all(same[0][:turn])
        assert all(same[1][turn:])
        assert not any(same[0][turn:])
