"""What decodes a stream whose first pictures are known, and takes none that are much larger."""

from __future__ import annotations

from collections.abc import Mapping

from av.video.codeccontext import VideoCodecContext
from av.video.stream import VideoStream

from rfdn_video.limits import later_pixels
from rfdn_video.media.alpha import decoder_of
from rfdn_video.media.reading.info import VideoInfo

__all__ = ["bounded_decoder"]


def bounded_decoder(
    stream: VideoStream, video: VideoInfo, options: Mapping[str, str] | None = None
) -> VideoCodecContext:
    """Larger pictures than :func:`rfdn_video.limits.later_pixels` are damaged packets to it.

    Args:
        options: more ones of FFmpeg's decoder.

    Raises:
        InputError: there is no such decoder.
    """
    width, height = video.decoded_size
    limit = later_pixels(width, height)
    decoder = decoder_of(stream, {"max_pixels": str(limit), **(options or {})})
    if decoder.width * decoder.height > limit:  # what the header claims; FFmpeg would not even open it
        decoder.width, decoder.height = width, height
    return decoder
