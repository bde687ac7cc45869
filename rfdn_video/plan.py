"""Everything about a job that is decided before its first frame. Needs no torch."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

from av.codec.hwaccel import HWAccel

from rfdn_video.errors import InputError, UsageError
from rfdn_video.frame import Matrix, PixelFormat
from rfdn_video.inference.scaling import target_size
from rfdn_video.media.color import converted_color
from rfdn_video.media.encoding.builds import LibavBuild
from rfdn_video.media.encoding.encoders import traits_of
from rfdn_video.media.encoding.ffmpeg_program import FFmpegBuild
from rfdn_video.media.encoding.hdr_template import HDR_CODECS
from rfdn_video.media.encoding.result_color import result_color
from rfdn_video.media.encoding.target import (
    STREAMABLE,
    Container,
    Target,
    choose_container,
    choose_encoder,
    usual_layout,
)
from rfdn_video.media.formats import ffmpeg_name, planar_layout
from rfdn_video.media.hdr import NO_HDR, hdr_options, says_hdr
from rfdn_video.media.keeping.disk import check_room
from rfdn_video.media.keeping.publish import check_output
from rfdn_video.media.layout import VideoLayout
from rfdn_video.media.muxing.dispositions import lost_of_streams
from rfdn_video.media.muxing.streams import CarriedStream, decide_streams
from rfdn_video.media.muxing.tags import holds_timecode, lost_tags
from rfdn_video.media.reading.decode import cut_off
from rfdn_video.media.reading.hwaccel import open_hwaccel
from rfdn_video.media.reading.info import MediaInfo, VideoInfo
from rfdn_video.media.reading.probe import probe
from rfdn_video.media.reading.script import is_script, probe_script
from rfdn_video.media.reading.source import check_is_file
from rfdn_video.media.timing import TimeRange
from rfdn_video.settings import Dither, Settings
from rfdn_video.tune import tune_for

__all__ = ["FilePlan", "output_path", "plan_files", "size_label"]

STDOUT = "-"
LEAST_PICTURE = 8  # bytes
UNSPECIFIED = 2  # primaries and transfer, ITU-T H.273


@dataclass(frozen=True)
class FilePlan:
    """What is read and what is written.

    Attributes:
        info: the source.
        output: the file; None is standard output.
        target: container and encoder.
        layout: of the enlarged video.
        asked_size: its width and height by number, as they are stored; None where it follows from the rest.
        wanted: the part of the source that is done.
        carried: streams that go along with the video.
        dropped: what is not carried, in words.
        tune: ``"clean"``, ``"light"`` or ``"video"``.
        dither: how the results are rounded.
        deinterlace: interlaced pictures were to be made whole, whether there are any or not.
        overwrite: the output may replace a file.
        verify_fully: all of the finished file is decoded.
        salvage: a damaged source is no reason to stop.
        strict: any damage is.
        hwaccel: what decodes the video; None is software.
        room: a warning where the disk may be too small.
    """

    info: MediaInfo
    output: Path | None
    target: Target
    layout: VideoLayout
    asked_size: tuple[int | None, int | None]
    wanted: TimeRange
    carried: tuple[CarriedStream, ...]
    dropped: tuple[str, ...]
    tune: str
    dither: Dither
    deinterlace: bool
    overwrite: bool
    verify_fully: bool
    salvage: bool
    strict: bool
    hwaccel: HWAccel | None
    room: str | None = None

    @property
    def expected_frames(self) -> int | None:
        """By the header and the range; for progress and estimates only."""
        video, wanted = self.info.video, self.wanted
        count = video.frame_count
        if count is not None and (wanted.start is not None or wanted.end is not None):
            begin = (wanted.start or self.info.start_time) - self.info.start_time
            end = wanted.end - self.info.start_time if wanted.end is not None else count / video.frame_rate
            count = min(count, max(0, round((end - begin) * video.frame_rate)))
        if wanted.frames is not None:
            return min(count, wanted.frames) if count is not None else wanted.frames
        return count


def plan_files(source: Path, output: str | None, settings: Settings) -> FilePlan:
    """Probes the source and decides where and how the result is written.

    Args:
        source: a media file.
        output: file, directory, ``"-"`` for standard output, or None for a file beside the source.
        settings: what was asked for.

    Raises:
        InputError, OutputError, UsageError: with what to do.
    """
    check_is_file(source)
    named = _named_output(output)
    if named is not None:  # what is named already is checked before the source is opened
        check_output(named, source, overwrite=settings.overwrite)
    info = _probe(source, settings)
    container = _container(output, named, source, info, settings)
    path = None if output == STDOUT else named or output_path(source, output, container.name, settings)
    if path is not None and named is None:
        check_output(path, source, overwrite=settings.overwrite)
    if path is not None and info.sides is not None and info.sides != source:
        check_output(path, info.sides, overwrite=settings.overwrite)
    if info.missing_bytes and not settings.salvage and settings.end is None and settings.frames is None:
        raise InputError(cut_off(info))
    build = FFmpegBuild() if settings.encoder_backend == "ffmpeg" else LibavBuild()
    wanted = _pixel_format(settings) or usual_layout(container, info.video.format, settings, build)
    target = choose_encoder(container, wanted, settings, build, info.video.hdr)
    carried, dropped = decide_streams(info, container, settings.audio)
    dropped = (*dropped, *lost_of_streams(info, carried, container), *_dropped_metadata(info, target, settings))
    if settings.strict and dropped:
        raise InputError(f"{source}: {dropped[0]}, and --strict was given")
    stored = for_display(settings, info.video)
    files = FilePlan(
        info=info,
        output=path,
        target=target,
        layout=_layout(info.video, target, settings),
        asked_size=(stored.width, stored.height),
        wanted=_wanted(info, settings),
        carried=carried,
        dropped=dropped,
        tune=tune_for(info.video, settings.tune),
        dither=settings.dither,
        deinterlace=settings.deinterlace is not None,
        overwrite=settings.overwrite,
        verify_fully=settings.verify == "full",
        salvage=settings.salvage,
        strict=settings.strict,
        hwaccel=open_hwaccel(settings.device) if settings.hwaccel else None,
    )
    return replace(files, room=_check_room(files))


def _check_room(files: FilePlan) -> str | None:
    """A header may claim any number of pictures, but each of them takes some bytes of the source."""
    if files.output is None or files.expected_frames is None:
        return None
    most = files.expected_frames if is_script(files.info.path) else files.info.path.stat().st_size // LEAST_PICTURE
    return check_room(files.output, files.target, files.layout, min(files.expected_frames, most))


def _probe(source: Path, settings: Settings) -> MediaInfo:
    if is_script(source):
        if settings.hwaccel is not None:
            raise UsageError(f"{source}: a script decodes by itself; leave --hwaccel away")
        if settings.deinterlace is not None:
            raise UsageError(f"{source}: a script deinterlaces by itself; leave --deinterlace away")
        return probe_script(source, settings.audio_from)
    if settings.audio_from is not None:
        raise UsageError(f"{source}: only a VapourSynth script (.vpy) takes sound from another file")
    return probe(source, video_stream=settings.video_stream, deinterlace=settings.deinterlace)


def output_path(source: Path, directory: str | None, suffix: str, settings: Settings) -> Path:
    """``<stem>_x2.<suffix>`` in ``directory``, or beside the source where that is None."""
    folder = Path(directory) if directory is not None else source.parent
    return folder / f"{source.stem}_{size_label(settings)}.{suffix}"


def size_label(settings: Settings) -> str:
    """What the size is called in a file name: x2, x1.5, 1080p, w1920."""
    if settings.height is not None:
        return f"{settings.height}p"
    if settings.width is not None:
        return f"w{settings.width}"
    return f"x{float(settings.scale or 2):g}"


def is_directory(output: str) -> bool:
    """The output is a directory, existing or by its trailing slash."""
    return Path(output).is_dir() or output.endswith(("/", "\\"))


def _named_output(output: str | None) -> Path | None:
    return None if output is None or output == STDOUT or is_directory(output) else Path(output)


def _container(output: str | None, named: Path | None, source: Path, info: MediaInfo, settings: Settings) -> Container:
    if output == STDOUT:
        if (wanted := settings.container or STREAMABLE[0]) not in STREAMABLE:
            raise UsageError(
                f"container {wanted} cannot be written to standard output; allowed: {', '.join(STREAMABLE)}"
            )
        return choose_container(None, source, info.container, wanted)
    return choose_container(named, source, info.container, settings.container)


def _wanted(info: MediaInfo, settings: Settings) -> TimeRange:
    def on_source_clock(seconds: Fraction | None) -> Fraction | None:
        return None if seconds is None else seconds + info.start_time

    return TimeRange(on_source_clock(settings.start), on_source_clock(settings.end), settings.frames)


def _dropped_metadata(info: MediaInfo, target: Target, settings: Settings) -> list[str]:
    container, encoder = target.container, target.encoder
    reasons = [f"{what}: cannot be carried yet" for what in info.video.dropped_metadata]
    if settings.pix_fmt is None and target.layout.family != info.video.format.family:
        reasons.append(
            f"resolution of colour: RGB becomes {ffmpeg_name(target.layout)} for {encoder} in {container.name}, "
            f"which players show; --pix-fmt {ffmpeg_name(info.video.format)} keeps it, where the encoder can"
        )
    if info.video.hdr.unwritable:
        reasons.append("mastering display or light level: its values are incomplete, or beyond what can be written")
    if info.video.hdr and not target.holds_hdr and hdr_options(encoder, info.video.hdr) is None:
        reasons.append(
            f"mastering display and light level: {container.name} with {encoder} has no place for them; "
            f"{', '.join(sorted(HDR_CODECS))} in mp4, mov, mkv and webm have"
        )
    if info.video.captioned and not target.takes_captions:
        reasons.append(
            f"closed captions in the pictures: encoder {encoder} does not take them here, libx264 of PyAV does"
        )
    if info.sides is None and settings.audio != "none":
        reasons.append("sound and subtitles: a script has none of its own; --audio-from FILE takes them from a file")
    if info.chapters and not container.keeps_tags:
        reasons.append(f"{info.chapters} chapters: {container.name} holds none")
    timecode, rate = info.video.timecode, info.video.frame_rate
    if timecode is not None and not holds_timecode(container, timecode, rate):
        reasons.append(
            f"timecode {timecode.label}: its labels are counted {round(timecode.rate)} a second, and {container.name} "
            f"would count them by this video's average rate of {float(rate):.4g}; .mkv keeps it"
        )
    reasons += [f"{what}: {container.name} has no place for it; tell the reader" for what in _untold(info, container)]
    if lost := lost_tags(info.tags, container):
        reasons.append(f"metadata {', '.join(lost)}: {container.name} has no place for it")
    return reasons


def _untold(info: MediaInfo, container: Container) -> list[str]:
    """What the source says of how its pictures are shown, and the result cannot."""
    video, color = info.video, info.video.color
    tagged = video.tagged_matrix not in (Matrix.UNSPECIFIED, Matrix.RGB)
    lost = {
        "rotation": video.display_matrix is not None and not container.keeps_tags,
        f"shape of pixels, {video.sample_aspect_ratio}": video.sample_aspect_ratio != 1 and not container.keeps_tags,
        "colour tags (matrix, primaries, transfer)": not container.keeps_tags
        and (tagged or not color.primaries == color.transfer == UNSPECIFIED),
        "full range": video.format.family != "rgb" and color.full_range and not container.keeps_range,
    }
    return [what for what, is_lost in lost.items() if is_lost]


def _pixel_format(settings: Settings) -> PixelFormat | None:
    if settings.pix_fmt is None:
        return None
    try:
        return planar_layout(settings.pix_fmt)
    except InputError:
        raise UsageError(
            f"pix_fmt {settings.pix_fmt!r}: YUV, gray and RGB of 8 to 16 bit are written, "
            "such as yuv420p, yuv420p10le, yuv444p, gbrp or yuva420p"
        ) from None


def _layout(video: VideoInfo, target: Target, settings: Settings) -> VideoLayout:
    wanted, pixels = for_display(settings, video), target.layout
    size = target_size(
        (video.width, video.height),
        scale=wanted.scale,
        width=wanted.width,
        height=wanted.height,
        multiple=(1 << pixels.sub_w, 1 << pixels.sub_h),
    )
    color = converted_color(video.color, video.format, pixels, size)
    codec, container = traits_of(target.encoder).codec, target.container.name
    return VideoLayout(
        width=size[0],
        height=size[1],
        color=result_color(color, pixels, codec, container),
        time_base=video.time_base if target.container.keeps_time else 1 / video.frame_rate,
        frame_rate=video.frame_rate,
        sample_aspect_ratio=video.sample_aspect_ratio,
        display_matrix=_scaled_matrix(video, size),
        hdr=video.hdr if target.holds_hdr and not says_hdr(settings.encoder_options) else NO_HDR,
    )


def _scaled_matrix(video: VideoInfo, size: tuple[int, int]) -> tuple[int, ...] | None:
    """The translation of a display matrix counts in pixels, so it grows with the picture (ISO/IEC 14496-12, 6.2.2)."""
    if video.display_matrix is None:
        return None
    matrix, source = list(video.display_matrix), (video.width, video.height)
    # A turned picture's displayed width is its coded height.
    across, down = (1, 0) if video.turned else (0, 1)
    for at, side in ((6, across), (7, down)):
        moved = round(matrix[at] * Fraction(size[side], source[side]))
        matrix[at] = max(-(1 << 31), min(moved, (1 << 31) - 1))  # only a damaged file comes near what 32 bits hold
    return tuple(matrix)


def for_display(settings: Settings, video: VideoInfo) -> Settings:
    """Width and height mean the picture as it is shown; a turned one is stored the other way round."""
    if not video.turned:
        return settings
    return replace(settings, width=settings.height, height=settings.width)
