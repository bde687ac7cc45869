"""Probing: what is in a media file, found without torch and without writing anything."""

from __future__ import annotations

import re
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.codec import Codec
from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream

from rfdn_video.errors import InputError, NoVideoError
from rfdn_video.frame import Color, PixelFormat
from rfdn_video.limits import MAX_PIXELS
from rfdn_video.media.alpha import decoder_of, is_opaque
from rfdn_video.media.color import decide_color
from rfdn_video.media.formats import planar_layout
from rfdn_video.media.hdr import read_hdr
from rfdn_video.media.libav_log import errors_logged
from rfdn_video.media.reading.beginning import beginning
from rfdn_video.media.reading.cropping import crop_of
from rfdn_video.media.reading.info import MediaInfo, VideoInfo
from rfdn_video.media.reading.interlacing import LOOKED_AT, any_interlaced, made_whole
from rfdn_video.media.reading.late_sound import open_described
from rfdn_video.media.reading.other_streams import describe_other, is_cover
from rfdn_video.media.reading.quantiser import mean_qp
from rfdn_video.media.reading.quarantine import try_first
from rfdn_video.media.reading.source import check_is_file, open_source
from rfdn_video.media.reading.truncation import missing_bytes
from rfdn_video.media.reading.uncarried import check_base_layer, uncarried
from rfdn_video.media.timecode import Timecode, timecode_label
from rfdn_video.media.timing import exact
from rfdn_video.settings import Deinterlace
from rfdn_video.stamp import Stamp

__all__ = ["color_of", "examine", "has_captions", "main_video_stream", "probe"]

MAX_RATE = 300  # pictures a second
_INTERLACED_FIELD_ORDERS = (2, 3, 4, 5)  # AV_FIELD_TT, BB, TB, BT
BARE_BITSTREAMS = frozenset(("h264", "hevc", "mpegvideo", "obu"))
"""FFmpeg's demuxers for which every stream has 25 pictures a second on average, whatever it says itself."""
ALWAYS_LOSSLESS_BUT_CALLED_BOTH = frozenset(("png", "tiff", "qtrle"))


def probe(path: str | Path, *, video_stream: int | None = None, deinterlace: Deinterlace | None = None) -> MediaInfo:
    """Reads a file's streams and decodes the first pictures of the main video stream.

    Args:
        path: a local media file.
        deinterlace: what becomes of interlaced pictures, see :class:`rfdn_video.Settings`; None refuses them.
        video_stream: number of the stream to take for the main one, counted from 0 among all streams.

    Raises:
        NoVideoError: no video stream but, at most, cover art.
        InputError: it cannot be opened or decoded, or is of a kind that is not supported
            (interlaced, telecined, too large), with what to do; or it crashes FFmpeg.
    """
    path = Path(path)
    check_is_file(path)
    try_first(path, video_stream)
    info = examine(path, video_stream)
    info = replace(info, video=replace(info.video, qp=mean_qp(info)))
    return replace(info, video=made_whole(info, deinterlace))


def examine(path: Path, video_stream: int | None = None) -> MediaInfo:
    """:func:`probe` of a file that is known not to crash FFmpeg, as its header and first pictures show it."""
    stamp = Stamp.of(path)
    container, looked = open_described(path)
    with container:
        stream = main_video_stream(container, path, video_stream)
        others = tuple(describe_other(s, stream, container) for s in container.streams if s.index != stream.index)
        _check_decodable(stream, path)
        _check_size(stream, path)
        video = _describe_video(container, stream, _first_pictures(container, stream, path), path)
        return MediaInfo(
            path=path,
            sides=path,
            container=container.format.name,
            start_time=beginning(container),
            duration=Fraction(container.duration, av.time_base) if container.duration else None,
            video=video,
            others=others,
            chapters=len(container.chapters()),
            tags=dict(container.metadata),
            missing_bytes=missing_bytes(path),
            looked=looked,
            stamp=stamp,
        )


