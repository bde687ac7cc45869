"""The engine of OpenVINO gives torch's pictures, and which engine is taken when."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from rfdn_video import Upscaler, Weights
from rfdn_video.errors import DeviceError, UsageError
from rfdn_video.inference.engines import automatic
from rfdn_video.inference.engines import engine as engines
from rfdn_video.inference.engines import openvino as module
from rfdn_video.models.networks import network_config
from rfdn_video.models.rfdn import RFDN

pytest.importorskip("openvino")

ROUNDING = 2e-3 / 255  # two thousandths of a code value: noise is the worst case
CPU = torch.device("cpu")


def _pair(**options: object) -> tuple[Upscaler, Upscaler]:
    return tuple(Upscaler(device="cpu", engine=name, **options) for name in ("openvino", "torch"))  # type: ignore[return-value, arg-type]


@pytest.mark.parametrize("scale", [2, 3])
@pytest.mark.parametrize("tune", ["video", "clean"])
def test_it_equals_torch(tune: str, scale: int) -> None:
    """Two pictures at once, of sizes in turn, with two passes and resampling; and too small for ESA."""
    torch.manual_seed(1)
    one, other = _pair(scale=scale, tune=tune)
    for shape in ((2, 3, 40, 51), (1, 3, 17, 90), (3, 9, 20), (2, 3, 40, 51)):
        image = torch.rand(shape)
        torch.testing.assert_close(one(image), other(image), rtol=0, atol=ROUNDING)


def test_it_equals_torch_with_attention_over_the_frame() -> None:
    torch.manual_seed(1)
    config = network_config("rfdn", 2)
    weights = Weights("rfdn", config, 1.0, None, Path("random"), "", RFDN(config).state_dict())
    one, other = _pair(scale=2, weights=weights)
    image = torch.rand(3, 33, 40)
    torch.testing.assert_close(one(image), other(image), rtol=0, atol=ROUNDING)


def test_engines_that_are_no_more_hold_no_memory() -> None:
    """In a process that does file after file: Python would look for circles much later."""
    gone: list[weakref.ref[Any]] = []
    gc.disable()
    try:
        for _ in range(2):
            upscaler = Upscaler(device="cpu", engine="openvino", scale=2)
            upscaler(torch.rand(3, 24, 32))
            gone.append(weakref.ref(upscaler._maker.engines[0]))
            del upscaler
        Upscaler(device="cpu", engine="openvino", scale=2)
        assert [engine() for engine in gone] == [None, None]
    finally:
        gc.enable()


TRACED = """
import sys
seen = set()
sys.addaudithook(lambda event, _: seen.add(event))
import torch
from rfdn_video import Upscaler
Upscaler(device="cpu", engine="openvino", scale=2)(torch.rand(3, 24, 32))
print(sorted(seen & {"os.fork", "socket.connect", "socket.getaddrinfo"}), "openvino_telemetry" in sys.modules)
"""


def test_nobody_is_told(tmp_path: Path) -> None:
    """OpenVINO by itself counts its imports at Google, from a fork, under a number that it keeps in the home."""
    done = subprocess.run(
        [sys.executable, "-c", TRACED],
        env=os.environ | {"HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "[] False\n"
    assert not (tmp_path / "intel").exists()


def test_threads_take_turns() -> None:
    upscaler, other = _pair(scale=2)
    images = torch.rand(8, 3, 24, 32)
    with ThreadPoolExecutor(4) as threads:
        results = list(threads.map(upscaler, images))
    torch.testing.assert_close(torch.stack(results), other(images), rtol=0, atol=ROUNDING)


def test_torch_has_one_thread_where_openvino_has_the_cores(nearest_x2: Path) -> None:
    before = torch.get_num_threads()
    counts = []
    for upscaler in _pair(scale=2, weights=nearest_x2):
        queue = upscaler._maker.open_device(CPU).queue()
        queue.submit(lambda: counts.append(torch.get_num_threads())).wait()
        queue.close()  # type: ignore[attr-defined]
    assert counts == [1, before]
    assert torch.get_num_threads() == before


def test_auto(monkeypatch: pytest.MonkeyPatch, nearest_x2: Path) -> None:
    def taken(**options: str | int) -> str:
        return Upscaler(scale=2, weights=nearest_x2, device="cpu", **options).engine  # type: ignore[arg-type]

    assert taken() == "openvino"
    assert taken(precision="fp16") == "torch"
    assert taken(engine="torch") == "torch"
    assert taken(tile=16) == taken(reuse="near") == "torch"  # both are of bands
    for where in (automatic, module):
        monkeypatch.setattr(where, "is_installed", lambda: False)
    assert taken() == "torch"
    with pytest.raises(DeviceError, match=r"rfdn-video\[openvino\]"):
        taken(engine="openvino")


def test_what_is_refused(nearest_weights: Callable[[int], Path]) -> None:
    weights = nearest_weights(2)
    with pytest.raises(UsageError, match="allowed are auto, torch"):
        Upscaler(scale=2, weights=weights, device="cpu", engine="abacus")
    with pytest.raises(DeviceError, match="no device NPU"):
        Upscaler(scale=2, weights=weights, device="cpu", engine="openvino:npu")
    loaded = Upscaler(scale=2, weights=weights, device="cpu", engine="torch").weights
    with pytest.raises(UsageError, match="--device cpu"):
        engines.open_engine("openvino", loaded, torch.device("cuda"), torch.float32)


def test_command_line(
    command_line: Callable[..., subprocess.CompletedProcess[str]], ffmpeg: Callable[..., bytes], tmp_path: Path
) -> None:
    """Through the whole job: the same code values, but for those that rounding may tip over."""
    clip = tmp_path / "clip.mkv"
    ffmpeg("-f", "lavfi", "-i", "testsrc2=size=64x48:rate=5:duration=1", "-c:v", "ffv1", "-pix_fmt", "yuv420p", clip)
    planes = []
    for name in ("torch", "openvino"):
        output = tmp_path / f"{name}.mkv"
        done = command_line(clip, "-o", output, "-s", 2, "--device", "cpu", "--engine", name, "--encoder", "ffv1")
        assert done.returncode == 0, done.stderr
        planes.append(np.frombuffer(ffmpeg("-i", output, "-f", "rawvideo", "-"), np.uint8).astype(int))
    difference = np.abs(planes[0] - planes[1])
    assert difference.max() <= 1
    assert difference.mean() < 0.01


def test_large_pictures_are_not_computed_whole() -> None:
    """OpenVINO knows no bands; where nobody asked for it, frames beyond 4 GiB go to the engine that does."""
    assert Upscaler(scale=2, device="cpu", size=(1280, 720)).engine == "openvino"
    for large in (
        Upscaler(scale=2, device="cpu", size=(3840, 2160)),
        Upscaler(scale=8, device="cpu", size=(1280, 720)),
    ):
        assert large.engine == "torch"
        assert any(large.tiling(1920, 1080).bands)
    assert Upscaler(scale=2, device="cpu", engine="openvino", size=(3840, 2160)).engine == "openvino"
