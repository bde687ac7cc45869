"""Encoders of the ffmpeg program: raw pictures go there as NUT with their timestamps, packets come back as NUT."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Iterator
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from queue import SimpleQueue
from tempfile import TemporaryFile
from threading import Thread
from typing import Any

import av
import ffmpeg
from av.container import InputContainer, OutputContainer
from av.packet import Packet
from av.video.stream import VideoStream

from rfdn_video.errors import OutputError
from rfdn_video.frame import Frame
from rfdn_video.media.black import black_frames
from rfdn_video.media.builds import LibavBuild
from rfdn_video.media.ffmpeg_program import FFmpegBuild
from rfdn_video.media.formats import ffmpeg_name
from rfdn_video.media.layout import VideoLayout
from rfdn_video.media.target import Target, advice, check_size, choose_container, container_advice
from rfdn_video.media.timing import exact
from rfdn_video.media.video_encoder import LibavEncoder

__all__ = ["FFmpegEncoder"]


class FFmpegEncoder:
    """See :class:`rfdn_video.media.video_encoder.VideoEncoder`.

    A container wants to know the encoder's parameter sets before the first picture, so one black picture is
    encoded for them, by the same command.

    Raises:
        OutputError: the program or its encoder refuses, or the container cannot hold what it makes.
    """

    def __init__(self, container: OutputContainer, target: Target, layout: VideoLayout) -> None:
        check_size(target, layout.width, layout.height)
        self._target, self._layout = target, layout
        self._process: _Process | None = None
        trial = _Process(target, layout)
        try:
            for frame in black_frames(target.layout, layout, 1):
                trial.feed(frame, 0)
            list(trial.finish())
            self.stream = self._declare(container, trial.source)
        finally:
            trial.close()

    def _declare(self, container: OutputContainer, source: InputContainer | None) -> VideoStream:
        assert source is not None
        template = source.streams.video[0]
        self.codec = template.codec_context.codec.canonical_name
        try:
            stream = container.add_stream_from_template(template, opaque=True)
        except ValueError:
            raise OutputError(
                f"{self._target.container.name} cannot hold video of {self._target.encoder}; "
                f"{container_advice(self._target)}"
            ) from None
        stream.time_base = self._layout.time_base
        return stream

    def encode(self, frame: Frame, pts: int) -> Iterable[Packet[VideoStream]]:
        """See :class:`VideoEncoder`."""
        if self._process is None:
            self._process = _Process(self._target, self._layout)
        self._process.feed(frame, pts)
        return self._ours(self._process.ready())

    def flush(self) -> Iterable[Packet[VideoStream]]:
        """See :class:`VideoEncoder`."""
        return self._ours(self._process.finish()) if self._process is not None else ()

    def close(self) -> None:
        """No process is left."""
        if self._process is not None:
            self._process.close()

    def _ours(self, packets: Iterable[Packet[Any]]) -> Iterator[Packet[VideoStream]]:
        """Packets in the layout's ticks; how long each is shown is known better here."""
        for packet in packets:
            ratio = Fraction(exact(packet.time_base) or 1) / self._layout.time_base
            if packet.pts is None or (packet.pts * ratio).denominator != 1:
                raise OutputError(f"encoder {self._target.encoder} of the ffmpeg program does not keep timestamps")
            packet.pts = int(packet.pts * ratio)
            packet.dts = (
                None if packet.dts is None else min(packet.pts, packet.dts * ratio.numerator // ratio.denominator)
            )
            packet.time_base, packet.duration, packet.stream = self._layout.time_base, 0, self.stream
            yield packet


class _Process:
    """One run of the program: a thread takes what comes out, so neither side waits for the other.

    Attributes:
        source: what came out, once it began.
    """

    def __init__(self, target: Target, layout: VideoLayout) -> None:
        self.source: InputContainer | None = None
        self._target, self._layout = target, layout
        self._packets: SimpleQueue[Packet[Any]] = SimpleQueue()
        self._feed: tuple[OutputContainer, LibavEncoder] | None = None
        self._errors = TemporaryFile()  # noqa: SIM115 (closed by close())
        self._process = subprocess.Popen(  # noqa: S603 (no shell; our own arguments)
            _command(target, layout),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            start_new_session=True,  # Ctrl-C is for us alone; close() ends it
        )
        self._reader = Thread(target=self._read, name="ffmpeg", daemon=True)
        self._reader.start()

    def feed(self, frame: Frame, pts: int) -> None:
        """Sends a picture."""
        try:
            if self._feed is None:
                nut = choose_container(None, Path(), "", "nut")
                raw = Target(nut, "rawvideo", self._target.layout, ffmpeg_name(self._target.layout), {}, LibavBuild())
                container = av.open(self._process.stdin, "w", format="nut")
                self._feed = container, LibavEncoder(container, raw, self._layout)
            container, encoder = self._feed
            container.mux(list(encoder.encode(frame, pts)))
        except (av.FFmpegError, OSError, ValueError):
            raise self._failure() from None

    def ready(self) -> Iterator[Packet[Any]]:
        """The packets that have come so far."""
        while not self._packets.empty():
            yield self._packets.get()

    def finish(self) -> Iterator[Packet[Any]]:
        """Sends the end, and gives the packets that are left."""
        assert self._process.stdin is not None
        try:
            if self._feed is not None:
                self._feed[0].close()
            self._process.stdin.close()
        except (av.FFmpegError, OSError, ValueError):
            raise self._failure() from None
        self._reader.join()
        if self._process.wait() != 0 or self.source is None:
            raise self._failure()
        yield from self.ready()

    def close(self) -> None:
        """Ends the program, whatever it is doing."""
        self._process.kill()
        self._process.wait()
        self._reader.join()
        for file in (self._process.stdin, self._process.stdout, self._errors):
            with suppress(OSError):  # of what was not sent
                file.close()  # type: ignore[union-attr]

    def _read(self) -> None:
        try:
            source = av.open(self._process.stdout, "r", format="nut")
            self.source = source
            for packet in source.demux(video=0):
                if packet.size:
                    self._packets.put(packet)
        except (av.FFmpegError, OSError, ValueError, IndexError):
            self._process.kill()  # the exit status tells

    def _failure(self) -> OutputError:
        """In the program's own last words."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(5)
        self._errors.seek(0)
        lines = self._errors.read().decode(errors="replace").strip().splitlines()
        # The first line says what is wrong, the later ones what follows from it.
        said = lines[0] if lines else f"it ended with status {self._process.poll()}"
        return OutputError(f"the ffmpeg program with encoder {self._target.encoder}: {said}; {advice(self._target)}")


def _command(target: Target, layout: VideoLayout) -> list[str]:
    color = layout.color
    tags = {
        "colorspace": int(color.matrix),
        "color_range": 2 if color.full_range else 1,
        "color_primaries": color.primaries,
        "color_trc": color.transfer,
    }
    stream = ffmpeg.input("pipe:0", format="nut", copyts=None, **tags).output(
        "pipe:1",
        format="nut",
        vcodec=target.encoder,
        pix_fmt=target.pix_fmt,
        vsync="passthrough",
        avoid_negative_ts="disabled",  # else all times are moved by the encoder's delay
        enc_time_base=f"{layout.time_base.numerator}:{layout.time_base.denominator}",
        **tags,
        **target.options,
    )
    arguments: list[str] = stream.global_args("-v", "error", "-nostdin").compile(cmd=FFmpegBuild().program)
    return arguments
