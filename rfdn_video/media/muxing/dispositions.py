"""What streams say of themselves, in words and of what they are there for, and what of that a container cannot say."""

from __future__ import annotations

from collections.abc import Mapping

from av.stream import Stream

from rfdn_video.media.encoding.target import Container
from rfdn_video.media.muxing.streams import CarriedStream
from rfdn_video.media.muxing.tags import lost_track_tags
from rfdn_video.media.reading.info import MediaInfo
from rfdn_video.media.reading.source import open_source

__all__ = ["lost_of_streams"]

# What comes back of each container as FFmpeg writes and reads it: of any stream, and of subtitles beside that.
_KEPT = {
    "mp4": {"dub", "comment", "forced", "hearing_impaired", "visual_impaired", "captions", "descriptions"},
    "mkv": {"dub", "original", "comment", "forced", "hearing_impaired", "visual_impaired"},
    "webm": {"forced"},
    "nut": {"dub", "original", "comment", "lyrics", "karaoke"},
}
_KEPT_OF_SUBTITLES = {"mkv": {"descriptions"}, "webm": {"captions", "descriptions", "metadata"}}

# MP4 has one word for both, which FFmpeg reads as both; who keeps one of them keeps all.
_TWINS = {"hearing_impaired": "captions", "visual_impaired": "descriptions"}
_TWINS |= {twin: name for name, twin in _TWINS.items()}

# They say how a stream is stored, or which one a player begins with; each container has its own way of that.
_TECHNICAL = {"default", "attached_pic", "timed_thumbnails", "still_image", "multilayer"}


def lost_of_streams(info: MediaInfo, carried: tuple[CarriedStream, ...], container: Container) -> list[str]:
    """What ``container`` does not keep, in words, of the video and the streams that go along.

    Raises:
        InputError: the source cannot be opened any more.
    """
    if info.sides is None:
        return []
    kinds = {info.video.index: "video"} if info.video.index >= 0 else {}
    kinds |= {stream.source.index: stream.source.kind for stream in carried}
    with open_source(info.sides) as source:
        streams = {f"{kind} stream {index}": (kind, source.streams[index]) for index, kind in kinds.items()}
        lost = _lost_words(streams, container) + _lost_dispositions(streams, container.name)
    return [f"{what}: {container.name} has no place for it" for what in lost]


def _lost_words(streams: Mapping[str, tuple[str, Stream]], container: Container) -> list[str]:
    described = {name: stream for name, (kind, stream) in streams.items() if kind not in ("attachment", "cover")}
    lost = lost_track_tags([stream.metadata for stream in described.values()], container)
    return [f"metadata {', '.join(keys)} of {name}" for name, keys in zip(described, lost, strict=True) if keys]


def _lost_dispositions(streams: Mapping[str, tuple[str, Stream]], container_name: str) -> list[str]:
    lost = []
    for name, (kind, stream) in streams.items():
        marks = {str(one.name) for one in stream.disposition}
        kept = marks & _kept(kind, container_name)
        if gone := [mark for mark in sorted(marks - kept) if _TWINS.get(mark) not in kept]:
            lost.append(f"disposition {', '.join(gone)} of {name}")
    return lost


def _kept(kind: str, container: str) -> set[str]:
    of_subtitles = _KEPT_OF_SUBTITLES.get(container, set()) if kind == "subtitle" else set()
    return _KEPT.get(container, set()) | of_subtitles | _TECHNICAL
