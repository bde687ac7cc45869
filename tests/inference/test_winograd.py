"""The engine of Winograd's convolutions gives torch's pictures, many at once, and is taken where it is the fastest."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pytest
import torch

from rfdn_video import Color, Frame, PixelFormat, Upscaler, Weights
from rfdn_video.errors import DeviceError, UsageError
from rfdn_video.frame import Matrix
from rfdn_video.inference.engines import automatic
from rfdn_video.inference.engines import engine as engines
from rfdn_video.inference.engines import winograd as module
from rfdn_video.models.networks import network_config
from rfdn_video.models.rfdn import RFDN

CODE_VALUE = 0.02 / 255
YUV420 = PixelFormat("yuv", 8, 1, 1)

if not torch.backends.nnpack.is_available():
    pytest.skip("torch has no NNPACK for this CPU", allow_module_level=True)


def _pair(**options: object) -> tuple[Upscaler, Upscaler]:
    return tuple(Upscaler(device="cpu", engine=name, **options) for name in ("winograd", "torch"))  # type: ignore[return-value, arg-type]


def _frames(count: int, width: int = 64, height: int = 48) -> list[Frame]:
    generator = np.random.default_rng(2)
    color = Color(Matrix.BT709)
    sizes = YUV420.plane_sizes(width, height)
    return [
        Frame(
            tuple(generator.integers(0, 256, s).astype(np.uint8) for s in sizes), YUV420, color, n, 1, Fraction(1, 25)
        )
        for n in range(count)
    ]


def _assert_equal(got: Frame, want: Frame) -> None:
    assert got.pts == want.pts
    for a, b in zip(got.planes, want.planes, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("scale", [2, 3, 4])
@pytest.mark.parametrize("tune", ["video", "clean"])
@pytest.mark.parametrize("tile", ["auto", 16])
def test_it_equals_torch(tune: str, scale: int, tile: str | int) -> None:
    """Two pictures at once, of sizes in turn, with resampling; too small for ESA, too."""
    one, other = _pair(scale=scale, tune=tune, tile=tile)
    for shape in ((2, 3, 40, 51), (1, 3, 17, 90), (3, 9, 20), (3, 1, 1)):
        image = torch.rand(shape)
        torch.testing.assert_close(one(image), other(image), rtol=0, atol=CODE_VALUE)


def test_it_equals_torch_in_two_passes() -> None:
    one, other = _pair(scale=5, tile=16)
    image = torch.rand(3, 24, 30)
    torch.testing.assert_close(one(image), other(image), rtol=0, atol=CODE_VALUE)


@pytest.mark.parametrize("network", ["rfdn", "imdn"])
def test_it_equals_torch_with_attention_over_the_frame(network: str) -> None:
    torch.manual_seed(1)
    config = network_config(network, 2)
    weights = Weights(network, config, 1.0, None, Path("random"), "", RFDN(config).state_dict())
    one, other = _pair(scale=2, weights=weights)
    image = torch.rand(3, 33, 40)
    torch.testing.assert_close(one(image), other(image), rtol=0, atol=CODE_VALUE)


@pytest.mark.shared
def test_it_equals_torch_on_a_photograph_with_the_authors_weights(shared: Path) -> None:
    from rfdn_video.training.images import read_image

    picture = read_image(next((shared / "data" / "Set5" / "x4" / "LR").iterdir()))
    one, other = _pair(scale=4, weights=shared / "weights" / "RFDN_AIM.pth", tile=32)
    image = torch.from_numpy(picture).permute(2, 0, 1) / 255
    torch.testing.assert_close(one(image), other(image), rtol=0, atol=CODE_VALUE)


def test_pictures_at_once_get_the_bits_that_each_gets_alone() -> None:
    upscaler, _ = _pair(scale=2, tile=16)
    images = torch.rand(12, 3, 40, 52)
    alone = [upscaler(image) for image in images]
    with ThreadPoolExecutor(4) as threads:
        together = list(threads.map(upscaler, images))
    for one, other in zip(alone, together, strict=True):
        assert torch.equal(one, other)


def test_a_stream_has_a_lane_a_core_and_keeps_its_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module.torch, "get_num_threads", lambda: 3)
    upscaler, _ = _pair(scale=2, tile=16)
    monkeypatch.undo()
    assert upscaler.at_once == 3
    frames = _frames(11)
    for got, source in zip(upscaler.stream(iter(frames)), frames, strict=True):
        _assert_equal(got, upscaler.enlarge(source))


@pytest.mark.parametrize("reuse", ["exact", "near"])
def test_frames_that_change_a_little_are_done_again(reuse: str) -> None:
    """Rows that are computed alone would not get the same bits; frames that are equal are taken as they are."""
    first = _frames(1, height=200)[0]
    planes = [plane.copy() for plane in first.planes]
    planes[0][3, 5] ^= 255
    changed = Frame(tuple(planes), first.format, first.color, 1, 1, first.time_base)
    same = Frame(changed.planes, first.format, first.color, 2, 1, first.time_base)
    upscaler = Upscaler(scale=2, device="cpu", engine="winograd", tile=16, reuse=reuse)  # type: ignore[arg-type]
    whole = Upscaler(scale=2, device="cpu", engine="winograd", tile=16, reuse="off")
    for got, want in zip(upscaler.stream([first, changed, same]), whole.stream([first, changed, same]), strict=True):
        _assert_equal(got, want)
    assert upscaler.tally.repeated == 1
    assert upscaler.tally.copied_share == pytest.approx(1 / 3)


def test_nnpack_starts_no_threads_of_its_own() -> None:
    """They and torch's would wait for each other, and pictures for pictures."""
    code = """
import os, torch
from rfdn_video.inference.engines.winograd import WinogradEngine
from rfdn_video.models.catalog import load_bundled
torch.set_num_threads(4)
WinogradEngine(load_bundled("e-rfdn", "video", 2), torch.float32)
count = lambda: len(os.listdir("/proc/self/task"))
before = count()
torch._nnpack_spatial_convolution(torch.rand(1, 50, 64, 64), torch.rand(50, 50, 3, 3), None, (1, 1))
print(count() - before)
"""
    if not Path("/proc/self/task").is_dir():
        pytest.skip("no /proc to count threads in")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "0\n"


