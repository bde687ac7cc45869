"""Planes of a frame into a picture of FFmpeg's, in the order of samples that an encoder takes."""

from __future__ import annotations

from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from rfdn_video.frame import Planes

__all__ = ["pack"]


def pack(planes: Planes, picture: av.VideoFrame) -> None:
    """Copies planes into ``picture``; its format is one of :func:`rfdn_video.media.formats.same_samples`."""
    name = picture.format.name
    if name in ("bgr0", "bgra"):
        green, blue, red, *alpha = planes
        pixels = _rows(picture.planes[0], np.uint8)[:, : 4 * picture.width].reshape(picture.height, picture.width, 4)
        for channel, samples in enumerate((blue, green, red, *alpha)):
            pixels[..., channel] = samples
    elif name in ("nv12", "p010le", "p210le"):
        luma, *chroma = (plane << 6 if name.startswith("p") else plane for plane in planes)  # 10 bits, at the top
        _rows(picture.planes[0], luma.dtype)[:, : luma.shape[1]] = luma
        pairs = _rows(picture.planes[1], luma.dtype)
        for offset, plane in enumerate(chroma):
            pairs[:, offset : 2 * plane.shape[1] : 2] = plane
    else:
        for target, samples in zip(picture.planes, planes, strict=True):
            _rows(target, samples.dtype)[:, : samples.shape[1]] = samples


def _rows(plane: Any, dtype: np.dtype[Any] | type[np.uint8]) -> NDArray[Any]:
    """All bytes of a plane, padding too, as [height, samples of a line]; writable."""
    return np.frombuffer(plane, dtype).reshape(plane.height, plane.line_size // np.dtype(dtype).itemsize)
