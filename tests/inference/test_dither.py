"""Ordered dither: its mean, and that nothing but a pixel's place and value decides how it is rounded."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch

from rfdn_video import Color, Frame, PixelFormat, Upscaler
from rfdn_video.frame import Matrix
from rfdn_video.inference.quantise import Quantiser

CPU = torch.device("cpu")
YUV420 = PixelFormat("yuv", 8, 1, 1)
LIMITED = Color(Matrix.BT709)
FULL = replace(LIMITED, full_range=True)


@pytest.mark.parametrize("depth", [8, 10, 16])
@pytest.mark.parametrize("value", [0.0, 7.5, 16.01, 100.3, 200.9921875, 254.0])
def test_every_block_has_the_mean_of_a_flat_value(depth: int, value: float) -> None:
    """64 offsets, 1/64 apart: the mean is within 1/128, wherever the block lies; without dither all are the nearest."""
    for row in (0, 3, 8):
        codes = Quantiser(depth, 24, "ordered", CPU)(torch.full((16, 24), value), row).double()
        means = codes.unfold(0, 8, 1).unfold(1, 8, 1).mean((2, 3))
        assert (means - value).abs().max() <= 1 / 128 + 1e-5
    assert np.unique(Quantiser(depth, 24, "none", CPU)(torch.full((16, 24), value), 0)).tolist() == [round(value)]


def _results(weights: Path, engine: str, tile: str | int, slots: int, frames: int = 3) -> list[Frame]:
    """Limited range luma 101 is 98.97 in full range."""
    sizes = YUV420.plane_sizes(30, 44)
    planes = tuple(np.full(size, code, np.uint8) for size, code in zip(sizes, (101, 90, 77), strict=True))
    source = [Frame(planes, YUV420, LIMITED, n, 1, Fraction(1, 25)) for n in range(frames)]
    upscaler = Upscaler(scale=2, weights=weights, device="cpu", engine=engine, tile=tile, slots=slots)  # type: ignore[arg-type]
    return list(upscaler.stream(source, color=FULL, dither="ordered"))


def test_the_same_for_every_frame_band_grid_and_engine(nearest_x2: Path) -> None:
    pytest.importorskip("openvino", reason="OpenVINO is absent")
    first, *others = _results(nearest_x2, "torch", "off", 2)
    others += [*_results(nearest_x2, "torch", 5, 4), *_results(nearest_x2, "torch", 12, 2)]
    others += _results(nearest_x2, "openvino", "off", 3)
    assert len(np.unique(first.planes[0])) == 2
    assert first.planes[0][:80, :56].mean() == pytest.approx((101 - 16) * 255 / 219, abs=1 / 64)
    for other in others:
        for a, b in zip(first.planes, other.planes, strict=True):
            assert np.array_equal(a, b)
