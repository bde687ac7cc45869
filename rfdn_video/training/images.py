"""Still images from disk."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from rfdn_video.errors import InputError
from rfdn_video.training.imresize import RGB8

__all__ = ["IMAGE_SUFFIXES", "find_images", "read_image"]

IMAGE_SUFFIXES = frozenset({".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"})


def find_images(folder: Path) -> list[Path]:
    """Image files directly in a folder, by name.

    Raises:
        InputError: no such folder, or no image in it.
    """
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder; give one with images in it")
    found = sorted(path for path in folder.iterdir() if path.suffix.lower() in IMAGE_SUFFIXES)
    if not found:
        raise InputError(f"{folder}: holds no image ({', '.join(sorted(IMAGE_SUFFIXES))})")
    return found


def read_image(path: Path) -> RGB8:
    """Reads an image as R'G'B', [H, W, 3] in 0..255; gray is spread, transparency is dropped.

    Raises:
        InputError: it cannot be read.
    """
    try:
        with Image.open(path) as image:
            return np.array(image.convert("RGB"))
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError, ValueError) as error:
        raise InputError(f"{path}: not a readable image: {error}") from None
