"""Static HDR metadata: the display that a film was graded on, and how bright it gets; carried in the bitstream."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from fractions import Fraction

import av
from av.video.stream import VideoStream

__all__ = ["NO_HDR", "HDRMetadata", "hdr_options", "read_hdr"]

type Point = tuple[Fraction, Fraction]


@dataclass(frozen=True)
class HDRMetadata:
    """What HDR10 knows beside its transfer function.

    Attributes:
        primaries: CIE 1931 chromaticities (x, y) of red, green, blue and white of the mastering display, and
            its (lowest, highest) luminance in cd/m2 (SMPTE ST 2086); empty where unknown.
        light: greatest light level of a pixel, and greatest average of a picture, in cd/m2 (CTA-861.3); None
            where unknown.
    """

    primaries: tuple[Point, ...] = ()
    light: tuple[int, int] | None = None

    def __bool__(self) -> bool:
        return bool(self.primaries) or self.light is not None


NO_HDR = HDRMetadata()


def read_hdr(stream: VideoStream, picture: av.VideoFrame) -> HDRMetadata:
    """From the container, else from the first picture. FFmpeg gives its own structures, as they lie in memory."""
    found = {kind.name.lower(): bytes(picture.side_data[kind]) for kind in picture.side_data}
    found |= {str(name): bytes(data) for name, data in (stream.codec_context.coded_side_data or {}).items()}
    display, light = found.get("mastering_display_metadata"), found.get("content_light_level")
    return HDRMetadata(
        primaries=_display(display) if display else (),
        light=struct.unpack("=2I", light[:8]) if light else None,
    )


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


def _display(data: bytes) -> tuple[Point, ...]:
    """AVMasteringDisplayMetadata: ten rationals, then whether the first eight and the last two are set."""
    numbers = struct.unpack("=22i", data[:88])
    if not (numbers[20] and numbers[21]) or not all(numbers[1:20:2]):
        return ()
    values = [Fraction(n, d) for n, d in zip(numbers[0:20:2], numbers[1:20:2], strict=True)]
    return tuple(zip(values[::2], values[1::2], strict=True))


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
