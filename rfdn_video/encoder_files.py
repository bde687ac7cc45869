"""Options of encoders that read or write files of their own: a preset may come from anybody, and must not."""

from __future__ import annotations

import re
from collections.abc import Iterable

__all__ = ["file_option"]

# Of x264, x265, SVT-AV1 and libaom, and of FFmpeg for them; two passes keep a file, too.
# fmt: off
_FILES = frozenset((
    "analysis-load", "analysis-save", "cqmfile", "csv", "csvfile", "dhdr10-info", "dolby-vision-rpu", "dump-yuv",
    "fgs-table", "film-grain-table", "load-plugins", "pass", "passes", "passlogfile", "qpfile", "recon", "scaling-list",
    "stats", "stats-read", "stats-write", "two-pass-input", "two-pass-output", "zonefile",
))
# fmt: on
_LIKE_FILES = re.compile(r".*-(file|filename|path)")
_PASSES = re.compile(r"pass[12]")
_LISTS = re.compile(r".*(params|opts)")
_QUOTED = re.compile(r"[\\']")


def file_option(options: Iterable[str]) -> str | None:
    """The first of these that makes an encoder read or write a file.

    Args:
        options: each ``"name=value"``; the value may be a list of the encoder library's own, ``"x265-params=a=1:b=2"``.
    """
    return next((option for option in options if _names_file(option)), None)


def _names_file(option: str) -> bool:
    name, _, value = option.partition("=")
    if _is_file(name) or (name == "flags" and _PASSES.search(value)):
        return True
    if not _LISTS.fullmatch(name):
        return False
    # FFmpeg takes quotation marks and backslashes out of a list, so a name could hide behind them.
    return bool(_QUOTED.search(value)) or any(_is_file(part.partition("=")[0]) for part in value.split(":"))


def _is_file(name: str) -> bool:
    plain = name.strip().lower().replace("_", "-").removeprefix("no-")
    return plain in _FILES or _LIKE_FILES.fullmatch(plain) is not None
