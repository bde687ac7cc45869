"""Finds interlaced video, and decides what the deinterlacer makes of it.

Pictures say themselves whether they are interlaced, and a film may be so in part: a whole title, then interlaced
pictures. Where none that is looked at says so, the stream may; where that does not either, 3:2 pulldown shows in the
pictures.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import islice

import av

from rfdn_video.errors import InputError
from rfdn_video.media.reading.deinterlace import bwdif_arguments, check_filterable
from rfdn_video.media.reading.info import MediaInfo, VideoInfo
from rfdn_video.media.reading.sampling import moments, pictures_from
from rfdn_video.media.reading.telecine import TOP_FIRST, telecined
from rfdn_video.settings import Deinterlace

__all__ = ["LOOKED_AT", "any_interlaced", "made_whole"]

LOOKED_AT = 5
"""Pictures: one cycle of 3:2 pulldown, in which three are whole and two interlaced."""

_INTERLACED = (
    "the video is interlaced, enlarging would tear it; give --deinterlace (one picture a frame), "
    "or --deinterlace field (one a field, twice the rate); telecined film keeps its extra pictures in both, "
    "ffmpeg -vf fieldmatch,decimate takes them out beforehand"
)
_PULLDOWN = (
    "the video is telecined film (3:2 pulldown), though nothing marks it as interlaced; enlarging would tear two of "
    "five pictures; take the extra ones out beforehand: "
    "ffmpeg -i IN -vf fieldmatch=order={},decimate -c:v ffv1 -c:a copy OUT.mkv, or give --deinterlace, which keeps them"
)


def any_interlaced(pictures: Iterable[av.VideoFrame]) -> bool:
    """One of them says that it is interlaced."""
    return any(picture.interlaced_frame for picture in pictures)


def made_whole(info: MediaInfo, mode: Deinterlace | None) -> VideoInfo:
    """The video as it will be behind the deinterlacer, where that is asked for.

    Args:
        info: as the file's first pictures show it.
        mode: what becomes of interlaced pictures; None refuses them.

    Raises:
        InputError: it is interlaced or telecined, and ``mode`` is None; or the filter does not take it.
    """
    if info.video.interlaced or _interlaced_later(info):
        return _behind_filter(info, mode, None, _INTERLACED)
    if info.video.field_order is not None:
        return _behind_filter(info, mode, info.video.field_order, _INTERLACED)
    if (order := telecined(info)) is not None:
        return _behind_filter(info, mode, order, _PULLDOWN.format("tff" if order == TOP_FIRST else "bff"))
    return info.video if mode is None else _filtered(info, mode, None)


def _interlaced_later(info: MediaInfo) -> bool:
    later = (moment for moment in moments(info) if moment)
    return any(any_interlaced(islice(pictures_from(info, moment, {}), LOOKED_AT)) for moment in later)


def _behind_filter(info: MediaInfo, mode: Deinterlace | None, field_order: int | None, refusal: str) -> VideoInfo:
    if mode is None:
        raise InputError(f"{info.path}: {refusal}")
    times = 2 if mode == "field" else 1
    video = _filtered(info, mode, field_order)
    return replace(
        video,
        interlaced=True,
        frame_rate=video.frame_rate * times,
        frame_count=None if video.frame_count is None else video.frame_count * times,
    )


def _filtered(info: MediaInfo, mode: Deinterlace, field_order: int | None) -> VideoInfo:
    video = info.video
    try:
        check_filterable(video.format, *video.decoded_size)
    except InputError as error:
        raise InputError(f"{info.path}: {error}") from None
    return replace(video, bwdif=bwdif_arguments(mode, field_order), time_base=video.time_base / 2)
