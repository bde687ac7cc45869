"""What a stream or its pictures say that no output can be told, so that its loss can be."""

from __future__ import annotations

from collections.abc import Iterable

import av
from av.video.stream import VideoStream

from rfdn_video.errors import InputError
from rfdn_video.media.reading.info import VideoInfo

__all__ = ["LATE", "check_base_layer", "uncarried", "uncarried_later"]

# By the names of FFmpeg's side data, of streams and of pictures.
_WORDS = {
    "dovi_conf": "Dolby Vision",
    "dovi_metadata": "Dolby Vision",
    "dovi_rpu_buffer": "Dolby Vision",
    "dynamic_hdr10_plus": "HDR10+ metadata (SMPTE ST 2094-40)",
    "dynamic_hdr_plus": "HDR10+ metadata (SMPTE ST 2094-40)",
    "dynamic_hdr_vivid": "HDR Vivid metadata",
    "dynamic_hdr_smpte_2094_app5": "dynamic HDR metadata (SMPTE ST 2094-50)",
    "ambient_viewing_environment": "ambient viewing environment",
    "stereo_3d": "stereoscopic layout",
    "stereo3d": "stereoscopic layout",
    "spherical": "spherical projection",
    "icc_profile": "ICC profile",
    "afd": "active format description",
    "lcevc": "LCEVC enhancement layer",
}
LATE = {
    "late_dolby_vision": "Dolby Vision",
    "late_hdr10_plus": "HDR10+ metadata (SMPTE ST 2094-40)",
    "late_static_hdr": "mastering display and light level",
    "late_other_metadata": "other metadata",
}
"""What may be lost of pictures on the way, as :class:`rfdn_video.media.reading.decode.DecodeReport` counts it."""
_LATE = {words: name for name, words in LATE.items()}
_STATIC_HDR = frozenset(("mastering_display_metadata", "content_light_level"))
_COMPATIBILITY = 7  # byte of AVDOVIDecoderConfigurationRecord


def uncarried(stream: VideoStream, pictures: Iterable[av.VideoFrame]) -> tuple[str, ...]:
    """Kinds of metadata of a stream and its first pictures that are lost, in words."""
    found = {str(name).lower() for name in stream.codec_context.coded_side_data or ()}
    return _in_words(found.union(*map(_kinds, pictures)))


def uncarried_later(video: VideoInfo, picture: av.VideoFrame) -> set[str]:
    """The same of a picture on the way, as far as the first ones had no such thing; names in :data:`LATE`."""
    found = _kinds(picture)
    if not found:
        return found
    late = {_LATE.get(w, "late_other_metadata") for w in _in_words(found) if w not in video.dropped_metadata}
    if found & _STATIC_HDR and not video.hdr and not video.hdr.unwritable:
        late.add("late_static_hdr")
    return late


def _kinds(picture: av.VideoFrame) -> set[str]:
    return {str(kind.name).lower() for kind in picture.side_data}


def _in_words(found: set[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(words for name, words in _WORDS.items() if name in found))


def check_base_layer(stream: VideoStream) -> None:
    """Refuses Dolby Vision whose pictures are no video of any other kind (profile 5: IPTPQc2 in the place of Y'CbCr).

    Raises:
        InputError: says how to convert it.
    """
    record = (stream.codec_context.coded_side_data or {}).get("dovi_conf")
    if record and len(record) > _COMPATIBILITY and record[_COMPATIBILITY] == 0:
        raise InputError(
            f"Dolby Vision profile {record[2]}: without its metadata, which cannot be carried, the colours are wrong; "
            "convert it first, for example with: ffmpeg -i IN -vf libplacebo=colorspace=bt2020nc:"
            "color_primaries=bt2020:color_trc=smpte2084:format=yuv420p10 -c:v libx265 OUT.mp4"
        )
