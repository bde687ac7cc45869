"""Still images from disk."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from rfdn_video.errors import InputError
from rfdn_video.suffixes import STILL_SUFFIXES
from rfdn_video.training.imresize import RGB8

__all__ = ["find_images", "read_image"]


def find_images(folder: Path) -> list[Path]:
    """Image files directly in a folder, by name.

    Raises:
        InputError: no such folder, or no image in it.
    """
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder; give one with images in it")
    found = sorted(path for path in folder.iterdir() if path.suffix.lower() in STILL_SUFFIXES)
    if not found:
        raise InputError(f"{folder}: holds no image ({', '.join(sorted(STILL_SUFFIXES))})")
    return found


def read_image(path: Path) -> RGB8:
    """Reads an image as R'G'B', [H, W, 3] in 0..255; gray is spread, transparency is dropped, 16 bits become 8.

    Raises:
        InputError: it cannot be read, or its samples have more than 16 bits.
    """
    try:
        with Image.open(path) as image:
            if image.mode.startswith("I;16"):  # Pillow would cut off what is above 255
                gray = (np.asarray(image).astype(np.float32) / 257).round().astype(np.uint8)
                return np.repeat(gray[..., None], 3, axis=2)
            if image.mode in ("I", "F"):
                raise ValueError("its samples have 32 bits; 8 and 16 are read")
            return np.array(image.convert("RGB"))
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError, ValueError) as error:
        raise InputError(f"{path}: not a readable image: {error}") from None
