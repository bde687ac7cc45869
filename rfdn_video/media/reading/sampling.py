"""Pictures of a file from here and there: enough to judge what kind of video it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction

import av

from rfdn_video.media.reading.bounded import bounded_decoder
from rfdn_video.media.reading.info import MediaInfo
from rfdn_video.media.reading.source import open_source
from rfdn_video.media.timing import exact

__all__ = ["moments", "pictures_from"]

_MOMENTS = (Fraction(0), Fraction(1, 4), Fraction(1, 2), Fraction(3, 4))
"""Shares of the length: titles stand still and are all black, so the beginning alone tells little."""


def moments(info: MediaInfo) -> list[Fraction]:
    """Where to look, in seconds from the beginning; only there where a search could land anywhere."""
    shares = _MOMENTS if info.seeks_exactly and info.duration else _MOMENTS[:1]
    return [share * (info.duration or 0) for share in shares]


def pictures_from(info: MediaInfo, seconds: Fraction, options: Mapping[str, str]) -> Iterator[av.VideoFrame]:
    """Decoded pictures from about a moment on, until their size changes or the file is damaged or ends.

    Args:
        options: of FFmpeg's decoder.
    """
    with open_source(info.path) as container:
        stream = next(s for s in container.streams.video if s.index == info.video.index)
        decoder = bounded_decoder(stream, info.video, options)
        try:
            if seconds:
                container.seek(int((info.start_time + seconds) / exact(stream.time_base)), stream=stream)
            for packet in container.demux(stream):
                for picture in decoder.decode(packet):
                    if (picture.width, picture.height) != info.video.decoded_size:
                        return
                    yield picture
        except av.FFmpegError:  # damage is judged where all of the file is read
            return
