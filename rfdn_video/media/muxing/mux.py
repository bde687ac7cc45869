"""The output: encodes frames and writes them beside the copied streams.

Everything is declared and the header written before the first frame is decoded, so that what a
container or encoder refuses is found at once.
"""

from __future__ import annotations

import errno
import hashlib
from array import array
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import av
from av.container import OutputContainer
from av.packet import Packet
from av.video.stream import VideoStream

from rfdn_video.errors import OutputError
from rfdn_video.frame import Frame
from rfdn_video.media.encoding.ffmpeg_encoder import FFmpegEncoder
from rfdn_video.media.encoding.ffmpeg_program import FFmpegBuild
from rfdn_video.media.encoding.hdr_encoder import HDREncoder
from rfdn_video.media.encoding.target import Target, container_advice
from rfdn_video.media.encoding.video_encoder import LibavEncoder, MakeEncoder, VideoEncoder
from rfdn_video.media.keeping.joined_encoder import FinishedSegment, JoinedEncoder
from rfdn_video.media.keeping.segmented_encoder import SegmentedEncoder
from rfdn_video.media.keeping.segments import Segments
from rfdn_video.media.layout import VideoLayout
from rfdn_video.media.libav_log import cause_of, errors_logged
from rfdn_video.media.muxing.carriers import Record
from rfdn_video.media.muxing.chapters import chapters_within
from rfdn_video.media.muxing.finishing import Finishing
from rfdn_video.media.muxing.payload import payload
from rfdn_video.media.muxing.side_streams import SideStreams
from rfdn_video.media.muxing.streams import CarriedStream
from rfdn_video.media.muxing.tags import carried_tags, holds_timecode, track_tags
from rfdn_video.media.reading.info import MediaInfo
from rfdn_video.media.reading.source import open_source
from rfdn_video.media.timeline import Timeline
from rfdn_video.media.timing import TimeRange

if TYPE_CHECKING:
    from av.container.core import Chapter

__all__ = ["Output", "Written", "encoder_of"]

# Neither container nor encoder is to blame for these.
_OF_THE_DISK = frozenset((errno.EDQUOT, errno.EIO, errno.ENOSPC, errno.EPIPE, errno.EROFS))


@dataclass
class Written:
    """What went into the output, for the check of the finished file.

    Attributes:
        layout: of the video.
        pts: of every video frame in the output, in ticks of ``layout.time_base``.
        last_duration: of the last frame, in the same ticks; 0 where unknown.
        side_streams: the other streams.
        chapters: how many.
        captioned: how many frames had closed captions.
        moved: how many frames are shown half a frame or more beside their time, as the container holds none.
        digest: of the encoded pictures, see :mod:`rfdn_video.media.muxing.payload`.
    """

    layout: VideoLayout
    side_streams: list[Record]
    chapters: int = 0
    pts: array[int] = field(default_factory=lambda: array("q"))
    last_duration: int = 0
    captioned: int = 0
    moved: int = 0
    digest: Any = field(default_factory=lambda: hashlib.blake2b(digest_size=16))


