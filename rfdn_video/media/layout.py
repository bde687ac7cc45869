"""What the enlarged video is like: decided before the first frame, told to the encoder and the container."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from rfdn_video.frame import Color
from rfdn_video.media.hdr import NO_HDR, HDRMetadata

__all__ = ["VideoLayout"]


@dataclass(frozen=True)
class VideoLayout:
    """What the enlarged video is like.

    Attributes:
        width, height: in pixels.
        color: written as tags; the matrix is always one that was decided.
        time_base: of the timestamps that will come.
        frame_rate: for the encoder's rate control.
        sample_aspect_ratio: shape of a pixel.
        display_matrix: rotation and reflection, 9 integers, or None.
        hdr: mastering display and light level that the container is told of.
    """

    width: int
    height: int
    color: Color
    time_base: Fraction
    frame_rate: Fraction
    sample_aspect_ratio: Fraction
    display_matrix: tuple[int, ...] | None
    hdr: HDRMetadata = NO_HDR
