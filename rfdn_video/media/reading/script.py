"""A VapourSynth script as a source: its frames with their exact durations, and what a file beside it adds."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

from rfdn_video.errors import InputError, NoVideoError
from rfdn_video.frame import ChromaLocation, Color, Frame, Matrix, PixelFormat
from rfdn_video.media.formats import ffmpeg_name
from rfdn_video.media.reading.beginning import beginning
from rfdn_video.media.reading.decode import DecodeReport
from rfdn_video.media.reading.info import MediaInfo, OtherStream, VideoInfo
from rfdn_video.media.reading.late_sound import open_described
from rfdn_video.media.reading.other_streams import describe_other
from rfdn_video.media.reading.probe import main_video_stream
from rfdn_video.media.reading.quarantine import try_first
from rfdn_video.media.reading.script_server import ScriptServer
from rfdn_video.media.reading.source import check_is_file
from rfdn_video.media.timecode import Timecode, timecode_label
from rfdn_video.media.timing import TimeRange, exact

__all__ = ["ScriptDecoder", "is_script", "probe_script"]

# Ticks of a second. The first divides the frame periods of nearly all constant rates, the second the
# time bases of nearly all files of variable rate (1000, 12800, 15360, 16000, 24000, 30000, 48000, 90000 ...).
CONSTANT_TICKS = 90_000
VARIABLE_TICKS = 5_760_000

MAX_TICKS = 2**31 - 1  # FFmpeg's rationals hold no more


def is_script(path: Path) -> bool:
    """By its name: what is in it can be anything."""
    return path.suffix.lower() == ".vpy"


def probe_script(path: Path, sides: Path | None) -> MediaInfo:
    """Runs a script up to its first frame.

    Args:
        path: the script.
        sides: file that sound, subtitles, chapters and tags are taken from; its video is taken to
            begin when the script's does.

    Raises:
        UsageError: VapourSynth is not installed.
        InputError: the script fails, or its clip cannot be enlarged; ``sides`` cannot be read.
    """
    check_is_file(path)
    found = _look_at(sides)
    with closing(ScriptServer(path, "--probe")) as server:
        video = _describe(path, server.header, found)
    return MediaInfo(
        path=path,
        sides=sides,
        container=found.container,
        start_time=found.start_time,
        duration=None,
        video=video,
        others=found.others,
        chapters=found.chapters,
        tags=found.tags,
        looked=found.looked,
    )


class ScriptDecoder:
    """Iterates over a script's frames as :class:`rfdn_video.media.reading.decode.Decoder` does over a file's.

    What comes before ``wanted`` is computed too, for only a frame knows its duration.

    Raises (while iterating):
        InputError: a frame could not be computed.
    """

    def __init__(self, info: MediaInfo, wanted: TimeRange) -> None:
        self.report, self.skipped = DecodeReport(), 0
        self._info, self._wanted = info, wanted
        self._begin = _look_at(info.sides).video_start
        self._stopped = False
        self.timeline = None
        self._server = ScriptServer(info.path)

    def __enter__(self) -> ScriptDecoder:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def stop(self) -> None:
        """Ends the iteration, from another thread too."""
        self._stopped = True
        self._server.terminate()

    def close(self) -> None:
        """Ends the script's process. Frames already given stay valid."""
        self._server.close()

    def __iter__(self) -> Iterator[Frame]:
        wanted, given = self._wanted, 0
        try:
            for frame in self._frames():
                seconds = frame.pts * frame.time_base
                if wanted.start is not None and seconds < wanted.start:
                    self.skipped += 1
                    continue
                if wanted.end is not None and seconds >= wanted.end:
                    return
                yield frame
                given += 1
                if given == wanted.frames:
                    return
        except InputError:
            if not self._stopped:
                raise

    def _frames(self) -> Iterator[Frame]:
        """All of them. Times are added up exactly and then rounded to ticks, so that no error grows."""
        video, time = self._info.video, self._begin
        pts, usual = round(time / video.time_base), 1 / video.frame_rate
        sizes = video.format.plane_sizes(video.width, video.height)
        while "end" not in (line := self._server.read_line()):
            usual = Fraction(*line["duration"] or usual.as_integer_ratio())  # sources do not know the last one's
            time += usual
            end = round(time / video.time_base)
            planes = tuple(self._server.read_plane(size, video.format.dtype) for size in sizes)
            yield Frame(planes, video.format, video.color, pts, end - pts, video.time_base)
            pts = end


