"""Shapes of pixels that a bitstream states on the way, of which a result has the first one only."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, cast

import av
from av.codec.context import Flags
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext

from rfdn_video.media.reading.info import VideoInfo
from rfdn_video.media.timing import exact

__all__ = ["PixelShapes"]


class PixelShapes:
    """Decodes, and knows of each picture whether its pixels have the shape of the first ones.

    PyAV does not tell it of a picture. The decoder's own is that of the packet which it was given last, and pictures
    come later; so what it says is attached to the packet, and comes out with its picture.
    """

    def __init__(self, decoder: VideoCodecContext, video: VideoInfo) -> None:
        decoder.flags |= Flags.copy_opaque
        self._decoder, self._size = decoder, video.decoded_size
        self._first = exact(decoder.sample_aspect_ratio) or video.sample_aspect_ratio

    def decode(self, packet: Packet[Any]) -> list[av.VideoFrame]:
        """What the decoder gives for a packet; it raises what that does."""
        stated: list[Fraction] = []
        packet.opaque = stated
        pictures = self._decoder.decode(packet)
        stated.append(exact(self._decoder.sample_aspect_ratio))
        return pictures

    def has_changed(self, picture: av.VideoFrame) -> bool:
        """Its pixels have another shape, which rescaling it to the first one's size does not make up for."""
        attached = cast("list[Fraction] | None", picture.opaque)
        stated = (attached[0] if attached else None) or self._first
        across, down = Fraction(picture.width, self._size[0]), Fraction(picture.height, self._size[1])
        return stated not in (self._first, self._first * down / across)