def main_video_stream(container: InputContainer, path: Path, wanted: int | None) -> VideoStream:
    """The one asked for, else the first default video stream, else the first; cover art is never it."""
    candidates = [s for s in container.streams.video if not is_cover(s)]
    if wanted is not None:
        candidates = [s for s in candidates if s.index == wanted]
        if not candidates:
            numbers = ", ".join(str(s.index) for s in container.streams.video if not is_cover(s)) or "none"
            raise NoVideoError(f"{path}: stream {wanted} is no video; there is {numbers}")
    if not candidates:
        raise NoVideoError(f"{path}: no video stream in it ({_stream_kinds(container)})")
    return next((s for s in candidates if s.disposition & Disposition.default), candidates[0])


def _stream_kinds(container: InputContainer) -> str:
    return ", ".join(s.type for s in container.streams) or "it has no streams"


def _check_decodable(stream: VideoStream, path: Path) -> None:
    if stream.codec_context is not None:
        return
    with errors_logged(av.logging.INFO) as log, open_source(path):
        said = " ".join(text for _, _, text in log)
    name = re.search(rf"stream {stream.index} \(Video: (?!none,)(?:none \()?([^\s,(]+)|AVCodecID (\S+)\.", said)
    codec = (name[1] or name[2]) if name else "unknown"
    raise InputError(f"{path}: no decoder here for its video (codec {codec}); convert it with another program first")


def _check_size(stream: VideoStream, path: Path) -> None:
    width, height = stream.codec_context.width, stream.codec_context.height
    if width * height > MAX_PIXELS:
        raise InputError(f"{path}: the header claims {width}x{height} pixels; up to {MAX_PIXELS} in all are read")


def _first_pictures(container: InputContainer, stream: VideoStream, path: Path) -> list[av.VideoFrame]:
    encrypted, errors = False, 0
    pictures: list[av.VideoFrame] = []
    decoder = decoder_of(stream, {"max_pixels": str(MAX_PIXELS)})
    codec = stream.codec_context.name  # what has failed to open its decoder crashes when it is asked
    packets = container.demux(stream)
    while len(pictures) < LOOKED_AT:
        try:
            packet = next(packets)
            encrypted = encrypted or packet.has_sidedata("encryption_info")
            pictures += decoder.decode(packet)
        except (av.error.EOFError, StopIteration):
            break
        except (av.FFmpegError, ValueError):  # the latter of a decoder that could not be opened for the first one
            errors += 1
    if pictures:
        return pictures
    if encrypted:
        raise InputError(f"{path}: the video is encrypted; only unprotected files can be read")
    raise InputError(f"{path}: no picture of its {codec} video can be decoded ({errors} damaged packets)")


def _describe_video(
    container: InputContainer, stream: VideoStream, pictures: list[av.VideoFrame], path: Path
) -> VideoInfo:
    context, frame = stream.codec_context, pictures[0]
    try:
        check_base_layer(stream)
        layout = _layout(stream, pictures)
        color = color_of(frame, layout)
        crop = crop_of(stream, layout, frame.width, frame.height)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    width, height = crop.inside(frame.width, frame.height)
    return VideoInfo(
        index=stream.index,
        codec=context.codec.canonical_name,
        lossless=_is_lossless(context.codec),
        width=width,
        height=height,
        pix_fmt=frame.format.name,
        format=layout,
        color=color,
        tagged_matrix=frame.colorspace,
        time_base=exact(stream.time_base) or Fraction(1, 90000),
        frame_rate=_frame_rate(stream),
        rate_is_said=_rate_is_said(stream),
        frame_count=_frame_count(container, stream),
        sample_aspect_ratio=exact(stream.sample_aspect_ratio) or Fraction(1),
        display_matrix=_display_matrix(stream, frame),
        dropped_metadata=uncarried(stream, pictures),
        hdr=read_hdr(stream, frame),
        captioned=any(has_captions(picture) for picture in pictures),
        crop=crop,
        first_time=(first_time := _first_time(container, stream, pictures)),
        timecode=_timecode(container, stream, first_time),
        interlaced=any_interlaced(pictures),
        field_order=int(context.field_order) if context.field_order in _INTERLACED_FIELD_ORDERS else None,
    )


