"""What an image file says of its picture, beside the pixels: profile, EXIF data, resolution in print, text."""

from __future__ import annotations

import struct
from typing import Any

from PIL import ExifTags, Image, ImageOps
from PIL.PngImagePlugin import PngImageFile, PngInfo

__all__ = ["save_options", "turn_upright", "untold_colour", "words_of"]

# Of a TIFF's own tags those that describe the picture; all others describe the file.
_OF_THE_PICTURE = frozenset(
    (
        ExifTags.Base.ImageDescription,
        ExifTags.Base.Make,
        ExifTags.Base.Model,
        ExifTags.Base.Software,
        ExifTags.Base.DateTime,
        ExifTags.Base.Artist,
        ExifTags.Base.Copyright,
    )
)
_GROUPS = (ExifTags.IFD.Exif, ExifTags.IFD.GPSInfo)
_UNREADABLE = (SyntaxError, ValueError, TypeError, KeyError, IndexError, OSError, EOFError, struct.error)
_DPI = range(2, 65536)  # what JPEG can hold; 1 is said where nobody knows
_XMP = 0x02BC  # in TIFF (XMP specification, part 3, section 3)
_SRGB = {"gamma": (0.45455,), "chromaticity": (0.3127, 0.329, 0.64, 0.33, 0.3, 0.6, 0.15, 0.06)}
_NEAR = 0.002  # of what PNG holds, with which players take it for sRGB all the same
_COPIES = ("Raw profile type", "XML:com.adobe.xmp")  # of EXIF data, which would still say how the picture was turned


def turn_upright(image: Image.Image) -> None:
    """Turns the picture as its EXIF data say that it is shown; they say so no longer. Unreadable data are left out."""
    image.load()
    try:
        ImageOps.exif_transpose(image, in_place=True)
    except _UNREADABLE:
        image.info.pop("exif", None)


def words_of(image: Image.Image) -> dict[str, Any]:
    """Of an upright picture: ``icc_profile``, ``exif``, ``xmp``, ``comment`` (bytes), ``dpi`` (a pair).

    Of PNG also ``text`` (a mapping), and ``gamma``, ``chromaticity`` (tuples as in the chunks gAMA and cHRM, but in
    units) and ``srgb`` (the rendering intent).
    """
    found = {name: image.info.get(name) for name in ("icc_profile", "xmp", "comment")} | {"exif": _exif(image)}
    words: dict[str, Any] = {name: data for name, data in found.items() if isinstance(data, bytes)}
    dpi = image.info.get("dpi")
    if isinstance(dpi, tuple) and len(dpi) == 2 and all(_DPI.start <= float(value) < _DPI.stop for value in dpi):
        words["dpi"] = tuple(map(float, dpi))
    if isinstance(image, PngImageFile):
        words["text"] = {key: value for key, value in image.text.items() if not key.startswith(_COPIES)}
        if "gamma" in image.info:
            words["gamma"] = (image.info["gamma"],)
        words |= {name: image.info[name] for name in ("chromaticity", "srgb") if name in image.info}
    return words


def save_options(words: dict[str, Any], suffix: str) -> dict[str, Any]:
    """The same as Pillow's options for a file of this suffix; only PNG has text, and a comment as a part of it."""
    options = {name: value for name, value in words.items() if name not in ("text", *_SRGB, "srgb")}
    if suffix == ".png":
        options["pnginfo"] = _png_info(words)
    if suffix in (".tif", ".tiff"):
        if _has_groups(words.get("exif")):
            options["compression"] = "raw"  # libtiff, which compresses, fails with such groups
        if "xmp" in words:
            options["exif"] = _parsed(words.get("exif", Image.Exif().tobytes()))
            options["exif"][_XMP] = words["xmp"]
    return options


def untold_colour(words: dict[str, Any], suffix: str) -> str | None:
    """What a picture's samples mean, other than sRGB, that a file of this suffix cannot say; None where it can."""
    if suffix == ".png" or "icc_profile" in words or "srgb" in words:  # PNG, 3rd edition, section 4.3: these count more
        return None
    for name, usual in _SRGB.items():
        if name in words and any(abs(a - b) > _NEAR for a, b in zip(words[name], usual, strict=True)):
            return f"{name} of {', '.join(f'{value:g}' for value in words[name])}"
    return None


def _png_info(words: dict[str, Any]) -> PngInfo:
    info = PngInfo()
    comment = {"Comment": _decoded(words["comment"])} if "comment" in words else {}
    for key, value in (comment | words.get("text", {})).items():
        info.add_text(key, value)
    if "xmp" in words:
        info.add_itxt("XML:com.adobe.xmp", words["xmp"].decode(errors="replace"))
    for name, chunk in (("gamma", b"gAMA"), ("chromaticity", b"cHRM")):
        if name in words:
            info.add(chunk, b"".join(round(value * 100_000).to_bytes(4) for value in words[name]))
    if "srgb" in words:
        info.add(b"sRGB", bytes((words["srgb"],)))
    return info


def _decoded(comment: bytes) -> str:
    """JPEG does not say in what characters; bytes that are no UTF-8 are seldom so by chance."""
    try:
        return comment.decode()
    except UnicodeDecodeError:
        return comment.decode("latin-1")


def _has_groups(exif: bytes | None) -> bool:
    """It has directories of its own, for the exposure or the place."""
    return exif is not None and any(group in _parsed(exif) for group in ExifTags.IFD)


def _parsed(exif: bytes) -> Image.Exif:
    parsed = Image.Exif()
    parsed.load(exif)
    return parsed


def _exif(image: Image.Image) -> bytes | None:
    try:
        if isinstance(data := image.info.get("exif"), bytes):
            _parsed(data)  # what Pillow could not read, it has said nothing of
            return data
        found, kept = image.getexif(), Image.Exif()
        for tag in _OF_THE_PICTURE & found.keys():
            kept[tag] = found[tag]
        for group in _GROUPS:
            if entries := found.get_ifd(group):
                kept[group] = entries
        return kept.tobytes() if len(kept) else None
    except _UNREADABLE:
        return None
