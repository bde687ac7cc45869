"""Metadata in words: what goes along, and what a container has no place for."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from fractions import Fraction

import av
from av.video.stream import VideoStream

from rfdn_video.media.encoding.target import Container
from rfdn_video.media.quicktime import is_packable
from rfdn_video.media.timecode import Timecode

__all__ = ["carried_tags", "holds_timecode", "lost_tags", "lost_track_tags", "track_tags"]

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


def track_tags(tags: Mapping[str, str], container_name: str) -> dict[str, str]:
    """Those of a stream; its name is where readers of the container look for one.

    MP4 and MOV store a title as the track's name, which FFmpeg reads as such, and have an older name for the kind of
    a track, which most players show.
    """
    kept = carried_tags(tags)
    if "name" in kept:
        kept.setdefault("title", kept.pop("name"))
    if container_name in ("mp4", "mov") and "title" in tags:
        kept = {key: value for key, value in kept.items() if key.lower() != "handler_name"}
        kept["handler_name"] = tags["title"]
    return kept


def lost_track_tags(tracks: Sequence[Mapping[str, str]], container: Container) -> list[list[str]]:
    """What of each stream's tags ``container`` does not give back, in words: found as :func:`lost_tags` does."""
    given = [track_tags(tags, container.name) for tags in tracks]
    asked = [{key.lower() for key in tags if not _TECHNICAL.fullmatch(key)} for tags in given]
    _, back = _given_back(container, {}, given) if any(asked) else (set(), [set()] * len(given))
    lost = [sorted(keys - found) for keys, found in zip(asked, back, strict=True)]
    for tags, keys in zip(given, lost, strict=True):
        language = tags.get("language", "und")
        if container.name in ("mp4", "mov") and not is_packable(language):
            keys.append(f"language {language} (it holds three letters)")
    return lost


def lost_tags(tags: Mapping[str, str], container: Container) -> list[str]:
    """Keys of ``tags`` that ``container`` does not give back. Found by trying: FFmpeg's muxers say nothing."""
    asked = {key.lower() for key in carried_tags(tags) if not _TECHNICAL.fullmatch(key)}
    if not asked:
        return []
    return sorted(asked - _given_back(container, tags)[0] if container.keeps_tags else asked)


def holds_timecode(container: Container, timecode: Timecode, frame_rate: Fraction) -> bool:
    """MOV and MP4 store a number of pictures, for which their muxer counts labels by the video's average rate."""
    return container.name not in ("mov", "mp4") or timecode.counted_at(frame_rate)


def _given_back(
    container: Container, tags: Mapping[str, str], tracks: Sequence[Mapping[str, str]] = ({},)
) -> tuple[set[str], list[set[str]]]:
    """Keys of the file and of its streams, which are all video here: what they hold in words does not depend on it."""
    file = io.BytesIO()
    with av.open(file, "w", format=container.muxer) as output:
        output.metadata.update(carried_tags(tags))
        streams = [output.add_stream(container.encoders[0], rate=25) for _ in tracks]
        for stream, words in zip(streams, tracks, strict=True):
            assert isinstance(stream, VideoStream)
            stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
            stream.metadata.update(words)
        for stream in streams:
            assert isinstance(stream, VideoStream)
            picture = av.VideoFrame(64, 64, "yuv420p")
            picture.pts = 0
            output.mux(stream.encode(picture) + stream.encode(None))
    file.seek(0)
    with av.open(file) as source:
        return _keys(source.metadata), [_keys(stream.metadata) for stream in source.streams]


def _keys(tags: Mapping[str, str]) -> set[str]:
    return {"title" if key == "name" else key.lower() for key in tags}
