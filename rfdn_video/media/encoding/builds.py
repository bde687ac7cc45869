"""What a build of FFmpeg offers: PyAV's own one here, the system's in media/encoding/ffmpeg_program.py."""

from __future__ import annotations

from typing import Protocol

import av
from av.codec import Codec
from av.codec.codec import UnknownCodecError

__all__ = ["Build", "LibavBuild"]


class Build(Protocol):
    """One build of FFmpeg.

    Attributes:
        title: what it is called in messages.
        version: of what encodes.
        remedy: where else to look for an encoder that it does not have.
        takes_captions: closed captions get to its encoders.
    """

    @property
    def title(self) -> str: ...
    @property
    def version(self) -> str: ...
    @property
    def remedy(self) -> str: ...
    @property
    def takes_captions(self) -> bool: ...

    def has_encoder(self, name: str) -> bool:
        """It has a video encoder of that name."""

    def pixel_formats(self, encoder: str) -> frozenset[str]:
        """FFmpeg's names of the formats that an encoder takes; empty where it takes any."""


class LibavBuild:
    """The libraries that come with PyAV."""

    title = "the FFmpeg that comes with PyAV"
    version = f"PyAV {av.__version__}, libavcodec {'.'.join(map(str, av.library_versions['libavcodec']))}"
    remedy = "; the ffmpeg program may have others, see --encoder-backend ffmpeg"
    takes_captions = True

    def has_encoder(self, name: str) -> bool:
        """It has a video encoder of that name."""
        try:
            return Codec(name, "w").type == "video"
        except UnknownCodecError:
            return False

    def pixel_formats(self, encoder: str) -> frozenset[str]:
        """FFmpeg's names of the formats that an encoder takes; empty where it takes any."""
        return frozenset(f.name for f in Codec(encoder, "w").video_formats or ())
