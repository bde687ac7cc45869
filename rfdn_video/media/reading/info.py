"""What is in a media file, as media/reading/probe.py finds it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from rfdn_video.frame import Color, PixelFormat
from rfdn_video.media.hdr import NO_HDR, HDRMetadata
from rfdn_video.media.reading.cropping import NO_CROP, Crop
from rfdn_video.media.timecode import Timecode
from rfdn_video.stamp import Stamp

__all__ = ["MediaInfo", "OtherStream", "VideoInfo"]


@dataclass(frozen=True)
class VideoInfo:
    """The video stream that will be enlarged, as its first pictures show it.

    Attributes:
        index: of the stream in the file; -1 where a script computes it and no file with video goes with it.
        codec: FFmpeg's codec name, such as ``"h264"``.
        lossless: the codec never loses anything (FFV1, raw, PNG ...).
        width, height: of the picture that is shown, in pixels: decoded, then cropped.
        pix_fmt: FFmpeg's name of the decoded samples.
        format, color: how they are processed; decided where the tags leave something open.
        tagged_matrix: what the tags say of the matrix (2 is unspecified).
        time_base: unit of the timestamps, in seconds.
        frame_rate: average or guessed rate, for display, estimates and rate control only.
        rate_is_said: it comes from the file; False where a bare bitstream has neither times nor a rate.
        frame_count: the header's claim or an estimate; None where there is neither. Never trusted.
        sample_aspect_ratio: shape of a pixel, width : height.
        display_matrix: the 3x3 matrix of the container, or else of the bitstream, as 9 integers, or None.
        dropped_metadata: kinds of picture metadata that are not carried over.
        hdr: mastering display and light level.
        captioned: closed captions lie in one of the first pictures.
        crop: what the container takes off the decoded picture.
        qp: mean quantiser of its pictures on the scale of 8-bit H.264, 0 to 51; None where the bitstream does not say.
        first_time: when its first picture is shown, in seconds; counted back from the next ones where it does not say.
        timecode: how its pictures are labelled, as they are stored; None where they are not.
        interlaced: some of its pictures are, as far as one has looked.
        field_order: FFmpeg's number of it where the stream says that all of it is interlaced; else None.
        bwdif: options of the filter that makes its interlaced pictures whole, where that was asked for; then
            ``time_base`` is that behind it, and so are ``frame_rate`` and ``frame_count`` where it is interlaced.
    """

    index: int
    codec: str
    lossless: bool
    width: int
    height: int
    pix_fmt: str
    format: PixelFormat
    color: Color
    tagged_matrix: int
    time_base: Fraction
    frame_rate: Fraction
    frame_count: int | None
    sample_aspect_ratio: Fraction
    display_matrix: tuple[int, ...] | None
    dropped_metadata: tuple[str, ...]
    hdr: HDRMetadata = NO_HDR
    captioned: bool = False
    crop: Crop = NO_CROP
    qp: float | None = None
    rate_is_said: bool = True
    first_time: Fraction = Fraction(0)
    timecode: Timecode | None = None
    interlaced: bool = False
    field_order: int | None = None
    bwdif: str | None = None

    @property
    def decoded_size(self) -> tuple[int, int]:
        """(width, height) of a picture before the container's cropping."""
        return self.crop.around(self.width, self.height)

    @property
    def decoded_duration(self) -> Fraction:
        """Of a picture as it is stored, usually, in seconds."""
        fields = 2 if self.interlaced and self.bwdif is not None and "send_field" in self.bwdif else 1
        return fields / self.frame_rate

    @property
    def turned(self) -> bool:
        """Width and height change places when the picture is shown (rotated by 90 or 270 degrees)."""
        return self.display_matrix is not None and self.display_matrix[0] == 0 and self.display_matrix[1] != 0


@dataclass(frozen=True)
class OtherStream:
    """A stream that is not enlarged: carried over packet for packet, or dropped with a reason.

    Attributes:
        kind: ``"audio"``, ``"subtitle"``, ``"attachment"``, ``"cover"``, ``"video"``, ``"data"``, or what is
            carried as a tag or list instead: ``"timecode"``, ``"chapters"``.
        drop_reason: why it cannot be carried whatever the output is; None where it can.
    """

    index: int
    kind: str
    codec: str
    language: str | None
    drop_reason: str | None


@dataclass(frozen=True)
class MediaInfo:
    """What :func:`rfdn_video.media.reading.probe.probe` found.

    Attributes:
        path: as given.
        sides: file that all but the pictures comes from: ``path`` itself, or what goes with a script, if anything.
        container: FFmpeg's name of the demuxer, such as ``"matroska,webm"``.
        start_time: of the whole presentation, in seconds.
        duration: the header's claim in seconds; None where it makes none.
        video: the stream to enlarge.
        others: all other streams.
        chapters: how many.
        tags: what the file says of itself in words.
        missing_bytes: how much of the file's end is missing, at least, as its head and tail say.
        looked: bytes of ``sides`` that FFmpeg has to look at to know all its streams; None are its usual ones.
        stamp: of the file before it was opened; None where nobody minds that it changes.
    """

    path: Path
    sides: Path | None
    container: str
    start_time: Fraction
    duration: Fraction | None
    video: VideoInfo
    others: tuple[OtherStream, ...]
    chapters: int
    tags: Mapping[str, str]
    missing_bytes: int = 0
    looked: int | None = None
    stamp: Stamp | None = None

    @property
    def seeks_exactly(self) -> bool:
        """A search lands on a key picture at or before the place; elsewhere one reads from the beginning."""
        return self.container.startswith(("matroska", "mov"))

    @property
    def stores_decoding_times(self) -> bool:
        """It counts pictures in the order they are stored in; FFmpeg's guess when each is shown can be wrong."""
        return self.container == "avi"

    @property
    def time_origin_is_arbitrary(self) -> bool:
        """MPEG transport and program streams count from wherever the recording began."""
        return self.container in ("mpegts", "mpeg")

    @property
    def clock_may_jump(self) -> bool:
        """Its packets' times may start again on the way, as where recordings were joined."""
        return self.time_origin_is_arbitrary or self.container == "flv"
