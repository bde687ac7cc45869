"""Decides what the code values of a stream mean, from its tags. Computing with them is inference/colorspace.py.

What is unspecified follows one rule:

- matrix: BT.601 (SMPTE 170M) for pictures of up to 1024x576, BT.709 above;
- range: limited for YUV and gray (full for FFmpeg's yuvj formats), full for RGB;
- chroma location: left, as in MPEG-2 and H.264;
- alpha has full range;
- primaries and transfer do not enter the arithmetic; they are carried as they are.
"""

from __future__ import annotations

from dataclasses import replace

from rfdn_video.errors import InputError
from rfdn_video.frame import ChromaLocation, Color, Matrix, PixelFormat

__all__ = ["converted_color", "decide_color", "default_matrix"]


def default_matrix(width: int, height: int) -> Matrix:
    """The matrix that an untagged picture of this size is taken to have."""
    return Matrix.SMPTE170M if width <= 1024 and height <= 576 else Matrix.BT709


def decide_color(
    pixel_format: PixelFormat,
    size: tuple[int, int],
    *,
    matrix: int,
    range_: int,
    chroma_location: int,
    primaries: int,
    transfer: int,
    yuvj: bool = False,
    default: Color | None = None,
) -> Color:
    """Closes what the tags leave open.

    Args:
        pixel_format: layout of the samples.
        size: (width, height).
        matrix, primaries, transfer: code points of ITU-T H.273.
        range_: 0 unspecified, 1 limited, 2 full (FFmpeg's AVCOL_RANGE).
        chroma_location: FFmpeg's AVCHROMA_LOC, 0 where unspecified.
        yuvj: the pixel format itself says full range.
        default: what holds where nothing is said; None follows the rule.

    Raises:
        InputError: a matrix that the arithmetic does not know, such as ICtCp.
    """
    is_rgb = pixel_format.family == "rgb"
    rule = default or Color(Matrix.RGB if is_rgb else default_matrix(*size), full_range=is_rgb)
    return Color(
        matrix=Matrix.RGB if is_rgb else _matrix(matrix, rule.matrix),
        full_range=rule.full_range if range_ == 0 and not yuvj else yuvj or range_ == 2,
        chroma_location=ChromaLocation(chroma_location or rule.chroma_location),
        primaries=primaries,
        transfer=transfer,
    )


def converted_color(color: Color, source: PixelFormat, result: PixelFormat, size: tuple[int, int]) -> Color:
    """The colour of a result in another pixel format: the source's, as far as the format allows.

    Args:
        color: of the source.
        source, result: layouts.
        size: (width, height) of the result.
    """
    if result.family == "rgb" and source.family != "rgb":
        return replace(color, matrix=Matrix.RGB, full_range=True)
    if source.family == "rgb" and result.family != "rgb":
        return replace(color, matrix=default_matrix(*size), full_range=False)
    return color


def _matrix(code: int, default: Matrix) -> Matrix:
    # Code 0 (RGB) on a YUV stream contradicts itself, 3 is reserved: both as if unspecified.
    if code in (Matrix.RGB, Matrix.UNSPECIFIED, 3):
        return default
    try:
        return Matrix(code)
    except ValueError:
        known = ", ".join(f"{m.name} ({m.value})" for m in Matrix if m is not Matrix.UNSPECIFIED)
        raise InputError(f"colour matrix {code} of ITU-T H.273 is not supported; known: {known}") from None
