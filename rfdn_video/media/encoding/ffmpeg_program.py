"""What the ffmpeg program on the PATH offers, asked from itself."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterable
from functools import cache

from rfdn_video.errors import OutputError

__all__ = ["FFmpegBuild"]

_ENCODER = re.compile(r"^ V\S{5} (\S+)", re.MULTILINE)
_OPTION = re.compile(r"^  -(\S+) +<\w+> +E", re.MULTILINE)
_FORMATS = re.compile(r"Supported pixel formats: (.*)")

# Those options of all encoders that have to do with how they work, not with what the pictures are.
# fmt: off
_GENERAL = frozenset((
    "b", "bf", "bufsize", "cmp", "compression_level", "flags", "flags2", "g", "global_quality", "keyint_min", "level",
    "maxrate", "mbd", "me_range", "minrate", "profile", "qcomp", "qdiff", "qmax", "qmin", "rc_init_occupancy", "refs",
    "slices", "strict", "subq", "thread_type", "threads", "trellis",
))
# fmt: on


class FFmpegBuild:
    """The ffmpeg program on the PATH.

    Raises:
        OutputError: there is none, or it is too old.
    """

    title = "the ffmpeg program on the PATH"
    remedy = ""
    takes_captions = False  # NUT holds none

    def __init__(self) -> None:
        program = shutil.which("ffmpeg")
        if program is None:
            raise OutputError("--encoder-backend ffmpeg: no ffmpeg program on the PATH; install it, or use the other")
        self.program = program
        if "-fps_mode" not in _answer(program, "-h", "long"):
            raise OutputError(f"--encoder-backend ffmpeg: {self.version or program} is too old; 5.1 or later is needed")

    @property
    def version(self) -> str:
        """What it calls itself."""
        return _answer(self.program, "-version").partition(" Copyright")[0]

    def has_encoder(self, name: str) -> bool:
        """It has a video encoder of that name."""
        return name in _ENCODER.findall(_answer(self.program, "-encoders"))

    def pixel_formats(self, encoder: str) -> frozenset[str]:
        """FFmpeg's names of the formats that an encoder takes; empty where it takes any."""
        found = _FORMATS.search(_answer(self.program, "-h", f"encoder={encoder}"))
        return frozenset(found[1].split()) if found else frozenset()

    def check_options(self, encoder: str, names: Iterable[str]) -> None:
        """Lets nothing through that is no option of the encoder: the program takes names of files and filters too.

        Raises:
            OutputError: names the first that is none.
        """
        known = _GENERAL | set(_OPTION.findall(_answer(self.program, "-h", f"encoder={encoder}")))
        unknown = sorted(set(names) - known)
        if unknown:
            raise OutputError(f"encoder {encoder} of {self.title} does not know the option {unknown[0]!r}")


@cache
def _answer(program: str, *question: str) -> str:
    command = [program, "-hide_banner", "-v", "error", "-nostdin", *question]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)  # noqa: S603 (no shell)
        return done.stdout
    except (OSError, subprocess.SubprocessError) as error:
        raise OutputError(f"{program} does not work: {error}") from None
