"""From folders and files of the user to cached training pairs."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from rfdn_video.errors import InputError
from rfdn_video.training.data import PairCache, open_cache, write_cache
from rfdn_video.training.images import IMAGE_SUFFIXES, read_image
from rfdn_video.training.imresize import RGB8, imresize
from rfdn_video.training.recipe import Recipe

__all__ = ["VIDEO_SUFFIXES", "find_sources", "prepare_cache"]

VIDEO_SUFFIXES = frozenset({".avi", ".m2ts", ".mkv", ".mov", ".mp4", ".mpg", ".ts", ".webm", ".y4m"})
_LAYOUT = 1  # of the cache; raise it when what is written changes

type Report = Callable[[int], None]


def find_sources(given: Sequence[Path]) -> list[Path]:
    """The images and videos that are given, or lie directly in a folder that is given, by name.

    Raises:
        InputError: a path does not exist, or there is nothing to train on.
    """
    found: list[Path] = []
    for path in given:
        if not path.exists():
            raise InputError(f"{path}: no such file or folder; give images, videos, or folders of them")
        files = sorted(path.iterdir()) if path.is_dir() else [path]
        found += [file for file in files if file.suffix.lower() in IMAGE_SUFFIXES | VIDEO_SUFFIXES]
    if not found:
        raise InputError(f"{', '.join(map(str, given))}: holds no image or video to train on")
    return found


def cache_name(sources: Sequence[Path], recipe: Recipe) -> str:
    """Changes with whatever changes the pairs: files, scale and degradation."""
    stats = [(str(path), path.stat().st_size, path.stat().st_mtime_ns) for path in sources]
    degradation: list[object] = [recipe.degradation]
    if recipe.degradation == "video":
        degradation += [recipe.clips, recipe.seed]
    content = json.dumps([_LAYOUT, recipe.scale, degradation, stats])
    return f"x{recipe.scale}-{recipe.degradation}-{hashlib.sha256(content.encode()).hexdigest()[:16]}"


def prepare_cache(sources: Sequence[Path], recipe: Recipe, folder: Path, report: Report) -> PairCache:
    """Opens the cache of these sources under ``folder``, making it first where it is not there.

    Args:
        report: told how many pairs were made so far.

    Raises:
        InputError: a source cannot be read.
    """
    target = folder / cache_name(sources, recipe)
    if not target.is_dir():
        write_cache(target, _counted(bicubic_pairs(sources, recipe.scale), report))
    return open_cache(target, recipe.scale)


def _counted(pairs: Iterator[tuple[RGB8, RGB8]], report: Report) -> Iterator[tuple[RGB8, RGB8]]:
    for count, pair in enumerate(pairs, 1):
        report(count)
        yield pair


def bicubic_pairs(sources: Sequence[Path], scale: int) -> Iterator[tuple[RGB8, RGB8]]:
    """Each image with its copy reduced by MATLAB's bicubic."""
    for path in sources:
        image = read_image(path)
        height, width = (side // scale * scale for side in image.shape[:2])
        if height and width:
            high = image[:height, :width]
            yield imresize(high, 1 / scale), high
