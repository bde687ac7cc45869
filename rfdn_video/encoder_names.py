"""What an encoder may be called: by its codec, by its library, or as FFmpeg calls it."""

from __future__ import annotations

__all__ = ["encoder_name"]

_ALIASES = {
    "h264": "libx264",
    "avc": "libx264",
    "x264": "libx264",
    "h265": "libx265",
    "hevc": "libx265",
    "x265": "libx265",
    "av1": "libsvtav1",
    "svtav1": "libsvtav1",
    "svt-av1": "libsvtav1",
    "aom": "libaom-av1",
    "rav1e": "librav1e",
    "vp9": "libvpx-vp9",
    "prores": "prores_ks",
    "theora": "libtheora",
    "xvid": "libxvid",
}


def encoder_name(wanted: str) -> str:
    """FFmpeg's name of an encoder that may have been called by its codec or library, such as hevc or x265."""
    return _ALIASES.get(wanted.lower(), wanted)
