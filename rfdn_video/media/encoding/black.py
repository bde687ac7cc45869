"""Black pictures, for trying an output."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from rfdn_video.frame import Frame, PixelFormat, Planes
from rfdn_video.media.layout import VideoLayout

__all__ = ["black_frames"]


def black_frames(pixels: PixelFormat, layout: VideoLayout, count: int) -> Iterator[Frame]:
    """``count`` pictures at the layout's rate, beginning at 0."""
    planes = _black(pixels, layout)
    duration = max(1, round(1 / (layout.frame_rate * layout.time_base)))
    for number in range(count):
        yield Frame(planes, pixels, layout.color, number * duration, duration, layout.time_base)


def _black(pixels: PixelFormat, layout: VideoLayout) -> Planes:
    unit = 1 << (pixels.depth - 8)
    darkest = 0 if layout.color.full_range else 16 * unit
    codes = {"rgb": (darkest,) * 3, "yuv": (darkest, 128 * unit, 128 * unit), "gray": (darkest,)}[pixels.family]
    sizes = pixels.plane_sizes(layout.width, layout.height)
    return tuple(np.full(size, code, pixels.dtype) for size, code in zip(sizes, (*codes, 256 * unit - 1), strict=False))
