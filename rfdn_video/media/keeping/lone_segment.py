"""A segment that is encoded by itself, wherever: its packets in a file, its times beside them."""

from __future__ import annotations

import hashlib
import io
from array import array
from dataclasses import dataclass
from pathlib import Path

import av

from rfdn_video.frame import Frame
from rfdn_video.media.encoding.target import Target
from rfdn_video.media.encoding.video_encoder import MakeEncoder
from rfdn_video.media.keeping.recording import Recording
from rfdn_video.media.layout import VideoLayout

__all__ = ["Encoded", "LoneSegment"]


@dataclass(frozen=True)
class Encoded:
    """What a segment has come to.

    Attributes:
        pts: when its pictures are shown on the source's clock, in ticks of the layout's time base.
        durations: how long, in the same ticks; 0 where unknown.
        captioned: how many pictures had closed captions.
        size, digest: of the file of packets, in bytes, and its BLAKE2b.
        parameter_sets: BLAKE2b of what the encoder put into its header.
    """

    pts: array[int]
    durations: array[int]
    captioned: int
    size: int
    digest: str
    parameter_sets: str


class LoneSegment:
    """Encodes pictures from a key picture on; the times in its packets count from its first picture.

    Args:
        path: of the file of packets, which is made.
        make, target, layout: the encoder, and what it is opened with.
    """

    def __init__(self, path: Path, make: MakeEncoder, target: Target, layout: VideoLayout) -> None:
        self._keeps_time = target.container.keeps_time
        self._pts, self._durations, self._captioned = array("q"), array("q"), 0
        self._unwritten = av.open(io.BytesIO(), "w", format=target.container.muxer)
        try:
            self._encoder = make(self._unwritten, target, layout)
            self._recording = Recording(path)
        except BaseException:
            self._unwritten.close()
            raise

    def write(self, frame: Frame) -> None:
        """Encodes a picture.

        Raises:
            OutputError, OSError: the encoder or the disk refuses.
        """
        self._pts.append(frame.pts)
        self._durations.append(frame.duration)
        self._captioned += frame.captioned is not None
        pts = frame.pts - self._pts[0] if self._keeps_time else len(self._pts) - 1
        for packet in self._encoder.encode(frame, pts):
            self._recording.write(packet)

    def finish(self) -> Encoded:
        """Flushes the encoder, and waits until all is on the disk.

        Raises:
            OutputError, OSError: the encoder or the disk refuses.
        """
        if self._pts:
            for packet in self._encoder.flush():
                self._recording.write(packet)
        size, digest = self._recording.complete()
        sets = parameter_sets(self._encoder.stream.codec_context.extradata)
        return Encoded(self._pts, self._durations, self._captioned, size, digest, sets)

    def close(self) -> None:
        """Frees what it holds, whatever state it is in."""
        self._recording.close()
        self._encoder.close()
        self._unwritten.close()


def parameter_sets(header: bytes | None) -> str:
    """BLAKE2b of an encoder's header, in hexadecimal."""
    return hashlib.blake2b(header or b"", digest_size=16).hexdigest()
