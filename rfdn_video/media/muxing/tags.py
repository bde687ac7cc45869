"""Metadata in words: what goes along, and what a container has no place for."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from fractions import Fraction

import av
from av.video.stream import VideoStream

from rfdn_video.media.encoding.target import Container
from rfdn_video.media.timecode import Timecode

__all__ = ["carried_tags", "holds_timecode", "lost_tags"]

# The muxer writes these anew, or they count packets of the source (Matroska's statistics, in any language).
_OF_THE_FILE = re.compile(
    r"major_brand|minor_version|compatible_brands|encoder|vendor_id|alpha_mode|stereo_mode"
    r"|(bps|duration|number_of_frames|number_of_bytes|source_id|_statistics_.*)(-\w+)?",
    re.IGNORECASE,
)
# Not words of a user: a container that lacks them loses nothing.
_TECHNICAL = re.compile(
    r"handler_name|language|creation_time|timecode|.*(uid|umid|_ul|version.*|platform)", re.IGNORECASE
)


def carried_tags(tags: Mapping[str, str]) -> dict[str, str]:
    """Those that describe the content, not the file that it is in."""
    return {key: value for key, value in tags.items() if not _OF_THE_FILE.fullmatch(key)}


def lost_tags(tags: Mapping[str, str], container: Container) -> list[str]:
    """Keys of ``tags`` that ``container`` does not give back. Found by trying: FFmpeg's muxers say nothing."""
    asked = {key.lower() for key in carried_tags(tags) if not _TECHNICAL.fullmatch(key)}
    if not asked:
        return []
    return sorted(asked - _given_back(tags, container) if container.keeps_tags else asked)


def holds_timecode(container: Container, timecode: Timecode, frame_rate: Fraction) -> bool:
    """MOV and MP4 store a number of pictures, for which their muxer counts labels by the video's average rate."""
    return container.name not in ("mov", "mp4") or timecode.counted_at(frame_rate)


def _given_back(tags: Mapping[str, str], container: Container) -> set[str]:
    file = io.BytesIO()
    with av.open(file, "w", format=container.muxer) as output:
        stream = output.add_stream(container.encoders[0], rate=25)
        assert isinstance(stream, VideoStream)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        output.metadata.update(carried_tags(tags))
        picture = av.VideoFrame(64, 64, "yuv420p")
        picture.pts = 0
        output.mux(stream.encode(picture) + stream.encode(None))
    file.seek(0)
    with av.open(file) as source:
        return {key.lower() for key in source.metadata}
