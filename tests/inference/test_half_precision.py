"""Half precision on real frames: at most one code value from float32, shown on the CPU too."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rfdn_video import Frame, Upscaler, probe
from rfdn_video.media.reading.decode import Decoder
from rfdn_video.media.timing import TimeRange

DEMO = Path(__file__).parent.parent.parent / "demo" / "clip.mp4"
WIDTH, HEIGHT = 160, 96  # of the part that is done: half precision is slow on a CPU


def _parts(clip: Path) -> list[Frame]:
    """The middle of two frames."""
    info = probe(clip)
    with Decoder(info, TimeRange(frames=13)) as decoder:
        frames = list(decoder)
    return [_middle(frames[0]), _middle(frames[-1])]


def _middle(frame: Frame) -> Frame:
    sizes = frame.format.plane_sizes(WIDTH, HEIGHT)
    return replace(
        frame,
        captioned=None,
        planes=tuple(
            plane[(plane.shape[0] - h) // 2 :, (plane.shape[1] - w) // 2 :][:h, :w].copy()
            for plane, (h, w) in zip(frame.planes, sizes, strict=True)
        ),
    )


def _assert_within_one(clip: Path, device: str, **options: object) -> None:
    half, full = (Upscaler(device=device, precision=p, engine="torch", **options) for p in ("fp16", "fp32"))  # type: ignore[arg-type]
    frames = _parts(clip)
    for got, want in zip(half.stream(frames), full.stream(frames), strict=True):
        for plane, wanted in zip(got.planes, want.planes, strict=True):
            assert np.abs(plane.astype(int) - wanted.astype(int)).max() <= 1
    assert half.tally.recomputed == 0


@pytest.mark.parametrize("tune", ["video", "clean"])
def test_bundled_weights(tune: str) -> None:
    _assert_within_one(DEMO, "cpu", scale=2, tune=tune)


def test_bundled_weights_in_bands() -> None:
    _assert_within_one(DEMO, "cpu", scale=2, tile=32)


@pytest.mark.shared
@pytest.mark.parametrize("name", ["bikes.mp4", "bigbuckbunny.mp4"])
def test_camera_and_animation(shared: Path, name: str) -> None:
    _assert_within_one(shared / "clips" / name, "cpu", scale=2)


@pytest.mark.shared
def test_the_authors_weights_of_0_to_255(shared: Path) -> None:
    _assert_within_one(shared / "clips" / "bikes.mp4", "cpu", scale=4, weights=shared / "weights" / "RFDN_AIM.pth")


@pytest.mark.cuda
@pytest.mark.parametrize("tune", ["video", "clean"])
def test_on_cuda(tune: str) -> None:
    _assert_within_one(DEMO, "cuda", scale=2, tune=tune)
