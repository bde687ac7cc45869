"""Opens a local media file, and nothing else: no protocols, no playlists, no devices."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

import av
from av.container import InputContainer

from rfdn_video.errors import InputError
from rfdn_video.media.truncation import top_level_boxes

__all__ = ["STILL_SUFFIXES", "check_is_file", "open_source"]

# fmt: off
DEMUXERS = frozenset((
    "asf", "avi", "dv", "flv", "gif", "h264", "hevc", "ivf", "matroska", "mov", "mp4", "mpeg", "mpegts",
    "mpegvideo", "mxf", "nut", "obu", "ogg", "rm", "webm", "yuv4mpegpipe",
))
# fmt: on
"""Containers of media. Not here: playlists and whatever else opens further files (hls, dash, concat, sdp ...)."""

STILL_SUFFIXES = frozenset((".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"))


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


def open_source(path: Path) -> InputContainer:
    """Opens ``path`` for demuxing.

    The path is made absolute, so that no name can be taken for a protocol or an option, and the
    demuxer may open no other file.

    Raises:
        InputError: it is no media, damaged beyond opening, or of a container that is not read.
    """
    check_is_file(path)
    try:
        container = av.open(str(path.absolute()), container_options={"protocol_whitelist": "file"})
    except PermissionError as error:
        raise InputError(
            f"{path}: {error.strerror or error}; playlists and scripts are not read, only media files"
        ) from None
    except (av.FFmpegError, OSError, ValueError) as error:
        raise InputError(f"{path}: {_why_unreadable(path)} ({_reason(error)})") from None
    names = set(container.format.name.split(","))
    if not names & DEMUXERS:
        container.close()
        raise InputError(
            f"{path}: is {container.format.long_name or container.format.name}, not a video container that is read"
        )
    return container


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error).splitlines()[0]


def _why_unreadable(path: Path) -> str:
    """Tells an interrupted download or an encrypted file from something that is no media at all."""
    with path.open("rb") as file:
        head = file.read(1 << 20)
    if head[4:8] != b"ftyp":
        return "not a media file that can be read"
    if b"pssh" in head or b"cenc" in head:
        return "an encrypted MP4; only unprotected files can be read"
    if not any(name == b"moov" for name, _, _ in top_level_boxes(path)):
        return "an MP4 without its index (moov), as an interrupted download or recording leaves it"
    return "a damaged MP4"