def color_of(picture: av.VideoFrame, layout: PixelFormat, default: Color | None = None) -> Color:
    """What its tags say; what they leave open is as in ``default``, or decided."""
    return decide_color(
        layout,
        (picture.width, picture.height),
        matrix=picture.colorspace,
        range_=picture.color_range,
        chroma_location=picture.chroma_location,
        primaries=picture.color_primaries,
        transfer=picture.color_trc,
        yuvj=picture.format.name.startswith("yuvj"),
        default=default,
    )


def _layout(stream: VideoStream, pictures: list[av.VideoFrame]) -> PixelFormat:
    """GIF and palettes can always say that a pixel is transparent; where none is, they are as good as RGB."""
    layout, pixels = planar_layout(pictures[0].format.name), pictures[0].format
    may_be = pixels.has_palette or stream.codec_context.codec.canonical_name == "gif"
    return replace(layout, alpha=False) if may_be and all(map(is_opaque, pictures)) else layout


def _is_lossless(codec: Codec) -> bool:
    return codec.lossless and (not codec.lossy or codec.name in ALWAYS_LOSSLESS_BUT_CALLED_BOTH)


def _frame_rate(stream: VideoStream) -> Fraction:
    """Containers with millisecond ticks claim 1000 frames a second; beyond 300 the guess is better."""
    average, guessed = exact(stream.average_rate), exact(stream.guessed_rate)
    rates = (guessed,) if stream.container.format.name in BARE_BITSTREAMS else (average, guessed)
    plausible = [rate for rate in rates if 0 < rate <= MAX_RATE]
    return plausible[0] if plausible else Fraction(25)


def _rate_is_said(stream: VideoStream) -> bool:
    return stream.container.format.name not in BARE_BITSTREAMS or exact(stream.codec_context.framerate) > 0


def _frame_count(container: InputContainer, stream: VideoStream) -> int | None:
    if stream.frames:
        return int(stream.frames)
    seconds = None
    if stream.duration:
        seconds = stream.duration * exact(stream.time_base)
    elif tagged := _TAGGED_DURATION.fullmatch(stream.metadata.get("DURATION", "")):
        hours, minutes, rest = map(Fraction, tagged.groups())
        seconds = (hours * 60 + minutes) * 60 + rest
    elif container.duration:
        seconds = Fraction(container.duration, av.time_base)
    return round(seconds * _frame_rate(stream)) if seconds else None


# What Matroska's writers say of each stream: the whole file lasts as long as its last subtitle.
_TAGGED_DURATION = re.compile(r"(\d{1,4}):(\d\d):(\d\d(?:\.\d{1,9})?)", re.ASCII)


def _display_matrix(stream: VideoStream, picture: av.VideoFrame) -> tuple[int, ...] | None:
    """The container's; else that of the bitstream (display orientation SEI), which players obey too."""
    data = (stream.codec_context.coded_side_data or {}).get("display_matrix") or picture.side_data.get("DISPLAYMATRIX")
    return tuple(int(value) for value in np.frombuffer(data, np.int32)) if data else None


def _first_time(container: InputContainer, stream: VideoStream, pictures: list[av.VideoFrame]) -> Fraction:
    """In seconds; those of a cut recording may have no time, and lie before the first that has."""
    tick, before = exact(stream.time_base) or Fraction(1, 90000), Fraction(0)
    for picture in pictures:
        if picture.pts is not None:
            return picture.pts * tick - before
        before += picture.duration * tick if picture.duration else 1 / _frame_rate(stream)
    return beginning(container)


def _timecode(container: InputContainer, stream: VideoStream, begins: Fraction) -> Timecode | None:
    if (label := timecode_label(stream.metadata, container.metadata)) is None:
        return None
    guessed = exact(stream.guessed_rate)
    return Timecode(
        label=label,
        rate=guessed if 0 < guessed <= MAX_RATE else _frame_rate(stream),  # the average of a variable rate is no clock
        begins=begins,
        time_base=exact(stream.time_base) or Fraction(1, 90000),
    )


def has_captions(picture: av.VideoFrame) -> bool:
    """Closed captions lie in it (ATSC A/53-4, section 6.2.3)."""
    return any(kind.name == "A53_CC" for kind in picture.side_data)
