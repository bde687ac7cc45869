"""By which suffixes of their names still images and videos are known, where only names are looked at."""

from __future__ import annotations

__all__ = ["STILL_SUFFIXES", "VIDEO_SUFFIXES"]

STILL_SUFFIXES = frozenset((".bmp", ".jfif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"))

# fmt: off
VIDEO_SUFFIXES = frozenset((
    ".264", ".265", ".3gp", ".asf", ".avi", ".divx", ".dv", ".flv", ".h264", ".h265", ".hevc", ".ivf", ".m2ts", ".m2v",
    ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".mts", ".mxf", ".nut", ".obu", ".ogv", ".rm", ".rmvb", ".ts",
    ".vob", ".webm", ".wmv", ".y4m",
))
# fmt: on
