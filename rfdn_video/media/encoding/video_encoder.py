"""The encoder behind an output: frames in, packets for the container out."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Protocol

import av
from av.codec.context import Flags
from av.container import OutputContainer
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType
from av.video.reformatter import Interpolation
from av.video.stream import VideoStream

from rfdn_video.errors import OutputError
from rfdn_video.frame import Color, Frame
from rfdn_video.media.encoding.encoders import traits_of
from rfdn_video.media.encoding.pack import pack
from rfdn_video.media.encoding.parameters import check_parameters
from rfdn_video.media.encoding.priority import usual_priority
from rfdn_video.media.encoding.target import Target, advice, check_size, container_advice
from rfdn_video.media.layout import VideoLayout
from rfdn_video.media.libav_log import cause_of, errors_logged

__all__ = ["REORDERED", "LibavEncoder", "MakeEncoder", "VideoEncoder", "check_declared", "tag"]

REORDERED = 3
"""So many pictures are the fewest that are decoded in another order than they are shown in. Of fewer than it looks
ahead, x265 4.3 gives out decoding times that it has never set."""


class VideoEncoder(Protocol):
    """Makes packets of frames.

    Attributes:
        stream: of the output container that the packets belong to.
        codec: what is in them.
    """

    stream: VideoStream
    codec: str

    def encode(self, frame: Frame, pts: int) -> Iterable[Packet[VideoStream]]:
        """Takes a frame, to be shown at ``pts`` ticks of the layout's time base; gives the packets that are ready.

        Raises:
            OutputError: the encoder refuses, or has come to grief.
        """

    def flush(self) -> Iterable[Packet[VideoStream]]:
        """Gives all packets that are left. No frame may come after it."""

    def close(self) -> None:
        """Frees what it holds, whatever state it is in."""


type MakeEncoder = Callable[[OutputContainer, Target, VideoLayout], VideoEncoder]
"""An encoder's class: declares its stream in a container."""


class LibavEncoder:
    """An encoder of the libraries that come with PyAV.

    Raises:
        OutputError: it cannot be opened for these pictures, does not know an option, or the container
            cannot hold what it makes.
    """

    def __init__(self, container: OutputContainer, target: Target, layout: VideoLayout) -> None:
        self._target, self._layout = target, layout
        check_size(target, layout.width, layout.height)
        self.stream = self._declare(container)
        context = self.stream.codec_context
        context.width, context.height, context.pix_fmt = layout.width, layout.height, target.pix_fmt
        context.time_base = layout.time_base
        context.flags |= int(Flags.frame_duration)
        context.sample_aspect_ratio = layout.sample_aspect_ratio
        tag(context, layout.color)
        if context.name == "libx264":
            context.thread_type = "FRAME"  # PyAV asks for slices, which cost 4 % more bits
        if context.codec.canonical_name == "hevc" and target.container.name in ("mp4", "mov"):
            context.codec_tag = "hvc1"  # what Apple's players insist on
        self._open(context)
        context.sample_aspect_ratio = layout.sample_aspect_ratio  # opening it unsets shapes that look absurd
        self.codec = context.codec.canonical_name
        self._count = 0

    def encode(self, frame: Frame, pts: int) -> Iterable[Packet[VideoStream]]:
        """See :class:`VideoEncoder`."""
        check_declared(frame, self._layout)  # encode() would rescale in silence
        picture = self._blank(frame)
        pack(frame.planes, picture)
        picture.pts, picture.time_base, picture.duration = pts, self._layout.time_base, frame.duration
        tag(picture, self._layout.color)
        self._count += 1
        return self.stream.encode(picture)

    def _blank(self, frame: Frame) -> av.VideoFrame:
        """A picture to be filled, with the captions of its source: only scaling hands such data on."""
        if not isinstance(frame.captioned, av.VideoFrame) or not traits_of(self._target.encoder).captions:
            return av.VideoFrame(frame.width, frame.height, self._target.pix_fmt)
        picture = frame.captioned.reformat(
            frame.width, frame.height, self._target.pix_fmt, interpolation=Interpolation.POINT
        )
        picture.pict_type = PictureType.NONE  # else the encoder would repeat the source's choice
        return picture

    def flush(self) -> Iterable[Packet[VideoStream]]:
        """See :class:`VideoEncoder`."""
        for packet in self.stream.encode(None):
            if self._count < REORDERED:
                packet.dts = packet.pts
            yield packet

    def close(self) -> None:
        """Its memory is the container's."""

    def _declare(self, container: OutputContainer) -> VideoStream:
        target = self._target
        try:
            stream = container.add_stream(target.encoder, rate=self._layout.frame_rate, options=dict(target.options))
        except ValueError:
            raise OutputError(
                f"{target.container.name} cannot hold video of {target.encoder}; {container_advice(target)}"
            ) from None
        assert isinstance(stream, VideoStream)
        return stream

    def _open(self, context: VideoCodecContext) -> None:
        target, layout = self._target, self._layout
        try:
            with usual_priority(), _quiet_svt_av1(), errors_logged(av.logging.WARNING) as log:
                context.open()
        except (av.FFmpegError, ValueError, OSError) as error:
            errors = [entry for entry in log if entry[0] <= av.logging.ERROR]
            raise OutputError(
                f"encoder {target.encoder} cannot be used here for {layout.width}x{layout.height} {target.pix_fmt}: "
                f"{cause_of(error, errors)}; {advice(target)}"
            ) from None
        unknown = set(context.options) & set(target.options)
        if unknown:
            raise OutputError(f"encoder {target.encoder} does not know the option {sorted(unknown)[0]!r}")
        check_parameters(target, (text for _, _, text in log))


def tag(what: VideoCodecContext | av.VideoFrame, color: Color) -> None:
    """Most encoders read the context, ProRes the frame."""
    what.colorspace = int(color.matrix)
    what.color_range = 2 if color.full_range else 1
    what.color_primaries = color.primaries
    what.color_trc = color.transfer
    if isinstance(what, av.VideoFrame):
        what.chroma_location = int(color.chroma_location)
    else:
        what.chroma_sample_location = int(color.chroma_location)


def check_declared(frame: Frame, layout: VideoLayout) -> None:
    """Refuses a frame of another size than the output was opened for."""
    if (frame.width, frame.height) != (layout.width, layout.height):
        raise OutputError(f"a frame of {frame.width}x{frame.height} came, {layout.width}x{layout.height} was declared")


@contextmanager
def _quiet_svt_av1() -> Iterator[None]:
    """SVT-AV1 tells standard error of its life unless this variable, which it reads when it is opened, forbids it."""
    if "SVT_LOG" in os.environ:
        yield
        return
    os.environ["SVT_LOG"] = "1"  # errors only
    try:
        yield
    finally:
        del os.environ["SVT_LOG"]
