"""Decides what becomes of every stream beside the video: copied, converted, or dropped with a reason."""

from __future__ import annotations

from dataclasses import dataclass

from av.codec import Codec
from av.codec.codec import UnknownCodecError

from rfdn_video.errors import OutputError
from rfdn_video.media.encoding.target import Container
from rfdn_video.media.reading.info import MediaInfo, OtherStream

__all__ = ["CarriedStream", "decide_streams"]

COMMON_AUDIO_ENCODERS = ("aac", "libopus", "flac", "ac3", "libmp3lame", "pcm_s16le")

_TEXT_SUBTITLES = frozenset(("ass", "mov_text", "ssa", "subrip", "text", "webvtt"))
# Text subtitles that a container holds as they are, and what the others become in it.
_HELD_TEXT = {
    "mp4": frozenset(("mov_text",)),
    "mov": frozenset(("mov_text",)),
    "mkv": frozenset(("ass", "ssa", "subrip", "text", "webvtt")),
    "webm": frozenset(("webvtt",)),
}
_TEXT_CODEC = {"mp4": "mov_text", "mov": "mov_text", "mkv": "subrip", "webm": "webvtt"}


@dataclass(frozen=True)
class CarriedStream:
    """A stream that goes along.

    Attributes:
        source: in the source.
        codec: encoder that it is converted with; None where it is copied packet for packet.
    """

    source: OtherStream
    codec: str | None = None

    def __str__(self) -> str:
        language = f", {self.source.language}" if self.source.language else ""
        conversion = f" -> {self.codec}" if self.codec else ""
        return f"{self.source.kind} stream {self.source.index} ({self.source.codec}{conversion}{language})"


def decide_streams(
    info: MediaInfo, container: Container, audio: str
) -> tuple[tuple[CarriedStream, ...], tuple[str, ...]]:
    """What goes along, and what does not, in words.

    Args:
        info: the source.
        container: where it goes.
        audio: ``"copy"``, ``"none"``, or an audio encoder.

    Raises:
        OutputError: no such audio encoder.
    """
    if audio not in ("copy", "none"):
        _check_audio_encoder(audio)
    carried, dropped = [], []
    for stream in info.others:
        if stream.kind in ("timecode", "chapters"):
            continue  # the tag and the list of chapters go along by themselves
        if stream.kind == "audio" and audio == "none":
            continue  # as asked for: nothing is lost
        reason = _why_dropped(stream, container)
        if reason is None:
            carried.append(CarriedStream(stream, _conversion(stream, container, audio)))
        else:
            dropped.append(f"{stream.kind} stream {stream.index} ({stream.codec}): {reason}")
    return tuple(carried), tuple(dropped)


def _why_dropped(stream: OtherStream, container: Container) -> str | None:
    if stream.drop_reason is not None:
        return stream.drop_reason
    if stream.kind not in container.carries:
        return f"{container.name} holds none"
    return None


def _conversion(stream: OtherStream, container: Container, audio: str) -> str | None:
    if stream.kind == "audio" and audio != "copy":
        return audio
    if stream.kind == "subtitle" and stream.codec in _TEXT_SUBTITLES - _HELD_TEXT.get(container.name, frozenset()):
        return _TEXT_CODEC[container.name]
    return None


def _check_audio_encoder(name: str) -> None:
    try:
        known = Codec(name, "w").type == "audio"
    except UnknownCodecError:
        known = False
    if not known:
        raise OutputError(
            f"no audio encoder {name!r}; allowed: copy, none, or one of {', '.join(COMMON_AUDIO_ENCODERS)} ..."
        )
