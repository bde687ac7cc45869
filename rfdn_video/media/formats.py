"""FFmpeg's pixel format names, and the planar layout each is processed in."""

from __future__ import annotations

import re

from rfdn_video.errors import InputError
from rfdn_video.frame import PixelFormat

__all__ = ["ffmpeg_name", "planar_layout", "same_samples"]

_SUBSAMPLING = {"410": (2, 2), "411": (2, 0), "420": (1, 1), "422": (1, 0), "440": (0, 1), "444": (0, 0)}
_YUV = re.compile(r"yuv([aj]?)(410|411|420|422|440|444)p(9|10|12|14|16)?(?:le|be)?")
_GRAY = re.compile(r"gray(9|10|12|14|16)?(?:le|be)?")
_GBR = re.compile(r"gbr(a?)p(9|10|12|14|16)?(?:le|be)?")

# Packed and semi-planar formats hold the same samples in another order.
_SAME_SAMPLES = {
    "nv12": "yuv420p",
    "nv21": "yuv420p",
    "nv16": "yuv422p",
    "nv24": "yuv444p",
    "p010le": "yuv420p10le",
    "p210le": "yuv422p10le",
    "yuyv422": "yuv422p",
    "yvyu422": "yuv422p",
    "uyvy422": "yuv422p",
    "rgb24": "gbrp",
    "bgr24": "gbrp",
    "0rgb": "gbrp",
    "0bgr": "gbrp",
    "rgb0": "gbrp",
    "bgr0": "gbrp",
    "rgb48le": "gbrp16le",
    "rgb48be": "gbrp16le",
    "pal8": "gbrap",
    "bgra": "gbrap",
    "rgba": "gbrap",
    "argb": "gbrap",
    "abgr": "gbrap",
    "rgba64le": "gbrap16le",
    "rgba64be": "gbrap16le",
}


def planar_layout(pix_fmt: str) -> PixelFormat:
    """The layout in which pictures of an FFmpeg pixel format are processed; every sample is kept.

    Raises:
        InputError: the format's samples are no integers, or of another colour model.
    """
    name = _SAME_SAMPLES.get(pix_fmt, pix_fmt)
    if match := _YUV.fullmatch(name):
        return PixelFormat("yuv", int(match[3] or 8), *_SUBSAMPLING[match[2]], alpha=match[1] == "a")
    if match := _GRAY.fullmatch(name):
        return PixelFormat("gray", int(match[1] or 8))
    if match := _GBR.fullmatch(name):
        return PixelFormat("rgb", int(match[2] or 8), alpha=match[1] == "a")
    raise InputError(
        f"pixel format {pix_fmt} is not supported; convert it first, for example with: "
        "ffmpeg -i IN -pix_fmt yuv444p -c:v ffv1 -c:a copy OUT.mkv"
    )


# What encoders may take instead of a planar format, with the same samples in it; hardware ones know nothing else.
_PACKED = {"yuv420p": "nv12", "yuv420p10le": "p010le", "yuv422p10le": "p210le", "gbrp": "bgr0", "gbrap": "bgra"}


def same_samples(layout: PixelFormat) -> tuple[str, ...]:
    """FFmpeg's names of the formats that hold a layout's samples, the planar one first."""
    planar = ffmpeg_name(layout)
    return (planar, _PACKED[planar]) if planar in _PACKED else (planar,)


def ffmpeg_name(layout: PixelFormat) -> str:
    """FFmpeg's name of a planar layout, little endian."""
    depth, alpha = "" if layout.depth == 8 else f"{layout.depth}le", "a" if layout.alpha else ""
    if layout.family == "gray":
        return f"gray{depth}"
    if layout.family == "rgb":
        return f"gbr{alpha}p{depth}"
    sampling = next(name for name, sub in _SUBSAMPLING.items() if sub == (layout.sub_w, layout.sub_h))
    return f"yuv{alpha}{sampling}p{depth}"
