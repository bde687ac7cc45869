"""What a stream is there for (a commentary, for the deaf, forced ...), and what of that a container cannot say."""

from __future__ import annotations

from rfdn_video.media.encoding.target import Container
from rfdn_video.media.muxing.streams import CarriedStream
from rfdn_video.media.reading.info import MediaInfo
from rfdn_video.media.reading.source import open_source

__all__ = ["lost_dispositions"]

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


def lost_dispositions(info: MediaInfo, carried: tuple[CarriedStream, ...], container: Container) -> list[str]:
    """What ``container`` does not keep, in words, of the video and the streams that go along.

    Raises:
        InputError: the source cannot be opened any more.
    """
    if info.sides is None:
        return []
    kinds = {info.video.index: "video"} if info.video.index >= 0 else {}
    kinds |= {stream.source.index: stream.source.kind for stream in carried}
    lost = []
    with open_source(info.sides) as source:
        for index, kind in kinds.items():
            names = {str(one.name) for one in source.streams[index].disposition}
            kept = names & _kept(kind, container.name)
            if gone := [name for name in sorted(names - kept) if _TWINS.get(name) not in kept]:
                which = f"disposition {', '.join(gone)} of {kind} stream {index}"
                lost.append(f"{which}: {container.name} has no place for it")
    return lost


def _kept(kind: str, container: str) -> set[str]:
    of_subtitles = _KEPT_OF_SUBTITLES.get(container, set()) if kind == "subtitle" else set()
    return _KEPT.get(container, set()) | of_subtitles | _TECHNICAL
