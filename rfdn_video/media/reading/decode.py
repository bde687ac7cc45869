"""From a file to frames with their time: the main video stream, decoded in order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from types import TracebackType

import av
import numpy as np
from av.codec.hwaccel import HWAccel
from av.container import InputContainer
from av.packet import Packet
from av.stream import Discard
from av.video.reformatter import Interpolation
from av.video.stream import VideoStream
from numpy.typing import NDArray

from rfdn_video.errors import DeviceError, InputError
from rfdn_video.frame import Color, Frame, PixelFormat, Planes
from rfdn_video.media.alpha import is_opaque
from rfdn_video.media.formats import ffmpeg_name
from rfdn_video.media.reading.bounded import bounded_decoder
from rfdn_video.media.reading.cropping import cropped
from rfdn_video.media.reading.deinterlace import deinterlaced
from rfdn_video.media.reading.hwaccel import check_accelerated, to_planar
from rfdn_video.media.reading.info import MediaInfo
from rfdn_video.media.reading.pixel_shapes import PixelShapes
from rfdn_video.media.reading.probe import color_of, has_captions
from rfdn_video.media.reading.source import open_source
from rfdn_video.media.reading.uncarried import uncarried_later
from rfdn_video.media.timeline import Timeline
from rfdn_video.media.timing import TimeRange, TimestampRepair, exact
from rfdn_video.stamp import Stamp

__all__ = ["DecodeReport", "Decoder", "cut_off", "none_wanted", "timeline_of"]

MAX_DAMAGED_SHARE = 0.05
SEEK_MARGIN = 10  # seconds


@dataclass
class DecodeReport:
    """What was not as it should be; all zero for a sound file.

    ``cut_packets`` are those in which the file ends, where no header has told that it ends early. Those that begin with
    ``late`` count pictures with what cannot be carried, and is not in the first ones.
    """

    damaged_packets: int = 0
    cut_packets: int = 0
    corrupt_frames: int = 0
    resized_frames: int = 0
    reshaped_frames: int = 0
    converted_frames: int = 0
    interlaced_frames: int = 0
    transparent_frames: int = 0
    repaired_timestamps: int = 0
    clock_jumps: int = 0
    late_dolby_vision: int = 0
    late_hdr10_plus: int = 0
    late_static_hdr: int = 0
    late_other_metadata: int = 0

    @property
    def harmed(self) -> bool:
        """Something was damaged, repaired or converted."""
        return bool(str(self))

    def __str__(self) -> str:
        counts = {name: count for name, count in vars(self).items() if not name.startswith("late")}
        return ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in counts.items() if count)


class Decoder:
    """Iterates over the frames of ``info.video`` within ``wanted``.

    Frames of another size or pixel format in mid-stream are converted to the first one's and
    counted; those tagged with another matrix or range say so. Planes are views of the decoder's
    memory: valid as long as the frame is held, not to be written to.

    Args:
        info: the source.
        wanted: what is given.
        salvage: damage is put up with.
        hwaccel: what decodes; None is software.
        search: it may begin at a key picture before ``wanted``; else everything from the beginning on is decoded.

    Attributes:
        report: what was wrong with the source, so far.
        skipped: pictures before ``wanted`` that were decoded, so far.
        timeline: where the source's clock may jump, for the other streams to follow; else None.

    Raises (while iterating):
        DeviceError: ``hwaccel`` does not decode it.
        InputError: the file ends early, is still written to, or more than 5 % of its packets are damaged; not where
            ``salvage``.
    """

    def __init__(
        self,
        info: MediaInfo,
        wanted: TimeRange,
        *,
        salvage: bool = False,
        hwaccel: HWAccel | None = None,
        search: bool = True,
    ) -> None:
        self.report = DecodeReport()
        self.skipped = 0
        self._info, self._search = info, search and info.seeks_exactly
        self._wanted = wanted
        self._salvage = salvage
        self._container: InputContainer = open_source(info.path, hwaccel)
        for stream in self._container.streams:
            needed = stream.index == info.video.index or (info.clock_may_jump and stream.type == "audio")
            stream.discard = Discard.default if needed else Discard.all
        self._stream = self._container.streams.video[_position(self._container, info.video.index)]
        # Threads that decode whole pictures lose a damaged one, and the one before the file's end, without a word.
        self._decoder = bounded_decoder(self._stream, info.video)
        self._decoder.thread_type = "SLICE"
        self._hwaccel = hwaccel
        if hwaccel is not None:
            check_accelerated(self._decoder, str(info.path))
        self._shapes = PixelShapes(self._decoder, info.video)
        self._tick = exact(self._stream.time_base) or info.video.time_base
        self._packets = 0
        self.timeline = timeline_of(info)
        self._stopped = False

    def __enter__(self) -> Decoder:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def stop(self) -> None:
        """Ends the iteration, from another thread too: what comes before a range can take long."""
        self._stopped = True

    def close(self) -> None:
        """Closes the file. Frames already given stay valid."""
        self._container.close()

    def __iter__(self) -> Iterator[Frame]:
        video, wanted = self._info.video, self._wanted
        pictures = self._timed()
        if video.bwdif is not None:
            pictures = deinterlaced(pictures, video.bwdif, self._tick)
        given = 0
        for picture in pictures:
            pts, duration = int(picture.pts or 0), int(picture.duration or 0)
            seconds = pts * video.time_base
            if wanted.start is not None and seconds < wanted.start:
                self.skipped += 1
                continue
            if wanted.end is not None and seconds >= wanted.end:
                return
            yield self._frame(picture, pts, duration)
            given += 1
            if given == wanted.frames:
                return
        self._check_complete()

    def _timed(self) -> Iterator[av.VideoFrame]:
        """Pictures that all have a time, each later than the one before."""
        video = self._info.video
        dts = self._info.stores_decoding_times
        repair = TimestampRepair(
            usual_duration=max(1, round(video.decoded_duration / self._tick)),
            first=round(video.first_time / self._tick),
            counts_missing=not dts,
        )
        # Where those are stored, pictures leave the decoder at the pace at which packets go in; the last ones come
        # without a packet.
        stamped = ((p, p.dts if dts else p.pts, int(p.duration or 0)) for p in self._pictures())
        for picture, pts in repair.timed(stamped):
            self.report.repaired_timestamps = repair.repaired
            self.report.corrupt_frames += picture.is_corrupt
            planar = picture if self._hwaccel is None else to_planar(picture, video.pix_fmt)
            planar.pts = pts
            if self._wanted.holds(pts * self._tick):
                self.report.reshaped_frames += self._shapes.has_changed(picture)
                self._count_changes(planar)
            yield planar

    def _pictures(self) -> Iterator[av.VideoFrame]:
        given = False
        for packet in self._demux():
            if not packet.size and packet.pts is not None:  # of Theora: the picture before is shown on
                continue
            try:
                pictures = self._shapes.decode(packet)
            except av.error.EOFError:
                return
            except av.FFmpegError as error:
                if self._hwaccel is not None and not given:
                    raise _hardware_refuses(self._info, error) from None
                self.report.damaged_packets += 1
                continue
            given = given or bool(pictures)
            yield from pictures

    def _demux(self) -> Iterator[Packet[VideoStream]]:
        """:meth:`_read`; a demuxer that gives up ends it, or counts as damage where that is put up with."""
        try:
            yield from self._read()
        except av.FFmpegError as error:
            if not self._salvage:
                raise InputError(
                    f"{self._info.path}: cannot be read beyond {self._packets} video packets "
                    f"({error.strerror}); --salvage takes what comes before"
                ) from None
            self.report.damaged_packets += 1

    def _read(self) -> Iterator[Packet[VideoStream]]:
        """All packets of the stream and, last, the empty one that flushes the decoder."""
        if self._wanted.start is not None and self._search:
            # Pictures just before an open GOP's key picture are lost after a search: they must not be wanted ones.
            target = max(Fraction(0), self._wanted.start - SEEK_MARGIN)
            self._container.seek(int(target / self._tick), stream=self._stream)
        container, stream, timeline = self._container, self._stream, self.timeline
        for packet in container.demux(stream) if timeline is None else timeline.lead(container, stream):
            if self._stopped:
                return
            self._packets += packet.size > 0
            # Where the file ends in the midst of it; of streams over the air FFmpeg calls others corrupt, too.
            known = self._info.missing_bytes or self._info.time_origin_is_arbitrary
            self.report.cut_packets += packet.is_corrupt and not known
            if packet.is_keyframe and self._wanted.end is None and self._wanted.frames is None:
                self._check_unchanged()
            if timeline is not None:
                self.report.clock_jumps = timeline.jumps
            yield packet

    def _frame(self, picture: av.VideoFrame, pts: int, duration: int) -> Frame:
        video = self._info.video
        if (picture.width, picture.height) != video.decoded_size:
            picture = picture.reformat(*video.decoded_size, interpolation=Interpolation.BICUBIC)
        planes = cropped(planes_of(picture, video.format), video.format, video.crop)
        captioned = picture if has_captions(picture) else None
        return Frame(planes, video.format, self._color(picture), pts, duration, video.time_base, captioned)

    def _color(self, picture: av.VideoFrame) -> Color:
        """The stream's; but tags may change on the way, and then they count for the arithmetic."""
        video = self._info.video
        own = color_of(picture, video.format, video.color)
        return replace(own, primaries=video.color.primaries, transfer=video.color.transfer)

    def _count_changes(self, picture: av.VideoFrame) -> None:
        """Of a picture as it is stored: the deinterlacer makes all of one kind."""
        video = self._info.video
        same_format = picture.format.name.replace("yuvj", "yuv") == video.pix_fmt.replace("yuvj", "yuv")
        self.report.resized_frames += (picture.width, picture.height) != video.decoded_size
        self.report.converted_frames += not same_format or self._color(picture) != video.color
        self.report.interlaced_frames += picture.interlaced_frame and video.bwdif is None
        self.report.transparent_frames += not video.format.alpha and not is_opaque(picture)
        for name in uncarried_later(video, picture):
            setattr(self.report, name, getattr(self.report, name) + 1)

    def _check_complete(self) -> None:
        """The pictures have run out: is that the end of the video, and was it sound?"""
        if self._salvage or self._stopped:
            return
        self._check_unchanged()
        path, indexed = self._info.path, len(self._stream.index_entries)
        # An MP4's index knows how many packets there are.
        missing = self._info.container.startswith("mov") and self._wanted.start is None and self._packets < indexed
        if missing or self._info.missing_bytes or self.report.cut_packets:
            raise InputError(cut_off(self._info))
        if self.report.damaged_packets > MAX_DAMAGED_SHARE * self._packets:
            raise InputError(
                f"{path}: {self.report.damaged_packets} of {self._packets} video packets are damaged; "
                f"up to {MAX_DAMAGED_SHARE:.0%} are put up with, --salvage takes what can be decoded of any file"
            )

    def _check_unchanged(self) -> None:
        """Most containers do not say where they end: what reads a file that grows takes any place for it."""
        then, now = self._info.stamp, Stamp.of(self._info.path)
        if self._salvage or then is None or now is None or then == now:
            return
        what = f"has grown from {then.size} to {now.size} bytes" if now.size > then.size else "has changed"
        raise InputError(
            f"{self._info.path}: {what} while it was read; wait until nothing writes to it, "
            "take a part of what is there with --end or --frames, or all of it with --salvage"
        )


