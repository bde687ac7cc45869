"""A picture on its way through the pipeline: planes, how to read them, and when to show them.

A frame never travels without its time. Code points are those of ITU-T H.273, which FFmpeg and
VapourSynth use as they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from fractions import Fraction
from typing import Literal

import numpy as np
from numpy.typing import NDArray

__all__ = ["ChromaLocation", "Color", "Frame", "Matrix", "PixelFormat", "Planes"]

type Planes = tuple[NDArray[np.uint8 | np.uint16], ...]
"""Y, U, V (or Y alone, or G, B, R), and alpha last where there is one: [height, width] each, uint8, or uint16
above 8 bit."""


class Matrix(IntEnum):
    """Matrix coefficients, ITU-T H.273 table 4 (those that the arithmetic knows)."""

    RGB = 0
    BT709 = 1
    UNSPECIFIED = 2
    FCC = 4
    BT470BG = 5
    SMPTE170M = 6
    SMPTE240M = 7
    BT2020_NCL = 9


class ChromaLocation(IntEnum):
    """Where a chroma sample lies among its luma samples, numbered as in FFmpeg (H.273 figure 1, plus 1)."""

    UNSPECIFIED = 0
    LEFT = 1
    CENTER = 2
    TOPLEFT = 3
    TOP = 4
    BOTTOMLEFT = 5
    BOTTOM = 6


@dataclass(frozen=True)
class Color:
    """How code values mean light: the decision for a whole stream, nothing left open that the arithmetic needs.

    Attributes:
        matrix: between R'G'B' and Y'CbCr.
        full_range: 0..2^n-1 where true, else the studio range (16..235 and 16..240 at 8 bit).
        chroma_location: siting of subsampled chroma.
        primaries: H.273 table 2, carried as a tag; 2 is unspecified.
        transfer: H.273 table 3, carried as a tag; 2 is unspecified.
    """

    matrix: Matrix
    full_range: bool = False
    chroma_location: ChromaLocation = ChromaLocation.LEFT
    primaries: int = 2
    transfer: int = 2


@dataclass(frozen=True)
class PixelFormat:
    """Layout of planar samples.

    Attributes:
        family: ``"yuv"``, ``"gray"`` or ``"rgb"`` (planes in the order G, B, R).
        depth: bits of a sample, 8 to 16.
        sub_w, sub_h: log2 of the horizontal and vertical chroma subsampling (1, 1 is 4:2:0).
        alpha: a last plane says how opaque each pixel is, 0 to 2^depth - 1.
    """

    family: Literal["yuv", "gray", "rgb"]
    depth: int
    sub_w: int = 0
    sub_h: int = 0
    alpha: bool = False

    @property
    def dtype(self) -> type[np.uint8 | np.uint16]:
        """Of one sample."""
        return np.uint8 if self.depth == 8 else np.uint16

    def plane_sizes(self, width: int, height: int) -> list[tuple[int, int]]:
        """(height, width) of each plane of a picture; odd sizes round up, as in FFmpeg."""
        chroma = (-(-height >> self.sub_h), -(-width >> self.sub_w))
        colors = [] if self.family == "gray" else [chroma, chroma]
        return [(height, width), *colors, *([(height, width)] if self.alpha else [])]


@dataclass(frozen=True)
class Frame:
    """One picture with its time.

    Attributes:
        planes: arrays as :class:`Planes` says; they may be views of a decoder's memory and are
            not to be written to.
        format, color: how to read them.
        pts: when it is shown, in units of ``time_base`` seconds.
        duration: how long, in the same units; 0 where unknown.
        captioned: the decoder's own picture where closed captions lie in it, for an encoder to take them from.
    """

    planes: Planes
    format: PixelFormat
    color: Color
    pts: int
    duration: int
    time_base: Fraction
    captioned: object | None = None

    @property
    def width(self) -> int:
        """In pixels of the first plane."""
        return int(self.planes[0].shape[1])

    @property
    def height(self) -> int:
        """In pixels of the first plane."""
        return int(self.planes[0].shape[0])