@dataclass(frozen=True)
class _Sides:
    """What is known of the file beside the script; the defaults are those of none."""

    container: str = "vapoursynth"
    start_time: Fraction = Fraction(0)
    video_index: int = -1
    video_start: Fraction = Fraction(0)
    video_ticks: int = 1
    others: tuple[OtherStream, ...] = ()
    chapters: int = 0
    tags: Mapping[str, str] = field(default_factory=dict)
    looked: int | None = None
    timecode: str | None = None


def _look_at(path: Path | None) -> _Sides:
    if path is None:
        return _Sides()
    check_is_file(path)
    try_first(path)
    container, looked = open_described(path)
    with container:
        start = beginning(container)
        try:
            video = main_video_stream(container, path, None)
        except NoVideoError:  # a file of sound
            video = None
        time_base = exact(video.time_base) if video is not None else Fraction(1)
        begins = video.start_time if video is not None else None
        return _Sides(
            container=container.format.name,
            start_time=start,
            video_index=-1 if video is None else video.index,
            video_start=start if begins is None else begins * time_base,
            video_ticks=time_base.denominator,
            others=tuple(
                describe_other(s, video, container)
                for s in container.streams
                if video is None or s.index != video.index
            ),
            chapters=len(container.chapters()),
            tags=dict(container.metadata),
            looked=looked,
            timecode=timecode_label({} if video is None else video.metadata, container.metadata),
        )


def _describe(path: Path, header: dict[str, Any], sides: _Sides) -> VideoInfo:
    layout, rate = PixelFormat(**header["format"]), _rate(path, header)
    color = header["color"]
    shape, shape_base = header["shape"]
    tick, label = _time_base(header, rate, sides), sides.timecode
    return VideoInfo(
        index=sides.video_index,
        codec="script",
        lossless=False,
        width=header["width"],
        height=header["height"],
        pix_fmt=ffmpeg_name(layout),
        format=layout,
        color=Color(
            matrix=Matrix(color["matrix"]),
            full_range=color["full_range"],
            chroma_location=ChromaLocation(color["chroma_location"]),
            primaries=color["primaries"],
            transfer=color["transfer"],
        ),
        tagged_matrix=header["tagged_matrix"],
        time_base=tick,
        frame_rate=rate,
        frame_count=header["frames"],
        sample_aspect_ratio=Fraction(shape, shape_base) if shape and shape_base else Fraction(1),
        display_matrix=None,
        dropped_metadata=(),
        timecode=None if label is None else Timecode(label, rate, sides.video_start, tick),
    )


def _rate(path: Path, header: dict[str, Any]) -> Fraction:
    if header["rate"] is not None:
        return Fraction(*header["rate"])
    if header["duration"] is not None:
        return 1 / Fraction(*header["duration"])
    raise InputError(f"{path}: its clip has no frame rate and no durations; set one: std.AssumeFPS(clip, fpsnum=25)")


def _time_base(header: dict[str, Any], rate: Fraction, sides: _Sides) -> Fraction:
    """Fine enough for every duration that may come: of a constant rate, or of the time bases that files have."""
    first = Fraction(*header["duration"]) if header["duration"] is not None else 1 / rate
    constant = header["rate"] is not None and first == 1 / rate
    ticks = CONSTANT_TICKS if constant else VARIABLE_TICKS
    exactly = math.lcm(ticks, first.denominator, sides.video_ticks)
    return Fraction(1, exactly if exactly <= MAX_TICKS else ticks)
