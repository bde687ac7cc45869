"""VapourSynth's resizer zimg: the oracle of colour arithmetic and chroma resampling, and a picture to try it on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from rfdn_video.frame import Color, PixelFormat

vs = pytest.importorskip("vapoursynth", reason="VapourSynth is absent; its zimg is the oracle of this test")


RGBS = int(vs.RGBS)


def smooth_picture(layout: PixelFormat, width: int, height: int) -> list[NDArray[Any]]:
    """A smooth picture with some noise, all over the code values."""
    generator = np.random.default_rng(11)
    peak = (1 << layout.depth) - 1
    planes = []
    for rows, columns in layout.plane_sizes(width, height):
        y, x = np.mgrid[0:rows, 0:columns] / max(rows, columns)
        values = 0.5 + 0.45 * np.sin(6 * x + 2 * y) * np.cos(5 * y) + generator.normal(0, 0.03, (rows, columns))
        planes.append((values.clip(0, 1) * peak).astype(layout.dtype))
    return planes


def clip_of(planes: Sequence[NDArray[Any]], format_id: int) -> Any:
    """A clip of one frame."""
    blank = vs.core.std.BlankClip(
        format=format_id, width=planes[0].shape[1], height=planes[0].shape[0], length=1, keep=True
    )

    def fill(n: int, f: Any) -> Any:  # noqa: ARG001 - VapourSynth calls it by name
        frame = f.copy()
        for index, plane in enumerate(planes):
            np.copyto(np.asarray(frame[index]), plane)
        return frame

    return vs.core.std.ModifyFrame(blank, blank, fill)


def planes_of(clip: Any) -> list[NDArray[Any]]:
    """The planes of a clip's first frame."""
    frame = clip.get_frame(0)
    return [np.asarray(frame[i]).copy() for i in range(frame.format.num_planes)]


def format_id(layout: PixelFormat) -> int:
    """VapourSynth's number of a YUV layout."""
    return int(vs.core.query_video_format(vs.YUV, vs.INTEGER, layout.depth, layout.sub_w, layout.sub_h).id)


def convert(clip: Any, target: int, color: Color, side: str) -> Any:
    """Catmull-Rom, as in resample.py; ``side`` is "in" or "out", the end that is YUV."""
    suffix = "_in" if side == "in" else ""
    arguments = {
        f"matrix{suffix}": int(color.matrix),
        f"range{suffix}": 1 if color.full_range else 0,
        f"chromaloc{suffix}": int(color.chroma_location) - 1,
    }
    kernel = {"filter_param_a": 0, "filter_param_b": 0.5, "filter_param_a_uv": 0, "filter_param_b_uv": 0.5}
    return vs.core.resize.Bicubic(clip, format=target, **kernel, **arguments)


def repeated(planes: Sequence[NDArray[Any]], layout: PixelFormat, color: Color) -> list[NDArray[Any]]:
    """YUV to RGB, every pixel twice across and down, back to YUV: what an exact x2 network would give."""
    rgb = convert(clip_of(planes, format_id(layout)), RGBS, color, "in")
    larger = vs.core.resize.Point(rgb, width=2 * rgb.width, height=2 * rgb.height)
    return planes_of(convert(larger, format_id(layout), color, "out"))
