"""Static HDR metadata: the display that a film was graded on, and how bright it gets.

Encoders that can be told write it into the bitstream; media/encoding/hdr_encoder.py has the container say it too.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

import av
from av.video.stream import VideoStream

__all__ = ["NO_HDR", "HDRMetadata", "hdr_options", "read_hdr", "same_hdr", "says_hdr"]

type Point = tuple[Fraction, Fraction]


@dataclass(frozen=True)
class HDRMetadata:
    """What HDR10 knows beside its transfer function.

    Attributes:
        primaries: CIE 1931 chromaticities (x, y) of red, green, blue and white of the mastering display, and
            its (lowest, highest) luminance in cd/m2 (SMPTE ST 2086); empty where unknown.
        light: greatest light level of a pixel, and greatest average of a picture, in cd/m2 (CTA-861.3); None
            where unknown; a single 0 means unknown too.
        unwritable: there was more, incomplete or beyond what H.265 and MP4 can express; it was left out.
    """

    primaries: tuple[Point, ...] = ()
    light: tuple[int, int] | None = None
    unwritable: bool = False

    def __bool__(self) -> bool:
        return bool(self.primaries) or self.light is not None


NO_HDR = HDRMetadata()


_PARAMETERS = frozenset(("mastering-display", "cll", "master-display", "max-cll", "content-light"))
_MAX_CHROMATICITY, _MAX_LUMINANCE, _MAX_LIGHT = Fraction(65535, 50_000), Fraction(2**32 - 1, 10_000), 65535


def read_hdr(stream: VideoStream, picture: av.VideoFrame | None = None) -> HDRMetadata:
    """From the container, else from the first picture. FFmpeg gives its own structures, as they lie in memory."""
    found = {kind.name.lower(): bytes(picture.side_data[kind]) for kind in picture.side_data} if picture else {}
    found |= {str(name): bytes(data) for name, data in (stream.codec_context.coded_side_data or {}).items()}
    points = _display(found.get("mastering_display_metadata"))
    light = _light(found.get("content_light_level"))
    return HDRMetadata(primaries=points or (), light=light or None, unwritable=None in (points, light))


def same_hdr(a: HDRMetadata, b: HDRMetadata) -> bool:
    """They agree to the units that MP4 and bitstreams count in."""
    if len(a.primaries) != len(b.primaries):
        return False
    pairs = zip(a.primaries, b.primaries, strict=True)
    unit = Fraction(1, 10_000)
    near = all(abs(v - w) <= unit for one, other in pairs for v, w in zip(one, other, strict=True))
    # Of a level that is known in part, FFmpeg reads nothing in Matroska.
    return near and (a.light == b.light or 0 in (a.light or ()) or 0 in (b.light or ()))


def hdr_options(encoder: str, hdr: HDRMetadata) -> dict[str, str] | None:
    """What an encoder is told, as its own list of parameters; None where it cannot be told."""
    integers = _display_text(hdr, 50_000, 10_000)  # units of H.265, D.3.28: 0.00002, and 0.0001 cd/m2
    light = "{},{}".format(*hdr.light) if hdr.light is not None else None
    if encoder == "libx264":
        return _parameters("x264-params", {"mastering-display": integers, "cll": light})
    if encoder == "libx265":
        return _parameters("x265-params", {"master-display": integers, "max-cll": light})
    if encoder == "libsvtav1":
        return _parameters("svtav1-params", {"mastering-display": _display_text(hdr, 1, 1), "content-light": light})
    return None


def says_hdr(options: Iterable[str]) -> bool:
    """A user's ``name=value`` options of an encoder set mastering display or light level themselves."""
    parameters = (p for option in options for p in option.partition("=")[2].split(":"))
    return any(p.partition("=")[0] in _PARAMETERS for p in parameters)


def _display(data: bytes | None) -> tuple[Point, ...] | None:
    """AVMasteringDisplayMetadata: ten rationals, then whether the first eight and the last two are set.

    Nothing where it says nothing, as zeros do; None where it cannot be written.
    """
    numbers = struct.unpack("=22i", data[:88]) if data else (0,) * 22
    if not any(numbers[0:20:2]):
        return ()
    if not (numbers[20] and numbers[21] and all(numbers[1:20:2])):
        return None
    values = [Fraction(n, d) for n, d in zip(numbers[0:20:2], numbers[1:20:2], strict=True)]
    fits = all(0 < v <= _MAX_CHROMATICITY for v in values[:8]) and all(0 <= v <= _MAX_LUMINANCE for v in values[8:])
    return tuple(zip(values[::2], values[1::2], strict=True)) if fits else None


def _light(data: bytes | None) -> tuple[int, int] | tuple[()] | None:
    """AVContentLightMetadata, in the same way."""
    most, average = struct.unpack("=2I", data[:8]) if data else (0, 0)
    if not (most or average):
        return ()
    return (most, average) if max(most, average) <= _MAX_LIGHT else None


def _display_text(hdr: HDRMetadata, chromaticity: int, luminance: int) -> str | None:
    if not hdr.primaries:
        return None
    red, green, blue, white, (lowest, highest) = hdr.primaries
    points = zip(("G", "B", "R", "WP"), (green, blue, red, white), strict=True)
    text = "".join(f"{name}({_number(x, chromaticity)},{_number(y, chromaticity)})" for name, (x, y) in points)
    return f"{text}L({_number(highest, luminance)},{_number(lowest, luminance)})"


def _number(value: Fraction, unit: int) -> str:
    return f"{round(value * unit)}" if unit > 1 else f"{float(value):.6g}"


def _parameters(option: str, values: dict[str, str | None]) -> dict[str, str]:
    return {option: ":".join(f"{name}={value}" for name, value in values.items() if value is not None)}
