"""Cropping by the container: only a part of each picture is shown, and only that is enlarged.

PixelCropTop and the like of Matroska (RFC 9559, section 5.1.4.1.28) and the clean aperture of MP4 and MOV (box
``clap``, ISO/IEC 14496-12, 12.1.4). Decoders do what the bitstream itself says of cropping; this lies on top.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from av.video.stream import VideoStream

from rfdn_video.errors import InputError
from rfdn_video.frame import PixelFormat, Planes

__all__ = ["NO_CROP", "Crop", "crop_of", "cropped"]


@dataclass(frozen=True)
class Crop:
    """Rows and columns of a decoded picture that are not shown."""

    top: int = 0
    bottom: int = 0
    left: int = 0
    right: int = 0

    def __bool__(self) -> bool:
        return any((self.top, self.bottom, self.left, self.right))

    def inside(self, width: int, height: int) -> tuple[int, int]:
        """What is shown of a picture of this size: (width, height)."""
        return width - self.left - self.right, height - self.top - self.bottom

    def around(self, width: int, height: int) -> tuple[int, int]:
        """The picture of which this size is shown: (width, height)."""
        return width + self.left + self.right, height + self.top + self.bottom


NO_CROP = Crop()


def crop_of(stream: VideoStream, layout: PixelFormat, width: int, height: int) -> Crop:
    """What the container says, for pictures of this size as they are decoded.

    Where that begins in the midst of a chroma sample, one row or column less is shown, so that chroma stays in
    its place: FFmpeg and most players would show it moved by a pixel.

    Raises:
        InputError: nothing is left (where FFmpeg's demuxers have not refused that themselves).
    """
    data = (stream.codec_context.coded_side_data or {}).get("frame_cropping")
    if data is None:
        return NO_CROP
    top, bottom, left, right = struct.unpack("<4I", bytes(data)[:16])  # AV_PKT_DATA_FRAME_CROPPING
    crop = Crop(_up(top, layout.sub_h), bottom, _up(left, layout.sub_w), right)
    if min(crop.inside(width, height)) < 1:
        raise InputError(
            f"the container crops {width}x{height} pixels to less than one chroma sample; take its cropping out first, "
            "for example with: mkvpropedit IN --edit track:v1 --delete pixel-crop-left --delete pixel-crop-top"
        )
    return crop


def cropped(planes: Planes, layout: PixelFormat, crop: Crop) -> Planes:
    """What is shown of a picture's planes; views."""
    if not crop:
        return planes
    width, height = crop.inside(planes[0].shape[1], planes[0].shape[0])
    sizes = layout.plane_sizes(width, height)
    shown = []
    for number, (plane, (rows, columns)) in enumerate(zip(planes, sizes, strict=True)):
        chroma = number in (1, 2)
        top, left = crop.top >> layout.sub_h * chroma, crop.left >> layout.sub_w * chroma
        shown.append(plane[top : top + rows, left : left + columns])
    return tuple(shown)


def _up(offset: int, log2: int) -> int:
    return -(-offset >> log2) << log2
