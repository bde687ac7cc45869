"""The alpha plane against zimg, in whole pictures and in strips."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
import torch

from rfdn_video.frame import PixelFormat
from rfdn_video.inference.alpha import AlphaResizer
from tests import zimg
from tests.zimg import vs

CPU = torch.device("cpu")
SIZE, NEW_SIZE = (40, 30), (60, 90)


def _resized(
    source: PixelFormat, result: PixelFormat, alpha: np.ndarray, strips: Sequence[range] = (range(NEW_SIZE[1]),)
) -> np.ndarray:
    resize = AlphaResizer(source, result, SIZE, NEW_SIZE, CPU)
    planes = [torch.zeros(1), torch.from_numpy(alpha)]  # it is the last
    return torch.cat([resize(planes, rows) for rows in strips]).numpy()


@pytest.mark.parametrize("depth", [8, 16])
def test_equals_zimg_at_once_and_in_strips(depth: int) -> None:
    """In float, for zimg clips integers between its two passes."""
    layout = PixelFormat("rgb", depth, alpha=True)
    [alpha] = zimg.smooth_picture(PixelFormat("gray", depth), *SIZE)
    peak = (1 << depth) - 1
    clip = zimg.clip_of([alpha.astype(np.float32) / peak], vs.GRAYS)
    [expected] = zimg.planes_of(vs.core.resize.Bicubic(clip, *NEW_SIZE, filter_param_a=0, filter_param_b=0.5))
    got = _resized(layout, layout, alpha)
    assert np.abs(got - (expected * peak).clip(0, peak)).max() <= 0.51
    assert np.array_equal(_resized(layout, layout, alpha, (range(7), range(7, 64), range(64, 90))), got)


@pytest.mark.parametrize(("before", "after"), [(8, 8), (8, 12), (12, 8), (16, 10)])
def test_the_ends_of_the_range_stay(before: int, after: int) -> None:
    """Opaque stays opaque and nothing stays nothing, at every depth; without alpha all is opaque."""
    source, result = (PixelFormat("yuv", depth, 1, 1, alpha=True) for depth in (before, after))
    for share in (0, 1):
        alpha = np.full(SIZE[::-1], share * ((1 << before) - 1), source.dtype)
        got = _resized(source, result, alpha)
        assert (got.dtype, np.unique(got).tolist()) == (result.dtype, [share * ((1 << after) - 1)])
    got = _resized(PixelFormat("yuv", before, 1, 1), result, np.zeros((1, 1), np.uint8))
    assert (got.shape, np.unique(got).tolist()) == (NEW_SIZE[::-1], [(1 << after) - 1])
