"""A video to measure with, where the user gives none: texture that drifts, H.264."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

__all__ = ["make_clip"]

RATE = 25  # frames a second


def make_clip(path: Path, width: int, height: int, frames: int) -> None:
    """Writes an MP4 of YUV 4:2:0, 8 bit; ``width`` and ``height`` are even."""
    generator = np.random.default_rng(0)
    grain = generator.normal(0, 6, (height + frames, width + 2 * frames))
    with av.open(str(path.absolute()), "w") as container:
        stream = container.add_stream("libx264", rate=RATE, options={"crf": "20", "preset": "veryfast"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for number in range(frames):
            picture = av.VideoFrame.from_ndarray(_picture(width, height, number, grain), format="yuv420p")
            picture.pts, picture.time_base = number, Fraction(1, RATE)
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))


def _picture(width: int, height: int, number: int, grain: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Waves of several lengths under grain, all of it moving by two pixels across and one down a frame."""
    y, x = np.ogrid[number : number + height, 2 * number : 2 * number + width]
    waves = sum(np.sin((x * a + y * b) / 97) for a, b in ((1, 2), (7, -3), (19, 23))) * 25
    luma = 126 + waves + grain[number : number + height, 2 * number : 2 * number + width]
    chroma = np.full(width * height // 2, 128.0).reshape(height // 2, width) + 20 * np.sin(number / 9)
    return np.concatenate((luma, chroma)).clip(16, 235).astype(np.uint8)
