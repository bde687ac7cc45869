"""What is decided about bands, and what happens where memory is short."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from rfdn_video import Color, Frame, PixelFormat, Upscaler
from rfdn_video.errors import DeviceError, UsageError
from rfdn_video.frame import Matrix
from rfdn_video.inference import enlarge, fit
from rfdn_video.inference.engines.engine import BandRunner
from rfdn_video.inference.enlarge import Enlarger
from rfdn_video.inference.rows import Read
from rfdn_video.inference.scaling import plan_scale
from rfdn_video.inference.tiling import Place, band_bytes, choose_tiling, whole_bytes
from rfdn_video.models.networks import network_config

E_RFDN = network_config("e-rfdn", 2)
CPU, GPU = Place(True, True, 4 << 30, 4), Place(True, False, 8 << 30, 2)
YUV420, YUV422P10 = PixelFormat("yuv", 8, 1, 1), PixelFormat("yuv", 10, 1, 0)


def _frame(width: int, height: int, layout: PixelFormat = YUV420, seed: int = 0) -> Frame:
    generator = np.random.default_rng(width + seed)
    planes = (generator.integers(0, 1 << layout.depth, size) for size in layout.plane_sizes(width, height))
    color = Color(Matrix.BT709)
    return Frame(tuple(plane.astype(layout.dtype) for plane in planes), layout, color, 0, 1, Fraction(1, 25))


@pytest.mark.parametrize(
    "layout",
    [
        YUV420,
        YUV422P10,
        PixelFormat("yuv", 8),
        PixelFormat("rgb", 8),
        PixelFormat("gray", 8),
        PixelFormat("yuv", 8, 1, 1, alpha=True),
        PixelFormat("rgb", 12, alpha=True),
    ],
)
@pytest.mark.parametrize("scale", [2, 1.5, 4])
def test_strips_equal_whole_frames(layout: PixelFormat, scale: float) -> None:
    """Colour, all passes and the resampling, row by row; a last rounding may differ."""
    frame = _frame(38, 46, layout)
    whole, banded = (
        next(Upscaler(scale=scale, device="cpu", engine="torch", tile=tile).stream([frame])) for tile in ("off", 10)
    )
    for a, b in zip(whole.planes, banded.planes, strict=True):
        difference = np.abs(a.astype(int) - b.astype(int))
        assert difference.max() <= 1
        assert (difference > 0).mean() <= 1e-3


@pytest.mark.parametrize("tile", ["off", 5, "auto"])
def test_tensors(tile: str | int) -> None:
    images = torch.rand(2, 3, 64, 40)
    expected = Upscaler(scale=2, device="cpu", engine="torch", tile="off")(images)
    assert (Upscaler(scale=2, device="cpu", engine="torch", tile=tile)(images) - expected).abs().max() * 255 < 2e-3  # type: ignore[arg-type]


@pytest.mark.parametrize("scale", [2, 3])
@pytest.mark.parametrize("layout", [YUV420, PixelFormat("yuv", 10, 1, 0), PixelFormat("rgb", 8)])
def test_what_follows_a_whole_frame_runs_in_strips_with_equal_bits(
    layout: PixelFormat, scale: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    frame, results = _frame(70, 45, layout), []
    for pixels, strips in ((1 << 18, 1), (1 << 11, None)):
        monkeypatch.setattr(enlarge, "CACHE_PIXELS", pixels)
        upscaler = Upscaler(scale=scale, device="cpu", engine="torch", tile="off")
        made = enlarge.Enlarger(
            upscaler._maker.engines[0], upscaler.plan(70, 45, layout), upscaler.tiling(70, 45, layout)
        )
        assert len(made.strips) == strips or (strips is None and len(made.strips) > 4)
        results.append(next(upscaler.stream([frame])))
    for plane, other in zip(results[0].planes, results[1].planes, strict=True):
        np.testing.assert_array_equal(plane, other)


def test_a_cpu_gets_bands_that_its_caches_hold() -> None:
    rows = {}
    for width, height in ((640, 360), (1280, 720), (1920, 1080), (7680, 4320)):
        plan = plan_scale((width, height), (2 * width, 2 * height), 2)
        (rows[width],) = choose_tiling("auto", E_RFDN, plan, CPU).bands
        assert band_bytes(E_RFDN, width, height, rows[width] or height, 4) < 2 << 30
    assert list(rows.values()) == sorted((r for r in rows.values() if r), reverse=True)
    tiny = plan_scale((40, 30), (80, 60), 2)
    assert choose_tiling("auto", E_RFDN, tiny, CPU).bands == (None,)


def test_a_gpu_gets_whole_frames_as_long_as_memory_allows() -> None:
    small, large = (plan_scale((w, h), (2 * w, 2 * h), 2) for w, h in ((1280, 720), (7680, 4320)))
    assert choose_tiling("auto", E_RFDN, small, GPU).bands == (None,)
    (band,) = choose_tiling("auto", E_RFDN, large, GPU).bands
    assert band is not None
    assert band_bytes(E_RFDN, 7680, 4320, band, 2) <= GPU.memory // 2 < whole_bytes(E_RFDN, 7680, 4320, 2)


def test_networks_that_need_the_whole_frame_say_so() -> None:
    plan = plan_scale((1280, 720), (2560, 1440), 2)
    tiling = choose_tiling(32, network_config("rfdn", 2), plan, CPU)
    assert tiling.bands == (None,)
    assert "statistics" in str(tiling)


@pytest.mark.parametrize("tile", [0, -3, 1.5, "rows", 10**6])
def test_refused(tile: object) -> None:
    with pytest.raises(UsageError, match="auto, off, or 1 to 32768 rows"):
        Upscaler(tile=tile)  # type: ignore[arg-type]


class _Short:
    """An engine on a device that holds bands of a few rows at most."""

    def __init__(self, engine: object, rows: int) -> None:
        self._engine, self._rows = engine, rows
        self.tried: list[int] = []

    def __getattr__(self, name: str) -> object:
        return getattr(self._engine, name)

    def __call__(self, image: Tensor) -> Tensor:
        self.tried.append(image.shape[2])
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 4.00 GiB")

    def in_bands(self, width: int, height: int, band: int) -> BandRunner:
        runner: BandRunner = self._engine.in_bands(width, height, band)  # type: ignore[attr-defined]
        return _ShortBands(self, runner, band)


class _ShortBands:
    def __init__(self, engine: _Short, runner: BandRunner, band: int) -> None:
        self._engine, self._runner, self._band = engine, runner, band
        self.needed = runner.needed

    def run(self, read: Read, wanted: range) -> Iterator[tuple[range, Tensor]]:
        self._engine.tried.append(self._band)
        for count, item in enumerate(self._runner.run(read, wanted)):
            if count and self._band > self._engine._rows:  # in the middle of the frame
                raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 1.00 GiB")
            yield item


@pytest.mark.fault(68)
@pytest.mark.parametrize(("tile", "tried"), [("auto", [110, 55, 27]), (80, [80, 40, 20])])
def test_out_of_memory_halves_the_bands(tile: str | int, tried: list[int]) -> None:
    """The frame is done again, none is lost, it is counted once a try, and the next frame keeps what was found."""
    frames = [_frame(30, 110), _frame(30, 110, seed=1)]
    upscaler = Upscaler(scale=2, device="cpu", engine="torch", tile=tile)  # type: ignore[arg-type]
    short = upscaler._maker.engines[0] = _Short(upscaler._maker.engines[0], 30)  # type: ignore[assignment]
    results = list(upscaler.stream(frames))
    expected = Upscaler(scale=2, device="cpu", engine="torch", tile=tried[-1], slots=2)
    for got, want in zip(results, expected.stream(frames), strict=True):
        for a, b in zip(got.planes, want.planes, strict=True):
            np.testing.assert_array_equal(a, b)
    assert upscaler.tally.retries == 2
    assert short.tried == [*tried, tried[-1]]  # type: ignore[attr-defined]
    image = torch.rand(3, 110, 30)
    assert torch.equal(upscaler(image), expected(image))
    assert upscaler.tally.retries == 4


def test_bands_that_were_too_large_are_gone_before_smaller_ones_are_made(monkeypatch: pytest.MonkeyPatch) -> None:
    """Though a frame went through them before: with frames in flight, memory that is short is short in the midst."""
    upscaler = Upscaler(scale=2, device="cpu", engine="torch", tile=80)
    short = upscaler._maker.engines[0] = _Short(upscaler._maker.engines[0], 110)  # type: ignore[assignment]
    made: list[weakref.ref[Enlarger]] = []

    def make(*args: Any) -> Enlarger:
        assert not any(reference() for reference in made)
        made.append(weakref.ref(enlarger := Enlarger(*args)))
        return enlarger

    monkeypatch.setattr(fit, "Enlarger", make)
    gc.disable()
    try:
        for number, _ in enumerate(upscaler.stream(_frame(30, 110, seed=n) for n in range(8))):
            if number == 2:
                short._rows = 50  # type: ignore[attr-defined]
    finally:
        gc.enable()
    assert len(made) == 2
    assert upscaler.tally.retries == 1


def test_out_of_memory_in_the_smallest_bands() -> None:
    upscaler = Upscaler(scale=2, device="cpu", engine="torch", tile=40)
    short = upscaler._maker.engines[0] = _Short(upscaler._maker.engines[0], 0)  # type: ignore[assignment]
    with pytest.raises(DeviceError, match="out of memory for frames of 30x110"):
        list(upscaler.stream([_frame(30, 110)]))
    assert len(short.tried) < 6  # type: ignore[attr-defined]


def test_whole_frames_that_were_asked_for_stay_whole() -> None:
    upscaler = Upscaler(scale=2, device="cpu", engine="torch", tile="off")
    upscaler._maker.engines[0] = _Short(upscaler._maker.engines[0], 0)  # type: ignore[assignment]
    with pytest.raises(DeviceError, match="--tile auto"):
        list(upscaler.stream([_frame(30, 110)]))
