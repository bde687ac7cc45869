"""Opens a local media file, and nothing else: no protocols, no playlists, no devices."""

from __future__ import annotations

import os
import re
import stat
from contextlib import suppress
from pathlib import Path

import av
from av.codec.hwaccel import HWAccel
from av.container import InputContainer

from rfdn_video.errors import DeviceError, InputError
from rfdn_video.limits import MAX_ATTACHED_BYTES, MAX_CHAPTERS, MAX_PIXELS, MAX_STREAMS, MAX_TAG_BYTES
from rfdn_video.media.boxes import boxes
from rfdn_video.media.libav_log import errors_logged

__all__ = ["check_is_file", "open_source"]

# fmt: off
DEMUXERS = (
    "asf", "avi", "dv", "flv", "gif", "h264", "hevc", "ivf", "matroska", "mov", "mp4", "mpeg", "mpegts",
    "mpegvideo", "mxf", "nut", "obu", "ogg", "rm", "webm", "yuv4mpegpipe",
)
# fmt: on
"""Containers of media. Not here: playlists and whatever else opens further files (hls, dash, concat, sdp ...)."""

# One more than is allowed: the demuxer leaves the rest out, without a word.
_OPENING = {
    "protocol_whitelist": "file",
    "format_whitelist": ",".join(DEMUXERS),
    "max_streams": str(MAX_STREAMS + 1),
}
_ANY_TIME = str(10**15)  # microseconds
_DECODING = {"max_pixels": str(MAX_PIXELS)}  # libav decodes a little to find out what a stream is

_PLAYLIST = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]*>\s*)?"
    rb"(?:#EXTM3U|ffconcat version|<MPD|<SmoothStreaming|v=0\s|\[Reference|\[playlist)"
)


def check_is_file(path: Path) -> None:
    """Refuses what cannot be a media file before anything heavy is loaded.

    Raises:
        InputError: missing, a directory, a pipe or device, unreadable, or empty.
    """
    try:
        status = path.stat()
    except FileNotFoundError:
        hint = "; only local files are read, no URLs" if re.match(r"[a-z][a-z0-9+.-]+:/", str(path)) else ""
        raise InputError(f"{path}: no such file{hint}") from None
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}") from None
    if stat.S_ISDIR(status.st_mode):
        raise InputError(f"{path}: is a directory; give the files in it")
    if not stat.S_ISREG(status.st_mode):
        raise InputError(f"{path}: is not a regular file; pipes and devices cannot be sought in")
    if status.st_size == 0:
        raise InputError(f"{path}: empty file")
    if not os.access(path, os.R_OK):
        raise InputError(f"{path}: may not be read; its permissions forbid it")


def open_source(path: Path, hwaccel: HWAccel | None = None, *, looked: int | None = None) -> InputContainer:
    """Opens ``path`` for demuxing.

    The path is made absolute, so that no name can be taken for a protocol, a pattern or an option. The demuxer
    must be one of :data:`DEMUXERS` before it reads anything, and it may open no other file.

    Args:
        path: of the file.
        hwaccel: where video is decoded, if not in software.
        looked: how many bytes FFmpeg looks at to find out what the streams are; None is its 5 MB and seconds.

    Raises:
        DeviceError: the hardware decodes no stream of it.
        InputError: it is no media, damaged beyond opening, of a container that is not read, or beyond
            :mod:`rfdn_video.limits`.
    """
    check_is_file(path)
    look = {} if looked is None else {"probesize": str(looked), "analyzeduration": _ANY_TIME}
    try:
        container = av.open(str(path.absolute()), options=_DECODING, container_options=_OPENING | look, hwaccel=hwaccel)
    except (av.FFmpegError, OSError, ValueError) as error:
        if isinstance(error, MemoryError) and _too_many_streams(path):
            raise _beyond(path, "streams", MAX_STREAMS, f"more than {MAX_STREAMS}") from None
        raise InputError(f"{path}: {_why_unreadable(path)} ({_reason(error)})") from None
    except RuntimeError as error:  # PyAV's, where it may not fall back to software
        raise DeviceError(f"{path}: {error}; leave --hwaccel away") from None
    try:
        _check_limits(container, path)
    except BaseException:
        container.close()
        raise
    return container


def _check_limits(container: InputContainer, path: Path) -> None:
    attached = sum(len(stream.data) for stream in container.streams.attachments)
    words = (item for tags in (container, *container.streams) for pair in tags.metadata.items() for item in pair)
    counts = {
        "streams": (len(container.streams), MAX_STREAMS),
        "chapters": (len(container.chapters()), MAX_CHAPTERS),
        "bytes of attachments": (attached, MAX_ATTACHED_BYTES),
        "characters of metadata": (sum(map(len, words)), MAX_TAG_BYTES),
    }
    for what, (count, limit) in counts.items():
        if count > limit:
            found = f"more than {limit}" if what == "streams" else count  # the demuxer has stopped there
            raise _beyond(path, what, limit, found)


def _too_many_streams(path: Path) -> bool:
    """MP4's demuxer gives up where Matroska's stops: for want of memory, it says, and why in its log only."""
    with errors_logged() as log, suppress(av.FFmpegError):
        av.open(str(path.absolute()), options=_DECODING, container_options=_OPENING).close()
    return any("exceeds max_streams" in text for _, _, text in log)


def _beyond(path: Path, what: str, limit: int, found: int | str) -> InputError:
    return InputError(f"{path}: holds {found} {what}; up to {limit} are read; remux it without them")


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error).splitlines()[0]


def _why_unreadable(path: Path) -> str:
    """Tells an interrupted download, an encrypted file or a playlist from something that is no media at all."""
    with path.open("rb") as file:
        head = file.read(1 << 20)
        has_index = any(box.name == b"moov" for box in boxes(file, 0, path.stat().st_size))
    if _PLAYLIST.match(head):
        return "a playlist or list of files; only media files are read"
    if head[4:8] != b"ftyp":
        return f"not a media file that can be read; containers that are: {', '.join(DEMUXERS)}"
    if b"pssh" in head or b"cenc" in head:
        return "an encrypted MP4; only unprotected files can be read"
    if not has_index:
        return "an MP4 without its index (moov), as an interrupted download or recording leaves it"
    return "a damaged MP4"
