"""Single pictures of a file, quickly: key pictures by seeking, so that a long film takes no longer than a short one."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import islice
from types import TracebackType

import av
from av.stream import Discard
from av.video.stream import VideoStream

from rfdn_video.frame import Frame
from rfdn_video.media.reading.bounded import bounded_decoder
from rfdn_video.media.reading.cropping import cropped
from rfdn_video.media.reading.decode import Decoder, planes_of
from rfdn_video.media.reading.info import MediaInfo
from rfdn_video.media.reading.source import open_source
from rfdn_video.media.timing import TimeRange, exact

__all__ = ["Glance"]

PACKETS_TRIED = 600
"""How far behind the place sought for a key picture is looked for."""
LEAD = 1
"""Seconds before the place wanted at which reading begins where seeking may overshoot."""


class Glance:
    """Looks into a file here and there; use it in a ``with`` block.

    Args:
        info: of the file. Interlaced pictures come as they are stored.
    """

    def __init__(self, info: MediaInfo) -> None:
        self._info = info
        self._container = open_source(info.path)
        self._stream: VideoStream = next(s for s in self._container.streams.video if s.index == info.video.index)
        for stream in self._container.streams:
            stream.discard = Discard.default if stream.index == info.video.index else Discard.all
        self._decoder = bounded_decoder(self._stream, info.video)

    def __enter__(self) -> Glance:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._container.close()

    def key_picture(self, time: Fraction) -> Frame | None:
        """The key picture at or before a time in seconds on the file's own clock; None where there is none.

        Where a file cannot be sought in exactly (transport streams), it is one nearby. The same time gives the same
        picture.
        """
        tick = exact(self._stream.time_base)
        target = time if self._info.seeks_exactly else time - LEAD
        try:
            self._container.seek(int(target / tick), stream=self._stream)
            self._decoder.flush_buffers()
            for packet in islice(self._container.demux(self._stream), PACKETS_TRIED):
                if packet.is_keyframe and packet.size:
                    pictures = [*self._decoder.decode(packet), *self._decoder.decode(None)]
                    return self._frame(pictures[0], packet.pts, tick) if pictures else None
        except av.FFmpegError:
            return None
        return None

    def first_pictures(self, count: int) -> Iterator[Frame]:
        """The first pictures of the file, in order."""
        with Decoder(self._info, TimeRange(frames=count), salvage=True) as decoder:
            yield from decoder

    def _frame(self, picture: av.VideoFrame, pts: int | None, tick: Fraction) -> Frame | None:
        video = self._info.video
        if (picture.width, picture.height) != video.decoded_size:
            return None
        shown = picture.pts if picture.pts is not None else pts
        planes = cropped(planes_of(picture, video.format), video.format, video.crop)
        return Frame(planes, video.format, video.color, shown or 0, 0, tick)
