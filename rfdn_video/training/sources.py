"""From folders and files of the user to cached training pairs."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from rfdn_video.errors import InputError
from rfdn_video.suffixes import STILL_SUFFIXES, VIDEO_SUFFIXES
from rfdn_video.training.clips import darken_edges, film_still, random_motion, read_clips, read_frames
from rfdn_video.training.codec import encode_and_decode, random_encoding
from rfdn_video.training.data import PairCache, open_cache, write_cache
from rfdn_video.training.images import read_image
from rfdn_video.training.imresize import RGB8, imresize
from rfdn_video.training.recipe import Recipe

__all__ = ["cache_name", "find_sources", "prepare_cache"]

CLIP_SIDE = 80
"""Side of a compressed clip in pixels, at least: what surrounds a patch is what it is predicted from."""
KEPT_FRAMES = 3
"""Of a clip: its frames are much alike."""
_LAYOUT = 2  # of the cache; raise it when what is written changes

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
        found += [file for file in files if file.suffix.lower() in STILL_SUFFIXES | VIDEO_SUFFIXES]
    if not found:
        raise InputError(f"{', '.join(map(str, given))}: holds no image or video to train on")
    return found


def cache_name(sources: Sequence[Path], recipe: Recipe) -> str:
    """Changes with whatever changes the pairs: files, scale and degradation."""
    stats = [(str(path.absolute()), path.stat().st_size, path.stat().st_mtime_ns) for path in sources]
    degradation: list[object] = [recipe.degradation]
    if recipe.degradation == "video":
        degradation += [recipe.clips, recipe.seed, recipe.patch, recipe.least_crf, recipe.most_crf]
        degradation += [recipe.dark_edges] if recipe.dark_edges else []
    content = json.dumps([_LAYOUT, recipe.scale, degradation, stats])
    return f"x{recipe.scale}-{recipe.degradation}-{hashlib.sha256(content.encode()).hexdigest()[:16]}"


def prepare_cache(sources: Sequence[Path], recipe: Recipe, folder: Path, report: Report) -> PairCache:
    """Opens the cache of these sources under ``folder``, making it first where it is not there.

    Args:
        report: told how many pairs were made so far.

    Raises:
        InputError: a source cannot be read, or none gives a pair.
        OutputError: the cache cannot be written.
    """
    target = folder / cache_name(sources, recipe)
    if not target.is_dir():
        write_cache(target, _counted(_pairs(sources, recipe), report))
    return open_cache(target, recipe.scale)


def _counted(pairs: Iterator[tuple[RGB8, RGB8]], report: Report) -> Iterator[tuple[RGB8, RGB8]]:
    for count, pair in enumerate(pairs, 1):
        report(count)
        yield pair


def _pairs(sources: Sequence[Path], recipe: Recipe) -> Iterator[tuple[RGB8, RGB8]]:
    if recipe.degradation == "video":
        return video_pairs(sources, recipe)
    return bicubic_pairs(sources, recipe.scale)


def bicubic_pairs(sources: Sequence[Path], scale: int) -> Iterator[tuple[RGB8, RGB8]]:
    """Each image, and frames of each video, with their copies reduced by MATLAB's bicubic."""
    for path in sources:
        images = [read_image(path)] if path.suffix.lower() in STILL_SUFFIXES else read_frames(path)
        for image in images:
            height, width = (side // scale * scale for side in image.shape[:2])
            if height and width:
                high = image[:height, :width]
                yield imresize(high, 1 / scale), high


def video_pairs(sources: Sequence[Path], recipe: Recipe) -> Iterator[tuple[RGB8, RGB8]]:
    """Frames out of compressed clips with their originals; the clips are shared out among the sources.

    Sources that are smaller than a clip give smaller ones, and those too small to encode none.
    """
    scale, side = recipe.scale, -(-max(CLIP_SIDE, recipe.patch) // 2) * 2
    for number, path in enumerate(sources):
        random = np.random.default_rng([recipe.seed, number])
        clips = recipe.clips * (number + 1) // len(sources) - recipe.clips * number // len(sources)
        for high in _clips(path, clips, side * scale, recipe, random):
            low = [imresize(frame, 1 / scale) for frame in high]
            encoding = random_encoding(random, min(low[0].shape[:2]), recipe.least_crf, recipe.most_crf)
            low = encode_and_decode(low, encoding)
            for kept in sorted(random.choice(len(high), KEPT_FRAMES, replace=False)):
                yield low[kept], high[kept]


def _clips(path: Path, clips: int, side: int, recipe: Recipe, random: np.random.Generator) -> Iterator[list[RGB8]]:
    """Clips of up to ``side`` pixels a side, whose reduced copies have even sides."""
    step = 2 * recipe.scale
    if path.suffix.lower() not in STILL_SUFFIXES:
        for clip in read_clips(path, clips, side, random):
            height, width = (size // step * step for size in clip[0].shape[:2])
            if height and width:
                yield [frame[:height, :width] for frame in clip]
        return
    still = read_image(path)
    side = min(side, min(still.shape[:2]) // step * step)
    for _ in range(clips if side else 0):
        clip = film_still(still, side, random_motion(random, recipe.scale), random)
        yield darken_edges(clip, recipe.dark_edges, random) if recipe.dark_edges else clip
