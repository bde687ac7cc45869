"""Which files a batch takes: those named, and those in folders whose names fit."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from rfdn_video.errors import InputError
from rfdn_video.suffixes import VIDEO_SUFFIXES

__all__ = ["VIDEO_PATTERNS", "Selection", "Source", "find_sources"]

VIDEO_PATTERNS = tuple(f"*{suffix}" for suffix in sorted(VIDEO_SUFFIXES))
"""What is taken out of folders unless patterns are given."""

SCRIPT = ".vpy"


@dataclass(frozen=True)
class Source:
    """One file to do.

    Attributes:
        path: absolute, symbolic links resolved.
        folder: where its result goes, relative to the destination.
        stem: of its name, without the suffix.
    """

    path: Path
    folder: Path
    stem: str


@dataclass(frozen=True)
class Selection:
    """Which files of a folder are taken; upper and lower case are the same.

    Attributes:
        include: patterns such as ``"*.mp4"`` or ``"season 1/*.mkv"``; one must fit.
        exclude: none of these may.
        avoid: folders that are not entered: those that the batch writes to.
    """

    include: tuple[str, ...] = VIDEO_PATTERNS
    exclude: tuple[str, ...] = ()
    avoid: tuple[Path, ...] = ()

    def takes(self, relative: Path) -> bool:
        """Whether a file is taken. Hidden ones never are."""
        if relative.name.startswith("."):
            return False
        return _fits(relative, self.include) and not _fits(relative, self.exclude)


def find_sources(roots: Iterable[Path], selection: Selection, on_error: Callable[[str], None]) -> Iterator[Source]:
    """Gives every file once, sorted within each root.

    Args:
        roots: files, taken whatever they are called, and folders, searched with all that is in them. Symbolic
            links to folders are not followed.
        selection: what is taken out of folders.
        on_error: is told of folders that cannot be read.

    Raises:
        InputError: a root is not there, or is neither file nor folder.
    """
    seen: set[Path] = set()
    for root in roots:
        try:
            root.stat()
        except FileNotFoundError:
            raise InputError(f"{root}: no such file or directory") from None
        except OSError as error:
            raise InputError(f"{root}: cannot be read: {error.strerror}") from None
        if not (root.is_dir() or root.is_file()):
            raise InputError(f"{root}: is neither a file nor a folder")
        found = _walk(root, selection, on_error) if root.is_dir() else [(root, Path(root.name))]
        for path, relative in found:
            if (resolved := _resolve(path)) not in seen:
                seen.add(resolved)
                yield Source(resolved, relative.parent, relative.stem)


def _walk(root: Path, selection: Selection, on_error: Callable[[str], None]) -> Iterator[tuple[Path, Path]]:
    def failed(error: OSError) -> None:
        on_error(f"{error.filename}: cannot be read: {error.strerror}")

    for folder, folders, names in os.walk(root, onerror=failed):
        here = Path(folder)
        folders[:] = sorted(
            name for name in folders if not name.startswith(".") and _resolve(here / name) not in selection.avoid
        )
        for name in sorted(names):
            path = here / name
            # A folder must not get to run code, under another name either.
            is_script = SCRIPT in (path.suffix.lower(), _resolve(path).suffix.lower())
            if selection.takes(path.relative_to(root)) and not is_script and _is_file(path, failed):
                yield path, path.relative_to(root)


def _resolve(path: Path) -> Path:
    """Without symbolic links; links that lead in circles stay, where Path.resolve of Python 3.12 raises."""
    return Path(os.path.realpath(path))


def _is_file(path: Path, failed: Callable[[OSError], None]) -> bool:
    try:
        return path.is_file()
    except OSError as error:  # of a folder whose names may be read and no more, or that a network has just lost
        failed(error)
        return False


def _fits(relative: Path, patterns: tuple[str, ...]) -> bool:
    return any(relative.match(pattern, case_sensitive=False) for pattern in patterns)
