"""The inputs of commands that take videos only."""

from __future__ import annotations

from pathlib import Path

from rfdn_video.errors import InputError

__all__ = ["check_is_film"]


def check_is_film(path: Path, done: str) -> None:
    """Refuses what is no file, and still images, which the main job alone takes.

    Args:
        path: of the input.
        done: to videos, such as "compared".

    Raises:
        InputError: with what it is instead.
    """
    from rfdn_video.media.reading.source import check_is_file
    from rfdn_video.suffixes import STILL_SUFFIXES

    check_is_file(path)
    if path.suffix.lower() in STILL_SUFFIXES:
        raise InputError(f"{path}: still images are not {done} here; give a video")
