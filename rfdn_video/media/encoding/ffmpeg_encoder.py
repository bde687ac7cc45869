"""Encoders of the ffmpeg program; :mod:`rfdn_video.media.encoding.ffmpeg_process` runs it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import Any

from av.container import InputContainer, OutputContainer
from av.packet import Packet
from av.video.stream import VideoStream

from rfdn_video.errors import OutputError
from rfdn_video.frame import Frame
from rfdn_video.media.encoding.black import black_frames
from rfdn_video.media.encoding.decoding_times import DecodingTimes
from rfdn_video.media.encoding.ffmpeg_process import FFmpegProcess
from rfdn_video.media.encoding.ffmpeg_program import FFmpegBuild
from rfdn_video.media.encoding.parameters import check_parameters
from rfdn_video.media.encoding.target import Target, check_size, container_advice
from rfdn_video.media.encoding.video_encoder import tag
from rfdn_video.media.layout import VideoLayout
from rfdn_video.media.timing import exact

__all__ = ["FFmpegEncoder"]


class FFmpegEncoder:
    """See :class:`rfdn_video.media.encoding.video_encoder.VideoEncoder`.

    A container wants to know the encoder's parameter sets before the first picture, so one black picture is
    encoded for them, by the same command.

    Raises:
        OutputError: the program or its encoder refuses, or the container cannot hold what it makes.
    """

    def __init__(self, container: OutputContainer, target: Target, layout: VideoLayout) -> None:
        check_size(target, layout.width, layout.height)
        FFmpegBuild().check_options(target.encoder, target.options)
        self._target, self._layout = target, layout
        self._process: FFmpegProcess | None = None
        self._times = DecodingTimes()
        trial = FFmpegProcess(target, layout)
        try:
            for frame in black_frames(target.layout, layout, 1):
                trial.feed(frame, 0)
            list(trial.finish())
            check_parameters(target, trial.warnings())
            self.stream = self._declare(container, trial.source)
        finally:
            trial.close()

    def encode(self, frame: Frame, pts: int) -> Iterable[Packet[VideoStream]]:
        """See :class:`VideoEncoder`."""
        if self._process is None:
            self._process = FFmpegProcess(self._target, self._layout)
        self._times.show(pts)
        self._process.feed(frame, pts)
        return self._ours(self._process.ready())

    def flush(self) -> Iterable[Packet[VideoStream]]:
        """See :class:`VideoEncoder`."""
        if self._process is None:
            return
        yield from self._ours(self._process.finish())
        yield from self._times.flush()

    def close(self) -> None:
        """No process is left."""
        if self._process is not None:
            self._process.close()

    def _declare(self, container: OutputContainer, source: InputContainer | None) -> VideoStream:
        """The stream as the program describes it, and with what NUT does not hold."""
        assert source is not None
        template, layout = source.streams.video[0], self._layout
        self.codec = template.codec_context.codec.canonical_name
        try:
            stream = container.add_stream_from_template(template, opaque=True)
        except ValueError:
            raise OutputError(
                f"{self._target.container.name} cannot hold video of {self._target.encoder}; "
                f"{container_advice(self._target)}"
            ) from None
        stream.time_base = layout.time_base
        context = stream.codec_context
        context.framerate = layout.frame_rate
        context.sample_aspect_ratio = layout.sample_aspect_ratio
        tag(context, layout.color)
        if self.codec == "hevc" and self._target.container.name in ("mp4", "mov"):
            context.codec_tag = "hvc1"  # what Apple's players insist on
        return stream

    def _ours(self, packets: Iterable[Packet[Any]]) -> Iterator[Packet[VideoStream]]:
        """Packets in the layout's ticks; how long each is shown is known better here."""
        for packet in packets:
            ratio = Fraction(exact(packet.time_base) or 1) / self._layout.time_base
            if packet.pts is None or (packet.pts * ratio).denominator != 1:
                raise OutputError(f"encoder {self._target.encoder} of the ffmpeg program does not keep timestamps")
            first = packet.dts is None
            packet.pts = int(packet.pts * ratio)
            packet.time_base, packet.duration, packet.stream = self._layout.time_base, 0, self.stream
            yield from self._times.next(packet, is_early=first)
