"""Resampling against zimg and closed forms."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from rfdn_video.inference.resample import Taps, resample, resize_taps, siting_taps_down, siting_taps_up


@pytest.mark.parametrize(
    ("size", "new"), [((40, 30), (60, 45)), ((40, 30), (30, 22)), ((64, 48), (23, 31)), ((5, 3), (4, 2))]
)
def test_resize_equals_zimg(size: tuple[int, int], new: tuple[int, int]) -> None:
    vs = pytest.importorskip("vapoursynth", reason="VapourSynth is absent; its zimg is the oracle of this test")
    width, height = size
    values = np.random.default_rng(1).random((height, width), dtype=np.float32)
    blank = vs.core.std.BlankClip(format=vs.GRAYS, width=width, height=height, length=1, keep=True)

    def fill(n: int, f: Any) -> Any:  # noqa: ARG001 - VapourSynth calls it by name
        frame = f.copy()
        np.copyto(np.asarray(frame[0]), values)
        return frame

    clip = vs.core.std.ModifyFrame(blank, blank, fill)
    frame = vs.core.resize.Bicubic(clip, *new, filter_param_a=0, filter_param_b=0.5).get_frame(0)
    got = resample(torch.from_numpy(values), resize_taps(height, new[1]), resize_taps(width, new[0]))
    assert np.abs(got.numpy() - np.asarray(frame[0])).max() < 1e-5


@pytest.mark.parametrize("offset", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("step", [2, 4])
def test_siting_keeps_a_ramp_in_place(offset: float, step: int) -> None:
    """A linear ramp, sampled at chroma positions, is reproduced at luma positions and back (away from the edges)."""
    luma = np.arange(64, dtype=np.float32)
    chroma = np.arange(64 // step, dtype=np.float32) * step + offset * (step - 1)
    one = resize_taps(1, 1)
    up = resample(torch.from_numpy(chroma)[None], one, siting_taps_up(64 // step, 64, step, offset))[0].numpy()
    down = resample(torch.from_numpy(luma)[None], one, siting_taps_down(64, 64 // step, step, offset))[0].numpy()
    edge = 3 * step
    np.testing.assert_allclose(up[edge:-edge], luma[edge:-edge], atol=1e-4)
    np.testing.assert_allclose(down[4:-4], chroma[4:-4], atol=1e-4)


def test_constant_stays_constant_whatever_the_size() -> None:
    for size, new in ((1, 7), (2, 1), (3, 10), (10, 3)):
        flat = torch.full((size, size), 0.37)
        assert torch.allclose(resample(flat, resize_taps(size, new), resize_taps(size, new)), torch.tensor(0.37))


RATIOS = [resize_taps(45, 90), resize_taps(45, 30), resize_taps(45, 36), resize_taps(5, 10)]
SITED = [siting_taps_down(45, 23, 2, offset) for offset in (0.0, 0.5, 1.0)]
SITED += [siting_taps_up(12, 45, 4, 0.5), siting_taps_up(45, 90, 2, 0.0)]


@pytest.mark.parametrize("taps", RATIOS + SITED)
def test_columns_by_phases_equal_a_matrix(taps: Taps) -> None:
    """Each output written out as a row of weights, in float64."""
    assert taps.period is not None
    inputs, outputs = int(taps.last.max()) + 1, taps.index.shape[1]
    matrix = np.zeros((outputs, inputs))
    for index, weight in zip(taps.index.numpy(), taps.weight.numpy(), strict=True):
        np.add.at(matrix, (np.arange(outputs), index), weight)
    values = np.random.default_rng(3).random((7, inputs), dtype=np.float32)
    got = resample(torch.from_numpy(values), resize_taps(7, 7), taps)
    np.testing.assert_allclose(got.numpy(), values @ matrix.T, atol=1e-6)


def test_ratios_of_large_terms_have_no_period() -> None:
    assert resize_taps(1000, 1333).period is None
