"""The whole job with a network that only repeats pixels, and a lossless encoder: what happens to code values.

Both ends are read by the ffmpeg command line; subsampled chroma is compared with zimg's round trip.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from rfdn_video import upscale_video
from rfdn_video.frame import Color, Matrix, PixelFormat
from rfdn_video.media.formats import ffmpeg_name, planar_layout
from tests.zimg import repeated, smooth_picture

type FFmpeg = Callable[..., bytes]
type Planes = list[NDArray[Any]]

WIDTH, HEIGHT = 30, 22
SPACES = {Matrix.SMPTE170M: "smpte170m", Matrix.BT709: "bt709", Matrix.BT2020_NCL: "bt2020nc"}
LAYOUTS = [
    PixelFormat(family, depth, *sub)  # type: ignore[arg-type]
    for depth in (8, 10)
    for family, sub in (("yuv", (1, 1)), ("yuv", (1, 0)), ("yuv", (0, 0)), ("gray", (0, 0)))
]
# fmt: off
NAMES = [
    "yuv440p", "yuv411p", "yuv410p", "yuv420p12le", "yuv422p12le", "yuv444p12le", "yuv420p14le", "yuv444p16le",
    "gray10le", "gray12le", "gray16le", "gbrp", "gbrp10le", "gbrp12le", "gbrp16le",
    "yuva420p", "yuva444p10le", "yuva422p16le", "gbrap", "gbrap12le",
]
# fmt: on


@pytest.mark.fault(43, 44, 46)
@pytest.mark.parametrize("layout", LAYOUTS, ids=ffmpeg_name)
@pytest.mark.parametrize(
    ("matrix", "full_range"), [*product(SPACES, (False, True))], ids=lambda v: getattr(v, "name", f"full={v}")
)
def test_code_values(
    ffmpeg: FFmpeg, nearest_x2: Path, tmp_path: Path, layout: PixelFormat, matrix: Matrix, *, full_range: bool
) -> None:
    """Luma and planes that are not subsampled within 1; subsampled chroma within 1 of zimg's round trip."""
    color = Color(matrix, full_range)
    source = smooth_picture(layout, WIDTH, HEIGHT)
    result = _enlarge(ffmpeg, nearest_x2, tmp_path, source, layout, color)
    subsampled = layout.sub_w or layout.sub_h
    expected = repeated(source, layout, color) if subsampled else [_repeat(plane) for plane in source]
    for index, (got, want) in enumerate(zip(result, expected, strict=True)):
        assert _difference(got, want) <= 1, index
    assert _difference(result[0], _repeat(source[0])) <= 1


@pytest.mark.fault(40)
@pytest.mark.parametrize(
    ("name", "size"), [(name, (23, 17)) for name in NAMES] + [(name, (1, 1)) for name in NAMES[::5]]
)
def test_flat_patches_of_every_layout_and_size(
    ffmpeg: FFmpeg, nearest_x2: Path, tmp_path: Path, name: str, size: tuple[int, int]
) -> None:
    """Every plane of one value comes back with that very value, in the same format."""
    layout = planar_layout(name)
    unit = 1 << (layout.depth - 8)
    codes = (3 * unit + unit // 2, 201 * unit, 77 * unit, 50 * unit)
    sizes = layout.plane_sizes(*size)
    source = [np.full(shape, code, layout.dtype) for shape, code in zip(sizes, codes, strict=False)]
    color = Color(Matrix.RGB if layout.family == "rgb" else Matrix.BT709, layout.family == "rgb")
    scale = 8 if size == (1, 1) else 2  # FFV1 refuses a few layouts at 4x4
    result = _enlarge(ffmpeg, nearest_x2, tmp_path, source, layout, color, scale=scale)
    for plane, code in zip(result, codes, strict=False):
        assert np.unique(plane).tolist() == [code]


@pytest.mark.parametrize("name", ["gbrp", "gbrp10le", "gbrap12le"])
def test_rgb_is_not_touched_but_by_the_network(ffmpeg: FFmpeg, nearest_x2: Path, tmp_path: Path, name: str) -> None:
    layout = planar_layout(name)
    source = smooth_picture(layout, WIDTH, HEIGHT)
    result = _enlarge(ffmpeg, nearest_x2, tmp_path, source, layout, Color(Matrix.RGB, full_range=True))
    for got, plane in zip(result[:3], source[:3], strict=True):
        assert np.array_equal(got, _repeat(plane))


def _enlarge(
    ffmpeg: FFmpeg,
    weights: Path,
    folder: Path,
    planes: Planes,
    layout: PixelFormat,
    color: Color,
    scale: int = 2,
) -> Planes:
    """Two equal pictures through a file, the job and ffmpeg; gives the second."""
    source, output = folder / "source.mkv", folder / "output.mkv"
    height, width = planes[0].shape
    raw = folder / "source.raw"
    raw.write_bytes(2 * b"".join(plane.tobytes() for plane in planes))
    space = SPACES.get(color.matrix, "rgb")
    tags = ["-colorspace", space, "-color_range", "pc" if color.full_range else "tv"]
    name = ffmpeg_name(layout)
    ffmpeg("-f", "rawvideo", "-pix_fmt", name, "-s", f"{width}x{height}", "-i", raw, "-c:v", "ffv1", *tags, source)
    summary = upscale_video(source, output, scale=scale, weights=weights, encoder="ffv1", device="cpu", engine="torch")
    assert (summary.frames, summary.verified) == (2, True)
    data = np.frombuffer(ffmpeg("-i", output, "-f", "rawvideo", "-pix_fmt", name, "-"), layout.dtype)
    return _split(data, layout.plane_sizes(summary.width, summary.height))


def _split(data: NDArray[Any], sizes: list[tuple[int, int]]) -> Planes:
    planes, start = [], sum(h * w for h, w in sizes)
    assert data.size == 2 * start
    for height, width in sizes:
        planes.append(data[start : start + height * width].reshape(height, width))
        start += height * width
    return planes


def _repeat(plane: NDArray[Any]) -> NDArray[Any]:
    return plane.repeat(2, 0).repeat(2, 1)


def _difference(a: NDArray[Any], b: NDArray[Any]) -> int:
    return int(np.abs(a.astype(np.int64) - b.astype(np.int64)).max())
