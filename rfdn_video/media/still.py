"""Still images: read to upright RGB planes, written back with what their files say of them."""

from __future__ import annotations

import io
import struct
import warnings
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from rfdn_video.errors import InputError, OutputError
from rfdn_video.limits import MAX_STILL_PIXELS
from rfdn_video.media.reading.source import check_is_file
from rfdn_video.media.still_words import save_options, turn_upright, untold_colour, words_of
from rfdn_video.suffixes import STILL_SUFFIXES

__all__ = ["Still", "check_holds", "read_still", "write_still"]

_SAVE_OPTIONS: dict[str, dict[str, Any]] = {
    "JPEG": {"quality": 95, "subsampling": 0},
    "WEBP": {"quality": 95},
    "TIFF": {"compression": "tiff_deflate"},
}
_LOSSLESS_WEBP = {"lossless": True, "exact": True}
_REFUSALS = (OSError, RuntimeError, ValueError, struct.error)
"""What Pillow raises where a format does not take something."""
_HOLDS_ALPHA = frozenset((".png", ".webp", ".tif", ".tiff"))


@dataclass(frozen=True)
class Still:
    """A picture as it is shown, and what the file says about it.

    Attributes:
        rgb: [height, width, 3] uint8.
        alpha: [height, width] uint8, or None.
        gray: the file holds one channel; the three of ``rgb`` are equal.
        lossless: nothing was lost when the file was written.
        extras: what the file says in words, see :mod:`rfdn_video.media.still_words`.
    """

    rgb: NDArray[np.uint8]
    alpha: NDArray[np.uint8] | None
    gray: bool
    lossless: bool
    extras: dict[str, Any]


def read_still(path: Path) -> Still:
    """Reads one picture, turned as its EXIF data say; of a telephone's several in one JPEG (MPO) the first.

    Raises:
        InputError: it is none, has several frames, or more than 8 bit a sample.
    """
    check_is_file(path)
    try:
        with (
            warnings.catch_warnings(action="ignore"),  # of size and of damaged EXIF data
            Image.open(path) as image,
        ):
            _check_kind(image, path)
            turn_upright(image)
            extras = words_of(image)
            lossless = image.format not in ("JPEG", "MPO") and not (image.format == "WEBP" and _is_lossy_webp(path))
            gray = image.mode in ("1", "L", "LA")
            has_alpha = image.has_transparency_data
            pixels = np.asarray(image.convert("RGBA" if has_alpha else "RGB"))
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise InputError(f"{path}: not a readable image: {str(error).splitlines()[0]}") from None
    return Still(pixels[..., :3], pixels[..., 3] if has_alpha else None, gray, lossless, extras)


def check_holds(path: Path, still: Still, size: tuple[int, int]) -> None:
    """Refuses an output that could not hold the picture, before it is enlarged.

    Args:
        path: of the output.
        still: as it was read.
        size: (width, height) of the result.

    Raises:
        OutputError: with what to do.
    """
    suffix = path.suffix.lower()
    if suffix not in STILL_SUFFIXES:
        raise OutputError(f"{path.name}: no kind of image; allowed: {', '.join(sorted(STILL_SUFFIXES))}")
    if still.alpha is not None and suffix not in _HOLDS_ALPHA:
        raise OutputError(f"{path.name}: {suffix} cannot hold the picture's transparency; write to .png")
    if (colour := untold_colour(still.extras, suffix)) is not None:
        raise OutputError(f"{path.name}: {suffix} cannot say that the picture has a {colour}; write to .png")
    for height, width in ((1, size[0]), (size[1], 1)):  # sides have limits, and words have
        strip = np.zeros((height, width, 3), np.uint8)
        alpha = None if still.alpha is None else strip[..., 0]
        try:
            _encoded(replace(still, rgb=strip, alpha=alpha), suffix)
        except _REFUSALS as error:
            shown = f"the {size[0]}x{size[1]} result and what the picture says of itself"
            raise OutputError(f"{path.name}: {suffix} cannot hold {shown}: {error}; write to .png") from None


def write_still(path: Path, still: Still) -> None:
    """Writes one picture in the format of the path's suffix.

    Raises:
        OutputError: the format or the disk refuses.
    """
    try:
        path.write_bytes(_encoded(still, path.suffix.lower()))
    except _REFUSALS as error:
        raise OutputError(f"{path}: cannot be written: {error}") from None


def _encoded(still: Still, suffix: str) -> bytes:
    image = Image.fromarray(still.rgb)
    if still.gray:
        image = image.convert("L")
    if still.alpha is not None:
        image.putalpha(Image.fromarray(still.alpha))
    content, format_ = io.BytesIO(), Image.registered_extensions()[suffix]  # libtiff takes names that are UTF-8 only
    usual = _LOSSLESS_WEBP if format_ == "WEBP" and still.lossless else _SAVE_OPTIONS.get(format_, {})
    with warnings.catch_warnings(action="ignore"):
        image.save(content, format_, **usual | save_options(still.extras, suffix))
    return content.getvalue()


def _is_lossy_webp(path: Path) -> bool:
    """Chunks follow each other in a RIFF file (RFC 9649, section 2.7); one of them holds the picture."""
    with path.open("rb") as file:
        file.seek(12)
        while len(header := file.read(8)) == 8:
            if header[:4] in (b"VP8 ", b"VP8L"):
                return header[:4] == b"VP8 "
            length = int.from_bytes(header[4:], "little")
            file.seek(length + length % 2, 1)
    return True


def _check_kind(image: Image.Image, path: Path) -> None:
    if image.width * image.height > MAX_STILL_PIXELS:
        raise InputError(f"{path}: is {image.width}x{image.height}; images of up to {MAX_STILL_PIXELS} pixels are read")
    frames = 1 if image.format == "MPO" else getattr(image, "n_frames", 1)
    if frames > 1:
        raise InputError(f"{path}: holds {frames} pictures; only single ones are enlarged, make a video of it first")
    deep = image.mode.startswith(("I", "F")) or any(map(_is_deep, getattr(image, "tile", ())))
    if deep or image.mode in ("CMYK", "YCbCr", "LAB", "HSV"):
        kind = "more than 8 bit a sample" if deep else f"colours as {image.mode}"
        raise InputError(f"{path}: has {kind}, which would be lost; convert it to 8-bit RGB first")


def _is_deep(tile: Any) -> bool:
    """Pillow's name of the samples as they are stored, alone or before numbers: ``"RGB;16B"``."""
    stored = str(tile.args if isinstance(tile.args, str) else (tile.args or ("",))[0])
    return ";16" in stored and not stored.startswith("BGR;")  # that are 16 bit a pixel
