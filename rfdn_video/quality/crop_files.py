"""The crops of a preview as PNG files, each under a name of its own."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Sequence
from glob import escape
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from rfdn_video.errors import OutputError
from rfdn_video.quality.names import distinct_names
from rfdn_video.quality.preview import BASELINES, View

__all__ = ["as_png", "check_images", "save_images"]


def check_images(folder: Path, sources: Sequence[Path], ways: Sequence[str], *, overwrite: bool) -> None:
    """Refuses before the work what :func:`save_images` could not write.

    Args:
        folder: the files' own.
        sources: the videos.
        ways: names of the candidates.

    Raises:
        OutputError: two would have one name, or crops of a video are there already, and may not be replaced.
    """
    names = _names(sources)
    for kind in (names, [_words(way) for way in (*BASELINES, *ways)]):
        name, count = Counter(kind).most_common(1)[0]
        if count > 1:
            raise OutputError(f"{folder}: {count} would have crops named {name}; preview each into a folder of its own")
    for name in names:
        there = sorted(folder.glob(f"{escape(name)}_?????.???_*.png"))
        if there and not overwrite:
            raise OutputError(f"{there[0]}: exists already; give another folder, or --overwrite to replace it")


def save_images(views: Sequence[View], folder: Path, *, overwrite: bool) -> list[Path]:
    """Writes every layer of every view as PNG; gives the files.

    Raises:
        FileExistsError: one is there already, and may not be replaced.
    """
    sources = list(dict.fromkeys(view.source for view in views))
    names = dict(zip(sources, _names(sources), strict=True))
    paths = []
    for view in views:
        for layer, image in view.layers.items():
            path = folder / f"{names[view.source]}_{float(view.time):09.3f}_{_words(layer)}.png"
            with path.open("wb" if overwrite else "xb") as file:
                file.write(as_png(image))
            paths.append(path)
    return paths


def as_png(image: NDArray[np.uint8]) -> bytes:
    """A picture [height, width, 3] as the bytes of a PNG file."""
    data = io.BytesIO()
    Image.fromarray(image).save(data, "png")
    return data.getvalue()


def _names(sources: Sequence[Path]) -> list[str]:
    return [name.replace("/", "_") for name in distinct_names(sources)]


def _words(name: str) -> str:
    """With nothing but letters, digits, dots and dashes, which every file system takes."""
    return "_".join("".join(c if c.isalnum() or c in "-." else " " for c in name).split())
