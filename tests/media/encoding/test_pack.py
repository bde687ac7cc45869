"""Samples in the order that encoders take, compared with swscale's."""

from __future__ import annotations

import av
import numpy as np
import pytest

from rfdn_video.media.encoding.pack import pack
from rfdn_video.media.formats import planar_layout
from rfdn_video.media.reading.decode import planes_of


@pytest.mark.parametrize(
    ("planar", "packed"),
    [("yuv420p", "nv12"), ("yuv420p10le", "p010le"), ("yuv422p10le", "p210le"), ("gbrp", "bgr0"), ("gray", "gray")],
)
@pytest.mark.parametrize("size", [(34, 18), (33, 17)])
def test_same_samples(planar: str, packed: str, size: tuple[int, int]) -> None:
    layout, random = planar_layout(planar), np.random.default_rng(1)
    planes = tuple(random.integers(0, 1 << layout.depth, plane, layout.dtype) for plane in layout.plane_sizes(*size))
    picture = av.VideoFrame(*size, packed)
    pack(planes, picture)
    for got, expected in zip(planes_of(picture, layout), planes, strict=True):
        np.testing.assert_array_equal(got, expected)
