"""Frames of one video in the code values of another: depth, range, matrix and size aligned, nothing rounded.

Where only depth and range differ, that is a linear map of each plane. Anything else goes through R'G'B' and
back, in steps of 1/256 of an 8-bit code value.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from rfdn_video.frame import Color, Frame, Matrix, PixelFormat
from rfdn_video.inference.colorspace import PlanesToRGB, RGBToPlanes, Scaling
from rfdn_video.inference.resample import resample, resize_taps
from rfdn_video.media.color import converted_color
from rfdn_video.media.reading.info import VideoInfo

__all__ = ["Aligner", "Space", "space_of"]

FINE = 16
"""Bits of the samples in between, where planes come back from R'G'B'."""
CPU = torch.device("cpu")
_SAME_WEIGHTS = frozenset((Matrix.BT470BG, Matrix.SMPTE170M))


@dataclass(frozen=True)
class Space:
    """What the code values of a comparison mean.

    Attributes:
        layout, color: of the planes; YUV or gray.
        width, height: in pixels.
    """

    layout: PixelFormat
    color: Color
    width: int
    height: int

    @property
    def peak(self) -> float:
        """The highest code value, 255 at 8 bit, whatever the range."""
        return float((1 << self.layout.depth) - 1)


def space_of(reference: VideoInfo, size: tuple[int, int] | None = None) -> Space:
    """That of a reference: its own planes but alpha; those of 4:4:4 YUV of the same depth where it is RGB.

    Args:
        reference: what others are compared with.
        size: (width, height) where it is scaled for that.
    """
    width, height = size or (reference.width, reference.height)
    layout, color = replace(reference.format, alpha=False), reference.color  # alpha is not compared
    if layout.family == "rgb":
        yuv = PixelFormat("yuv", layout.depth)
        return Space(yuv, converted_color(color, layout, yuv, (width, height)), width, height)
    return Space(layout, color, width, height)


class Aligner:
    """Gives the planes of a video's frames in the code values of a space.

    Calling it takes a frame and gives a float32 tensor [height, width] for each plane of the space.
    """

    def __init__(self, video: VideoInfo, space: Space) -> None:
        self._direct = _differ_linearly(video, space)
        self._rows = self._columns = None
        if self._direct:
            self._from = Scaling(video.format, video.color)
        else:
            fine = replace(space.layout, depth=FINE)
            self._to_rgb = PlanesToRGB(video.format, video.color, video.width, video.height, CPU)
            self._to_planes = RGBToPlanes(fine, space.color, space.width, space.height, CPU)
            self._from = Scaling(fine, space.color)
            if (video.width, video.height) != (space.width, space.height):
                self._rows = resize_taps(video.height, space.height)
                self._columns = resize_taps(video.width, space.width)
        self._to = Scaling(space.layout, space.color)

    @torch.inference_mode()
    def __call__(self, frame: Frame) -> list[Tensor]:
        planes = [torch.from_numpy(plane.astype(np.float32)) for plane in frame.planes[:3]]
        if not self._direct:
            rgb = self._to_rgb(planes)
            if self._rows is not None and self._columns is not None:
                rgb = resample(rgb, self._rows, self._columns)
            planes = [plane.to(torch.float32) for plane in self._to_planes(rgb)]
        return self._rescaled(planes)

    def _rescaled(self, planes: Sequence[Tensor]) -> list[Tensor]:
        luma, *chroma = planes
        result = [_map(luma, self._from.luma, self._to.luma)]
        return result + [_map(plane, self._from.chroma, self._to.chroma) for plane in chroma]


def _map(plane: Tensor, source: tuple[float, float], target: tuple[float, float]) -> Tensor:
    return plane if source == target else (plane - source[0]) * (target[1] / source[1]) + target[0]


def _differ_linearly(video: VideoInfo, space: Space) -> bool:
    a, b = video.format, space.layout
    if (a.family, a.sub_w, a.sub_h) != (b.family, b.sub_w, b.sub_h):
        return False
    if (video.width, video.height) != (space.width, space.height):
        return False
    if a.family == "gray":
        return True
    same_matrix = len({video.color.matrix, space.color.matrix} - _SAME_WEIGHTS) == 0
    same_siting = video.color.chroma_location == space.color.chroma_location or (a.sub_w, a.sub_h) == (0, 0)
    return same_siting and (same_matrix or video.color.matrix == space.color.matrix)
