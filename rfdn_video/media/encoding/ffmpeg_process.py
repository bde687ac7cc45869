"""One run of the ffmpeg program as an encoder: raw pictures in as NUT, encoded ones out as NUT."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from tempfile import TemporaryFile
from threading import Thread, Timer
from typing import Any

import av
import ffmpeg
from av.container import InputContainer, OutputContainer
from av.packet import Packet

from rfdn_video.errors import OutputError
from rfdn_video.frame import Frame
from rfdn_video.media.encoding.builds import LibavBuild
from rfdn_video.media.encoding.ffmpeg_program import FFmpegBuild
from rfdn_video.media.encoding.target import Target, advice, choose_container
from rfdn_video.media.encoding.video_encoder import LibavEncoder
from rfdn_video.media.formats import ffmpeg_name
from rfdn_video.media.layout import VideoLayout

__all__ = ["FFmpegProcess"]

PATIENCE = 600.0
"""Seconds without a sign of life after which the program is given up: slow encoders look minutes ahead."""

_WHO = re.compile(r"^(\[[^\]]*\] )+")
_WARNING = "[warning] "


class FFmpegProcess:
    """Runs the program; a thread takes what comes out, so that neither side waits for the other.

    Attributes:
        source: what came out, once it began.

    Raises:
        OutputError: with the program's own words, from any method, when it ends or stays silent.
    """

    def __init__(self, target: Target, layout: VideoLayout) -> None:
        self.source: InputContainer | None = None
        self._target, self._layout = target, layout
        self._packets: SimpleQueue[Packet[Any] | None] = SimpleQueue()  # None is the end
        self._feed: tuple[OutputContainer, LibavEncoder] | None = None
        self._silent = False
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
        with self._reporting(), self._watched():
            if self._feed is None:
                nut = choose_container(None, Path(), "", "nut")
                raw = Target(nut, "rawvideo", self._target.layout, ffmpeg_name(self._target.layout), {}, LibavBuild())
                container = av.open(self._process.stdin, "w", format="nut")
                self._feed = container, LibavEncoder(container, raw, self._layout)
            container, encoder = self._feed
            container.mux(list(encoder.encode(frame, pts)))

    def ready(self) -> Iterator[Packet[Any]]:
        """The packets that have come so far."""
        while not self._packets.empty():
            packet = self._packets.get()
            if packet is None:
                raise self._failure()  # it must not end before we do
            yield packet

    def finish(self) -> Iterator[Packet[Any]]:
        """Sends the end, and gives the packets that are left."""
        with self._reporting(), self._watched():
            if self._feed is not None:
                self._feed[0].close()
            assert self._process.stdin is not None
            self._process.stdin.close()
        with self._reporting():
            while (packet := self._packets.get(timeout=PATIENCE)) is not None:
                yield packet
            status = self._process.wait(PATIENCE)
        if status != 0 or self.source is None:
            raise self._failure()

    def warnings(self) -> list[str]:
        """What the program has warned of so far."""
        return [_WHO.sub("", line) for line in self._words() if _WARNING in line]

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
        finally:
            self._packets.put(None)

    @contextmanager
    def _reporting(self) -> Iterator[None]:
        try:
            yield
        except (Empty, subprocess.TimeoutExpired):
            self._give_up()
            raise self._failure() from None
        except (av.FFmpegError, OSError, ValueError):
            raise self._failure() from None

    @contextmanager
    def _watched(self) -> Iterator[None]:
        """What waits for the program here waits no longer than :data:`PATIENCE`."""
        timer = Timer(PATIENCE, self._give_up)
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def _give_up(self) -> None:
        self._silent = True
        self._process.kill()

    def _failure(self) -> OutputError:
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(5)
        return OutputError(
            f"the ffmpeg program with encoder {self._target.encoder}: {self._last_words()}; {advice(self._target)}"
        )

    def _last_words(self) -> str:
        if self._silent:
            return f"it was ended after {PATIENCE:g} seconds without a sign of life"
        errors = [line for line in self._words() if _WARNING not in line]
        if errors:  # the first says what is wrong, the later ones what follows from it
            return _WHO.sub("", errors[0]).rstrip(".")
        status = self._process.poll()
        return f"it was killed by signal {-status}" if status and status < 0 else f"it ended with status {status}"

    def _words(self) -> list[str]:
        self._errors.seek(0)
        return self._errors.read().decode(errors="replace").strip().splitlines()


def _command(target: Target, layout: VideoLayout) -> list[str]:
    """No file name is in it, and nothing that the program has not listed as an option of encoders."""
    color, tick = layout.color, layout.time_base
    tags = {
        "colorspace": int(color.matrix),
        "color_range": 2 if color.full_range else 1,
        "color_primaries": color.primaries,
        "color_trc": color.transfer,
        "chroma_sample_location": int(color.chroma_location),
    }
    ours = {
        "vcodec": target.encoder,
        "pix_fmt": f"+{target.pix_fmt}",  # with the sign it refuses rather than converts
        "fps_mode": "passthrough",
        "avoid_negative_ts": "disabled",  # else all times are moved by the encoder's delay
        "enc_time_base": f"{tick.numerator}:{tick.denominator}",
    }
    pictures = ffmpeg.input("pipe:0", format="nut", copyts=None, **tags)
    packets = pictures.output("pipe:1", format="nut", **(target.options | tags | ours))
    arguments: list[str] = packets.global_args("-v", "level+warning", "-nostdin").compile(cmd=FFmpegBuild().program)
    return arguments