def test_auto(monkeypatch: pytest.MonkeyPatch, nearest_x2: Path) -> None:
    def taken(*, size: tuple[int, int] | None = (640, 360), **options: object) -> str:
        return Upscaler(
            **({"scale": 2, "weights": nearest_x2, "device": "cpu", "many": True} | options), size=size
        ).engine  # type: ignore[arg-type]

    monkeypatch.setattr(automatic, "arithmetic_bits", lambda: 256)
    assert taken() == "winograd"
    assert taken(engine="torch") == "torch"
    assert taken(precision="fp16") == "torch"
    assert taken(many=False) != "winograd"
    assert taken(reuse="near") != "winograd"
    assert taken(size=None) == "winograd"
    monkeypatch.setattr(torch, "get_num_threads", lambda: 64)
    assert taken(weights=None) != "winograd"  # so many pictures would not stay within 4 GiB
    monkeypatch.undo()
    monkeypatch.setattr(automatic, "arithmetic_bits", lambda: None)
    assert taken() != "winograd"


def test_auto_where_vectors_are_of_512_bit(monkeypatch: pytest.MonkeyPatch, nearest_x2: Path) -> None:
    """OpenVINO is faster there, PyTorch is not; see docs/performance.md."""
    monkeypatch.setattr(automatic, "arithmetic_bits", lambda: 512)
    for installed, tile, engine in ((True, "auto", "openvino"), (True, 16, "winograd"), (False, "auto", "winograd")):
        monkeypatch.setattr(automatic, "is_installed", lambda installed=installed: installed)
        taken = Upscaler(scale=2, weights=nearest_x2, device="cpu", many=True, size=(640, 360), tile=tile)  # type: ignore[arg-type]
        assert taken.engine == engine


def test_attention_over_the_frame_is_not_taken_many_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    config = network_config("rfdn", 2)
    weights = Weights("rfdn", config, 1.0, None, Path("random"), "", RFDN(config).state_dict())
    monkeypatch.setattr(automatic, "arithmetic_bits", lambda: 256)
    upscaler = Upscaler(scale=2, weights=weights, device="cpu", many=True, size=(640, 360))
    assert upscaler.engine != "winograd"


def test_what_is_refused(monkeypatch: pytest.MonkeyPatch, nearest_x2: Path) -> None:
    with pytest.raises(UsageError, match="fp32 only"):
        Upscaler(scale=2, weights=nearest_x2, device="cpu", engine="winograd", precision="bf16")
    weights = Upscaler(scale=2, weights=nearest_x2, device="cpu").weights
    with pytest.raises(UsageError, match="--device cpu"):
        engines.open_engine("winograd", weights, torch.device("cuda"), torch.float32)
    monkeypatch.setattr(torch.backends.nnpack, "is_available", lambda: False)
    assert not module.has_nnpack()
    with pytest.raises(DeviceError, match="NNPACK cannot be used"):
        Upscaler(scale=2, weights=nearest_x2, device="cpu", engine="winograd")


def test_a_caller_s_own_thread_computes_nothing() -> None:
    """Several callers at once, as VapourSynth has them: each picture has one core, whoever brings it."""
    upscaler, threads = Upscaler(scale=2, device="cpu", engine="winograd"), []
    engine = upscaler._maker.engines[0]

    def count(image: torch.Tensor) -> torch.Tensor:
        threads.append(torch.get_num_threads())
        return engine(image)

    upscaler._maker.engines[0] = Mock(wraps=count, device=engine.device, precision=engine.precision, runs_bands=False)
    upscaler(torch.rand(3, 20, 20))
    upscaler.estimate_seconds(upscaler.plan(40, 40))
    assert threads == [1] * 4
