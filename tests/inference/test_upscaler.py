"""The upscaler: tensors and frames, sizes, precision, and that all ways give the same pixels."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from torch import Tensor

from rfdn_video import Color, Frame, PixelFormat, Upscaler, load_weights
from rfdn_video.errors import DeviceError, UsageError
from rfdn_video.frame import ChromaLocation, Matrix

YUV420 = PixelFormat("yuv", 8, 1, 1)
BUNDLED = Path(__file__).parent.parent.parent / "rfdn_video" / "weights" / "e-rfdn_x2_video.safetensors"


def _frames(count: int, width: int, height: int, layout: PixelFormat = YUV420) -> list[Frame]:
    generator = np.random.default_rng(3)
    peak = 1 << layout.depth
    return [
        Frame(
            tuple(generator.integers(0, peak, size).astype(layout.dtype) for size in layout.plane_sizes(width, height)),
            layout,
            Color(Matrix.BT709),
            pts=1000 + 7 * index * index,
            duration=7,
            time_base=Fraction(1, 90000),
        )
        for index in range(count)
    ]


def test_tensor_in_tensor_out(nearest_x2: Path) -> None:
    """The test network repeats every pixel: a closed form for the whole way."""
    image = torch.rand(2, 3, 20, 31)
    expected = image.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)
    upscaler = Upscaler(scale=2, weights=nearest_x2, device="cpu")
    assert torch.allclose(upscaler(image), expected, atol=1e-6)
    assert torch.allclose(upscaler(image[0]), expected[0], atol=1e-6)
    assert upscaler(image.double()).dtype is torch.float64


ENGINES = ["torch", "winograd", "openvino"]


def _open_or_skip(engine: str, **options: object) -> Upscaler:
    try:
        return Upscaler(engine=engine, device="cpu", **options)  # type: ignore[arg-type]
    except DeviceError as error:
        pytest.skip(str(error))


@pytest.mark.parametrize("engine", ENGINES)
def test_a_result_is_an_ordinary_tensor(engine: str) -> None:
    """It may be changed, and be what another network learns from."""
    result = _open_or_skip(engine)(torch.rand(3, 20, 16, requires_grad=True))
    result.clamp_(0, 1)
    student = torch.rand_like(result, requires_grad=True)
    F.mse_loss(student, result).backward()
    assert student.grad is not None
    assert not result.requires_grad


@pytest.mark.parametrize("engine", ENGINES)
def test_torch_may_have_another_default_dtype(engine: str) -> None:
    image = torch.rand(3, 20, 16)
    expected = _open_or_skip(engine)(image)
    torch.set_default_dtype(torch.float64)
    try:
        result = Upscaler(engine=engine, device="cpu")(image)
    finally:
        torch.set_default_dtype(torch.float32)
    torch.testing.assert_close(result, expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_numbers_that_are_none_are_the_pictures_fault_and_leave_no_thread(engine: str, bad: float) -> None:
    upscaler = _open_or_skip(engine)
    image = torch.rand(3, 20, 16)
    image[1, 3, 5] = bad
    before = threading.active_count()
    for _ in range(5):
        with pytest.raises(UsageError, match="a picture of 16x20 holds NaN or infinity"):
            upscaler(image)
    assert threading.active_count() <= before + 1


@pytest.mark.fault(51)
@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 40), (7, 3), (15, 15)])
def test_smaller_than_the_attention_needs(height: int, width: int) -> None:
    """Tiny pictures come out at their size, and as the edge-extended picture does."""
    upscaler = Upscaler(scale=2, device="cpu")
    image = torch.rand(3, height, width)
    extended = F.pad(image[None], (0, max(0, 15 - width), 0, max(0, 15 - height)), mode="replicate")
    expected = upscaler(extended)[0, :, : 2 * height, : 2 * width]
    assert torch.allclose(upscaler(image), expected, atol=1e-5)


@pytest.mark.parametrize(
    ("scale", "passes", "size"), [(2, 1, (40, 60)), (4, 2, (80, 120)), (3, 2, (60, 90)), (1.5, 1, (30, 45))]
)
def test_scales_without_weights(nearest_x2: Path, scale: float, passes: int, size: tuple[int, int]) -> None:
    upscaler = Upscaler(scale=scale, weights=nearest_x2, device="cpu")
    assert upscaler.plan(30, 20).passes == passes
    assert upscaler(torch.rand(3, 20, 30)).shape[1:] == size


def test_frames_keep_order_time_format_and_colour(nearest_x2: Path) -> None:
    layout = PixelFormat("yuv", 10)
    frames = _frames(9, 18, 16, layout)
    results = list(Upscaler(scale=2, weights=nearest_x2, device="cpu").stream(frames))
    assert [(r.pts, r.duration, r.time_base) for r in results] == [(f.pts, f.duration, f.time_base) for f in frames]
    for frame, result in zip(frames, results, strict=True):
        assert (result.format, result.color) == (frame.format, frame.color)
        for plane, larger in zip(frame.planes, result.planes, strict=True):
            np.testing.assert_array_equal(larger, plane.repeat(2, 0).repeat(2, 1))


def test_slots_do_not_change_pixels() -> None:
    frames = _frames(7, 24, 18)
    few, many = (list(Upscaler(scale=2, device="cpu", slots=count).stream(frames)) for count in (2, 5))
    for a, b in zip(few, many, strict=True):
        for plane_a, plane_b in zip(a.planes, b.planes, strict=True):
            np.testing.assert_array_equal(plane_a, plane_b)


def test_size_may_change_in_mid_stream(nearest_x2: Path) -> None:
    frames = [*_frames(3, 20, 16), *_frames(2, 30, 18), *_frames(2, 20, 16)]
    results = list(Upscaler(scale=2, weights=nearest_x2, device="cpu").stream(frames))
    assert [(r.width, r.height) for r in results] == [(2 * f.width, 2 * f.height) for f in frames]


def test_results_own_their_memory(nearest_x2: Path) -> None:
    """A result must not change when its slot is used again."""
    stream = Upscaler(scale=2, weights=nearest_x2, device="cpu", slots=2).stream(_frames(8, 20, 16))
    first = next(stream)
    before = [plane.copy() for plane in first.planes]
    list(stream)
    for plane, copy in zip(first.planes, before, strict=True):
        np.testing.assert_array_equal(plane, copy)


def test_half_precision_is_within_one_code_value() -> None:
    image = torch.rand(3, 24, 24)
    full, half = (Upscaler(scale=2, device="cpu", precision=p)(image) for p in ("fp32", "fp16"))
    assert 0 < (full - half).abs().max() * 255 < 1


@pytest.mark.fault(69)
def test_overflow_in_half_precision_is_done_again(tmp_path: Path) -> None:
    """Features of 1e5 overflow fp16 and cancel in fp32."""
    state = {name: tensor.float() for name, tensor in load_file(BUNDLED).items()}
    state["LR_conv.bias"] += 1e5
    state["upsampler.0.bias"] -= (state["upsampler.0.weight"].double() * 1e5).sum((1, 2, 3)).float()
    path = tmp_path / "overflow.safetensors"
    save_file(state, path, {"pixel_range": "1.0"})
    upscaler = Upscaler(scale=2, device="cpu", precision="fp16", weights=path)
    exact = Upscaler(scale=2, device="cpu", precision="fp32", engine="torch", weights=path)
    frames = _frames(4, 24, 18)
    for got, want in zip(upscaler.stream(frames), exact.stream(frames), strict=True):
        for plane, expected in zip(got.planes, want.planes, strict=True):
            np.testing.assert_array_equal(plane, expected)
    assert upscaler.tally.recomputed == 4
    assert torch.isfinite(upscaler(torch.rand(3, 20, 20))).all()


def test_stopping_early_leaves_no_thread(nearest_x2: Path) -> None:
    before = set(threading.enumerate())
    stream = Upscaler(scale=2, weights=nearest_x2, device="cpu").stream(_frames(20, 20, 16))
    next(stream)
    stream.close()
    assert not [t for t in set(threading.enumerate()) - before if t.name.startswith("rfdn-queue")]


def test_frames_of_several_threads_equal_the_stream() -> None:
    """Of two sizes in turn, so that pipes change their shape too."""
    frames = [frame for pair in zip(_frames(12, 24, 18), _frames(12, 20, 16), strict=True) for frame in pair]
    upscaler = Upscaler(scale=2, device="cpu")
    expected = list(upscaler.stream(frames))
    with ThreadPoolExecutor(4) as threads:
        results = list(threads.map(upscaler.enlarge, frames))
    for got, want in zip(results, expected, strict=True):
        assert (got.pts, got.duration, got.time_base, got.format, got.color) == (
            (want.pts, want.duration, want.time_base, want.format, want.color)
        )
        for plane, wanted in zip(got.planes, want.planes, strict=True):
            np.testing.assert_array_equal(plane, wanted)


@pytest.mark.parametrize("what", ["frames", "images"])
def test_calls_of_two_threads_run_at_the_same_time(what: str, nearest_x2: Path) -> None:
    upscaler = Upscaler(scale=2, weights=nearest_x2, device="cpu")
    engine, meeting = upscaler._maker.engines[0], threading.Barrier(2)

    def meet(image: Tensor) -> Tensor:
        meeting.wait(timeout=30)  # BrokenBarrierError where the other never comes
        return engine(image)

    upscaler._maker.engines = [Mock(wraps=meet, device=engine.device, precision=engine.precision, runs_bands=False)]
    call = upscaler.enlarge if what == "frames" else upscaler
    with ThreadPoolExecutor(2) as threads:
        list(threads.map(call, _frames(4, 20, 16) if what == "frames" else torch.rand(4, 3, 16, 20)))


def test_a_frame_that_failed_harms_no_other(nearest_x2: Path) -> None:
    upscaler = Upscaler(scale=2, weights=nearest_x2, device="cpu")
    frame = _frames(1, 20, 16)[0]
    broken = replace(frame, planes=frame.planes[:2])
    with pytest.raises(ValueError, match="planes of"):
        upscaler.enlarge(broken)
    np.testing.assert_array_equal(upscaler.enlarge(frame).planes[0].shape, (32, 40))


def test_what_the_source_raises_comes_through(nearest_x2: Path) -> None:
    def broken():  # type: ignore[no-untyped-def]
        yield from _frames(4, 20, 16)
        raise ValueError("the decoder broke")

    results = []
    with pytest.raises(ValueError, match="the decoder broke"):
        for result in (upscaler := Upscaler(scale=2, weights=nearest_x2, device="cpu")).stream(broken()):
            results.append(result)  # noqa: PERF402 - the loop is what is tested
    assert upscaler.tally.frames >= len(results)


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        ({"scale": 1}, UsageError, "above 1"),
        ({"scale": 9}, UsageError, "up to 8"),
        ({"scale": float("nan")}, UsageError, "no factor"),
        ({"scale": "wide"}, UsageError, "no factor"),
        ({"precision": "fp8"}, UsageError, "fp32, fp16, bf16"),
        ({"scale": 2, "height": 100}, UsageError, "give one of"),
        ({"slots": 1}, UsageError, "at least 2"),
        ({"device": "abacus"}, UsageError, "device 'abacus': auto, cpu, .* are allowed"),
        ({"device": "cuda:99"}, DeviceError, "cuda:99"),
    ],
)
def test_bad_arguments(arguments: dict[str, object], error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        Upscaler(**arguments)  # type: ignore[arg-type]


def test_bad_tensor(nearest_x2: Path) -> None:
    upscaler = Upscaler(weights=nearest_x2, device="cpu")
    images = (
        torch.rand(20, 20),
        torch.rand(1, 4, 20, 20),
        torch.zeros(3, 20, 20, dtype=torch.uint8),
        torch.rand(3, 0, 8),
        torch.rand(0, 3, 8, 8),
    )
    for image in images:
        with pytest.raises(UsageError, match=r"\[3, H, W\]"):
            upscaler(image)
    with pytest.raises(UsageError, match="an image that is a ndarray"):
        upscaler(np.zeros((3, 8, 8), np.float32))  # type: ignore[arg-type]


def test_an_empty_picture_has_no_size(nearest_x2: Path) -> None:
    with pytest.raises(UsageError, match="picture of 8x0: 1 pixel a side or more"):
        Upscaler(weights=nearest_x2, device="cpu").output_size(8, 0)


def _with(frame: Frame, number: int, plane: NDArray[np.uint8]) -> Frame:
    return replace(frame, planes=(*frame.planes[:number], plane, *frame.planes[number + 1 :]))


@pytest.mark.parametrize(
    ("spoil", "text"),
    [
        (lambda f: _with(f, 1, np.zeros((1, 16), np.uint8)), "planes of 32x24 uint8, 16x1 uint8"),
        (lambda f: _with(f, 0, np.zeros((24, 32), np.uint16)), "32x24 uint16"),
        (lambda f: replace(f, planes=f.planes[:2]), "that has 32x24 uint8, 16x12 uint8, 16x12 uint8"),
        (lambda f: replace(f, color=Color(Matrix.UNSPECIFIED)), "matrix UNSPECIFIED"),
        (lambda f: replace(f, color=Color(Matrix.RGB)), "matrix RGB"),
        (lambda f: replace(f, color=Color(Matrix.BT709, False, ChromaLocation.UNSPECIFIED)), "chroma_location"),
    ],
)
def test_bad_frames(spoil: Callable[[Frame], Frame], text: str, nearest_x2: Path) -> None:
    [frame] = _frames(1, 32, 24)
    with pytest.raises(UsageError, match=text):
        Upscaler(weights=nearest_x2, device="cpu").enlarge(spoil(frame))


def test_from_yuv_to_rgb_a_colour_is_needed(nearest_x2: Path) -> None:
    upscaler, rgb = Upscaler(weights=nearest_x2, device="cpu"), PixelFormat("rgb", 8)
    with pytest.raises(UsageError, match="without a color"):
        list(upscaler.stream(_frames(1, 32, 24), pixel_format=rgb))
    [frame] = upscaler.stream(_frames(1, 32, 24), pixel_format=rgb, color=Color(Matrix.RGB, full_range=True))
    assert (frame.format, frame.color.matrix) == (rgb, Matrix.RGB)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"pixel_format": YUV420, "color": Color(Matrix.RGB)}, "matrix RGB"),
        ({"pixel_format": YUV420, "color": Color(Matrix.UNSPECIFIED)}, "matrix UNSPECIFIED"),
        ({"pixel_format": YUV420, "color": Color(Matrix.BT709, False, ChromaLocation.UNSPECIFIED)}, "chroma_location"),
        ({"dither": "Ordered"}, "dither 'Ordered': allowed are"),
    ],
)
def test_results_that_cannot_be(options: dict[str, Any], text: str, nearest_x2: Path) -> None:
    frames = _frames(1, 32, 24, PixelFormat("rgb", 8))
    frames = [replace(frame, color=Color(Matrix.RGB, full_range=True)) for frame in frames]
    with pytest.raises(UsageError, match=text):
        list(Upscaler(weights=nearest_x2, device="cpu").stream(frames, **options))


def test_a_width_takes_the_weights_that_suit_it() -> None:
    for target in ({"width": 96}, {"height": 72}, {"scale": 3}):
        upscaler = Upscaler(**target, device="cpu", size=(32, 24))  # type: ignore[arg-type]
        assert upscaler.weights.scale == 4
        assert upscaler.plan(32, 24).passes == 1


@pytest.mark.cuda
@pytest.mark.parametrize("precision", ["fp32", "fp16"])
def test_cuda_equals_cpu(precision: str) -> None:
    frames = _frames(12, 64, 48)
    expected = Upscaler(scale=2, device="cpu", precision="fp32").stream(frames)
    got = Upscaler(scale=2, device="cuda", precision=precision).stream(frames)
    for a, b in zip(got, expected, strict=True):
        for plane_a, plane_b in zip(a.planes, b.planes, strict=True):
            assert np.abs(plane_a.astype(int) - plane_b.astype(int)).max() <= 1


@pytest.mark.cuda
def test_cuda_calls_of_several_threads_equal_cpu() -> None:
    images = torch.rand(12, 3, 48, 64)
    cpu, cuda = (Upscaler(scale=2, device=device, precision="fp32") for device in ("cpu", "cuda"))
    frames = _frames(12, 64, 48)
    with ThreadPoolExecutor(4) as threads:
        results = list(threads.map(cuda, images))
        enlarged = list(threads.map(cuda.enlarge, frames))
    assert (torch.stack(results) - cpu(images)).abs().max() * 255 < 1
    for got, want in zip(enlarged, map(cpu.enlarge, frames), strict=True):
        for plane, wanted in zip(got.planes, want.planes, strict=True):
            assert np.abs(plane.astype(int) - wanted.astype(int)).max() <= 1


@pytest.mark.cuda
def test_float32_on_cuda_has_the_digits_of_float32() -> None:
    """TF32, which cuDNN would take by itself, differs from the CPU's float32 by some 1e-3."""
    image = torch.rand(3, 48, 64)
    cpu, cuda = (Upscaler(scale=2, device=device, precision="fp32")(image) for device in ("cpu", "cuda"))
    assert (cpu - cuda).abs().max() < 2e-5


def test_weights_object_serves_too(nearest_weights: Callable[[int], Path]) -> None:
    weights = load_weights(nearest_weights(3))
    assert Upscaler(scale=3, weights=weights, device="cpu").output_size(20, 10) == (60, 30)
