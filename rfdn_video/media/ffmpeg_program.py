"""What the ffmpeg program on the PATH offers, asked from itself."""

from __future__ import annotations

import re
import shutil
import subprocess
from functools import cache

from rfdn_video.errors import OutputError

__all__ = ["FFmpegBuild"]

_ENCODER = re.compile(r"^ V\S{5} (\S+)", re.MULTILINE)
_FORMATS = re.compile(r"Supported pixel formats: (.*)")


class FFmpegBuild:
    """The ffmpeg program on the PATH.

    Raises:
        OutputError: there is none.
    """

    title = "the ffmpeg program on the PATH"
    remedy = ""
    takes_captions = False  # NUT holds none

    def __init__(self) -> None:
        program = shutil.which("ffmpeg")
        if program is None:
            raise OutputError("--encoder-backend ffmpeg: no ffmpeg program on the PATH; install it, or use the other")
        self.program = program

    def has_encoder(self, name: str) -> bool:
        """It has a video encoder of that name."""
        return name in _ENCODER.findall(_answer(self.program, "-encoders"))

    def pixel_formats(self, encoder: str) -> frozenset[str]:
        """FFmpeg's names of the formats that an encoder takes; empty where it takes any."""
        found = _FORMATS.search(_answer(self.program, "-h", f"encoder={encoder}"))
        return frozenset(found[1].split()) if found else frozenset()


@cache
def _answer(program: str, *question: str) -> str:
    command = [program, "-hide_banner", "-v", "error", "-nostdin", *question]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)  # noqa: S603 (no shell)
        return done.stdout
    except (OSError, subprocess.SubprocessError) as error:
        raise OutputError(f"{program} does not work: {error}") from None
