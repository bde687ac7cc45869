"""Transparency: which decoder sees it, and whether a picture has any.

In WebM, VP8 and VP9 pictures have their alpha plane in a second picture beside them (BlockAdditional of
Matroska, RFC 9559, with AlphaMode set). FFmpeg's own decoders pass it over; those of libvpx join the two.
"""

from __future__ import annotations

import av
import numpy as np
from av.codec.context import Flags
from av.video.codeccontext import VideoCodecContext
from av.video.stream import VideoStream

from rfdn_video.errors import InputError

__all__ = ["decoder_of", "has_alpha", "is_opaque"]

_BESIDE = {"vp8": "libvpx", "vp9": "libvpx-vp9"}


def decoder_of(stream: VideoStream, options: dict[str, str]) -> VideoCodecContext:
    """What decodes a stream with its alpha plane: the stream's own decoder, but for VP8 and VP9 with alpha.

    Raises:
        InputError: that decoder is not there.
    """
    codec = stream.codec_context.codec.canonical_name
    context = stream.codec_context
    if codec in _BESIDE and has_alpha(stream):
        try:
            created = av.CodecContext.create(_BESIDE[codec], "r")
        except ValueError:
            raise InputError(f"the alpha channel of {codec} needs the decoder {_BESIDE[codec]}") from None
        assert isinstance(created, VideoCodecContext)
        context = created
    context.options = options
    # Else what is cropped on the left and on top is made less, so that rows begin at round addresses.
    context.flags |= Flags.unaligned
    return context


def has_alpha(stream: VideoStream) -> bool:
    """Its pictures have an alpha plane, in them or beside them."""
    pixels = stream.codec_context.format
    beside = any(key.lower() == "alpha_mode" and value == "1" for key, value in stream.metadata.items())
    return beside or (pixels is not None and _may_be_transparent(pixels))


def is_opaque(picture: av.VideoFrame) -> bool:
    """Nothing shines through, whatever its format could say."""
    if not _may_be_transparent(picture.format):
        return True
    alpha = picture.reformat(format="gbrap", threads=1).planes[3]
    rows = np.frombuffer(alpha, np.uint8).reshape(alpha.height, alpha.line_size)
    return bool((rows[:, : alpha.width] == 255).all())


def _may_be_transparent(pixels: av.VideoFormat) -> bool:
    return any(component.is_alpha for component in pixels.components) or pixels.has_palette