def _hardware_refuses(info: MediaInfo, error: av.FFmpegError) -> DeviceError:
    return DeviceError(
        f"{info.path}: the hardware decoder does not take {info.video.codec} {info.video.width}x{info.video.height} "
        f"{info.video.pix_fmt} ({error.strerror}); leave --hwaccel away"
    )


def timeline_of(info: MediaInfo) -> Timeline | None:
    """Of a source whose clock may jump, to be led; None for others."""
    if not info.clock_may_jump:
        return None
    return Timeline(info.video.decoded_duration, only_backward=not info.time_origin_is_arbitrary)


def cut_off(info: MediaInfo) -> str:
    """Says that a file ends early, and what can be done."""
    missing = f", {info.missing_bytes} or more bytes are missing" if info.missing_bytes else ""
    return (
        f"{info.path}: the file ends early{missing}; get a complete copy, "
        "take a part of what is there with --end or --frames, or all of it with --salvage"
    )


def none_wanted(info: MediaInfo) -> InputError:
    """For a range without a picture."""
    return InputError(f"{info.path}: no pictures in the part that was asked for")


def _position(container: InputContainer, index: int) -> int:
    return [stream.index for stream in container.streams.video].index(index)


def planes_of(picture: av.VideoFrame, layout: PixelFormat) -> Planes:
    """The samples of a picture in ``layout``; views without a copy where it is in that layout already."""
    if picture.format.name.replace("yuvj", "yuv") != ffmpeg_name(layout):
        # With more threads swscale was seen to overwrite pixels where their slices meet (p010le).
        picture = picture.reformat(format=ffmpeg_name(layout), threads=1)
    size = np.dtype(layout.dtype).itemsize
    planes: list[NDArray[np.uint8 | np.uint16]] = []
    for plane in picture.planes:
        samples: NDArray[np.uint8 | np.uint16] = np.frombuffer(plane, layout.dtype)
        planes.append(samples.reshape(plane.height, plane.line_size // size)[:, : plane.width])
    return tuple(planes)
