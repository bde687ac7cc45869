"""What the streams beside the main video are."""

from __future__ import annotations

from av.container import InputContainer
from av.stream import Disposition, Stream
from av.video.stream import VideoStream

from rfdn_video.limits import MAX_LOOKED_BYTES
from rfdn_video.media.reading.info import OtherStream
from rfdn_video.media.reading.late_sound import is_undescribed

__all__ = ["describe_other", "is_cover"]


def is_cover(stream: Stream) -> bool:
    """Cover art and thumbnails are pictures about the file, not its video."""
    return bool(stream.disposition & (Disposition.attached_pic | Disposition.timed_thumbnails))


def describe_other(stream: Stream, main: VideoStream | None, container: InputContainer) -> OtherStream:
    """What a stream is, beside the main video stream (None in a file of sound)."""
    kind: str = stream.type or "data"
    reason = None
    context = getattr(stream, "codec_context", None)
    codec = context.codec.canonical_name if context is not None else ""
    if kind == "video":
        kind = "cover" if is_cover(stream) else "video"
        reason = None if kind == "cover" or main is None else f"only one video stream is enlarged, number {main.index}"
    elif kind == "data":
        kind, reason = _describe_data(stream, container)
    elif kind in ("audio", "subtitle") and not codec:
        reason = "the file does not describe its codec"
    elif is_undescribed(stream):
        reason = f"no packet in the first {MAX_LOOKED_BYTES >> 20} MiB of the file says its sample rate"
    return OtherStream(stream.index, kind, codec or "unknown", stream.language, reason)


def _describe_data(stream: Stream, container: InputContainer) -> tuple[str, str | None]:
    """Timecode is a tag of the video too, and chapters are chapters: muxers write such streams from those."""
    if "timecode" in stream.metadata:
        return "timecode", None
    chapters = len(container.chapters())
    if chapters and container.format.name.startswith("mov") and stream.frames == chapters:
        return "chapters", None
    return "data", "data streams cannot be carried"