class Output:
    """Writes one file or pipe.

    Args:
        file: path of a file that may be created, or a binary stream (then nothing is sought in it).
        target: container and encoder.
        layout: of the video.
        info: the source, for its metadata and chapters.
        streams: those that go along.
        wanted: the part of the source that the frames come from.
        timeline: of the decoder, where the source's clock may jump.
        segments: keep what is finished of the video, or have it from before; None makes one piece of it. A list is
            all of the video, made elsewhere.
        salvage: a source that cannot be read any further ends there.

    Raises:
        OutputError: when the encoder, or the container with these streams, refuses.
    """

    def __init__(
        self,
        file: str | BinaryIO,
        target: Target,
        layout: VideoLayout,
        info: MediaInfo,
        streams: tuple[CarriedStream, ...],
        wanted: TimeRange,
        timeline: Timeline | None = None,
        segments: Segments | Sequence[FinishedSegment] | None = None,
        *,
        salvage: bool = False,
    ) -> None:
        self._file, self._target, self._layout, self._wanted = file, target, layout, wanted
        self._origin: Fraction | None = None
        self._first: Fraction | None = None
        self._base = info.start_time if info.time_origin_is_arbitrary else Fraction(0)
        self._durations: dict[int, int] = {}
        self._finished = False
        self._container = _open(file, target)
        self._start_time, self._timecode = info.start_time, info.video.timecode
        self._chapters: list[Chapter] = []
        self._resources = ExitStack()
        self._side_streams = SideStreams(info, streams, wanted, timeline, salvage=salvage)
        self._resources.callback(self._side_streams.close)
        self.written = Written(layout, self._side_streams.records)
        try:
            self._encoder: VideoEncoder = _open_encoder(self._container, target, layout, segments)
            self._resources.callback(self._encoder.close)
            self._describe(self._encoder.stream, info)
            self._side_streams.declare(self._container, target.container.name)
            self._copy_metadata(info)
            self._write_header()
        except BaseException:
            self.abort()
            raise

    def write(self, frame: Frame) -> None:
        """Encodes one frame, after all copied packets that come before it.

        Raises:
            OutputError: the encoder or the disk refuses.
        """
        time = frame.pts * frame.time_base
        if self._origin is None:
            self._origin = self._choose_origin(time)
        keeps_time = self._target.container.keeps_time
        pts = frame.pts - round(self._origin / frame.time_base) if keeps_time else len(self.written.pts)
        if not keeps_time:
            self._first = time if self._first is None else self._first
            self.written.moved += abs(time - self._first - pts * self._layout.time_base) >= self._layout.time_base / 2
        self._durations[pts] = frame.duration
        self.written.pts.append(pts)
        self.written.last_duration = frame.duration
        self.written.captioned += frame.captioned is not None
        try:
            self._side_streams.advance(self._container, time, self._origin)
            self._mux(self._encoder.encode(frame, pts))
        except (av.FFmpegError, OSError) as error:
            raise _write_error(error) from None

    def finish(self, end: Fraction | None = None) -> None:
        """Flushes the encoder and copies what is left (before ``end`` seconds where given); no frame may follow.

        Raises:
            OutputError: the encoder or the disk refuses.
        """
        try:
            self._finished = True
            self._mux(self._encoder.flush())
            self._side_streams.finish(self._container, end, self._origin or Fraction(0))
            if not self._wanted.whole:
                start = self._wanted.start if self._wanted.start is not None else self._start_time
                self._set_chapters(chapters_within(self._chapters, start, end, self._origin or Fraction(0)))
        except (av.FFmpegError, OSError) as error:
            raise _write_error(error) from None

    def close(self) -> None:
        """Ends the file, after :meth:`finish` if that has not been called. MP4 is written once more for that.

        Raises:
            OutputError: the encoder or the disk refuses.
        """
        try:
            if not self._finished:
                self.finish()
            finishing = Finishing.of(self._container, self._target.container.name, self._layout)
            self._container.close()
            if isinstance(self._file, str):
                finishing.apply(Path(self._file))
        except (av.FFmpegError, OSError) as error:
            raise _write_error(error) from None
        finally:
            self._resources.close()

    def abort(self) -> None:
        """Closes everything without caring for the result."""
        self._resources.close()
        try:
            self._container.close()
        except (av.FFmpegError, OSError, ValueError):
            return  # the result is thrown away

    def _choose_origin(self, first: Fraction) -> Fraction:
        """What is subtracted from all times: the range's start, else the recording's arbitrary origin.

        Never so little that the first picture would come before 0: MP4 would not show it.
        """
        origin = self._wanted.start if self._wanted.start is not None else self._base
        return min(origin, first) if first >= 0 else first

    def _describe(self, stream: VideoStream, info: MediaInfo) -> None:
        """What the container says of the video, beside what the encoder knows."""
        if self._layout.display_matrix is not None:
            self._check_display_matrix(self._layout.display_matrix)
            stream.set_display_matrix(list(self._layout.display_matrix))
        if info.sides is not None and info.video.index >= 0:
            with open_source(info.sides) as source:
                tags = track_tags(source.streams[info.video.index].metadata, self._target.container.name)
                stream.metadata.update(self._tags(tags))
                stream.disposition = source.streams[info.video.index].disposition

    def _check_display_matrix(self, matrix: tuple[int, ...]) -> None:
        """Matroska stores an angle and a reflection, no stretching (16.16 fixed point: 1 is 65536)."""
        stretched = any(abs(value) not in (0, 1 << 16) for value in (*matrix[0:2], *matrix[3:5]))
        if stretched and self._target.container.name in ("mkv", "webm"):
            raise OutputError(
                f"{self._target.container.name} cannot hold the display matrix of this video, which stretches it; "
                "write to .mp4 or .mov"
            )

    def _copy_metadata(self, info: MediaInfo) -> None:
        if info.sides is None:
            return
        with open_source(info.sides) as source:
            self._container.metadata.update(self._tags(source.metadata))
            if self._target.container.keeps_tags:
                self._chapters = source.chapters()
        if self._wanted.whole:  # else how long the part is shows at its end
            self._set_chapters(self._chapters)

    def _tags(self, tags: Mapping[str, str]) -> dict[str, str]:
        """A timecode labels the first picture, so that of a part is a later one."""
        kept, timecode = carried_tags(tags), self._timecode
        if timecode is None:
            return kept
        if not holds_timecode(self._target.container, timecode, self._layout.frame_rate):
            return {key: value for key, value in kept.items() if key.lower() != "timecode"}
        label = timecode.label if self._wanted.start is None else timecode.at(self._wanted.start)
        return {key: label if key.lower() == "timecode" else value for key, value in kept.items()}

    def _set_chapters(self, chapters: list[Chapter]) -> None:
        if chapters:
            self._container.set_chapters(chapters)
            self.written.chapters = len(chapters)

    def _write_header(self) -> None:
        target = self._target
        try:
            with errors_logged() as log:
                self._container.start_encoding()
        except (av.FFmpegError, ValueError, OSError) as error:
            if getattr(error, "errno", None) in _OF_THE_DISK:
                raise _write_error(error) from None
            raise OutputError(
                f"{target.container.name} with {target.encoder} at {self._layout.width}x{self._layout.height} is "
                f"refused: {cause_of(error, log)}; {container_advice(target)}"
            ) from None

    def _mux(self, packets: Iterable[Packet[VideoStream]]) -> None:
        for packet in packets:
            duration = self._durations.pop(packet.pts, 0) if packet.pts is not None else 0
            packet.duration = packet.duration or duration  # SVT-AV1 gives none
            self.written.digest.update(payload(self._encoder.codec, bytes(packet)))
            self._container.mux(packet)


def _open(file: str | BinaryIO, target: Target) -> OutputContainer:
    try:
        return av.open(file, "w", format=target.container.muxer, container_options=dict(target.container.options))
    except (av.FFmpegError, OSError) as error:
        raise _write_error(error) from None


def _open_encoder(
    container: OutputContainer,
    target: Target,
    layout: VideoLayout,
    segments: Segments | Sequence[FinishedSegment] | None,
) -> VideoEncoder:
    make = encoder_of(target)
    encoder = HDREncoder(make, container, target, layout) if layout.hdr else make(container, target, layout)
    if isinstance(segments, Segments):
        return SegmentedEncoder(encoder, make, target, layout, segments)
    return encoder if segments is None else JoinedEncoder(encoder, segments, layout.time_base)


def encoder_of(target: Target) -> MakeEncoder:
    """What opens the encoder of a target."""
    return FFmpegEncoder if isinstance(target.build, FFmpegBuild) else LibavEncoder


def _write_error(error: Exception) -> OutputError:
    return OutputError(f"the output cannot be written: {getattr(error, 'strerror', None) or error}")
