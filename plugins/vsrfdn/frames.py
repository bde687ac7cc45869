"""VapourSynth's frames as the core's, and back; what the frame properties say of colour."""

from __future__ import annotations

from fractions import Fraction
from typing import Literal

import numpy as np
import vapoursynth as vs  # type: ignore[import-untyped]

from rfdn_video import Color, Frame, PixelFormat, RFDNError, decide_color

__all__ = ["is_interlaced", "pixel_format", "plane_order", "read_color", "read_frame", "write_frame"]

_FAMILIES: dict[int, Literal["yuv", "gray", "rgb"]] = {vs.YUV: "yuv", vs.GRAY: "gray", vs.RGB: "rgb"}
_PROGRESSIVE = 0  # _FieldBased
_UNSPECIFIED = 2  # in ITU-T H.273


def pixel_format(samples: vs.VideoFormat) -> PixelFormat | None:
    """The core's name of a format of integer samples; None for others."""
    if samples.sample_type != vs.INTEGER or samples.bits_per_sample > 16:
        return None
    family = _FAMILIES[samples.color_family]
    return PixelFormat(family, samples.bits_per_sample, samples.subsampling_w, samples.subsampling_h)


def is_interlaced(frame: vs.VideoFrame) -> bool:
    """By its properties."""
    return bool(frame.props.get("_FieldBased", _PROGRESSIVE) != _PROGRESSIVE)


def read_color(frame: vs.VideoFrame, layout: PixelFormat) -> Color:
    """How a frame's code values are meant; what is not set follows the core's rule.

    Raises:
        rfdn_video.RFDNError: a property that is no number or out of range, or a matrix that the core does not know.
    """
    matrix = "_Matrix" if "_Matrix" in frame.props else "_ColorSpace"  # mpv's name for it
    return decide_color(
        layout,
        (frame.width, frame.height),
        matrix=_number(frame, matrix, range(256), _UNSPECIFIED),
        range_=1 + _number(frame, "_Range", range(2), -1),
        chroma_location=1 + _number(frame, "_ChromaLocation", range(6), -1),
        primaries=_number(frame, "_Primaries", range(256), _UNSPECIFIED),
        transfer=_number(frame, "_Transfer", range(256), _UNSPECIFIED),
    )


def _number(frame: vs.VideoFrame, name: str, allowed: range, unset: int) -> int:
    if name not in frame.props:
        return unset
    value = frame.props[name]
    if not isinstance(value, int) or value not in allowed:
        raise RFDNError(f"{name} {value!r}: {allowed.start} to {allowed.stop - 1} are allowed")
    return value


def _write_color(color: Color, layout: PixelFormat, frame: vs.VideoFrame) -> None:
    """Sets the properties that the core decided; primaries and transfer are those of the source."""
    frame.props["_Matrix"] = int(color.matrix)
    frame.props["_Range"] = int(color.full_range)
    if layout.sub_w or layout.sub_h:
        frame.props["_ChromaLocation"] = int(color.chroma_location) - 1


def read_frame(n: int, frame: vs.VideoFrame, layout: PixelFormat) -> Frame:
    """Views of the planes of frame number ``n``. Its time stays in VapourSynth's properties.

    Raises:
        rfdn_video.RFDNError: a matrix that the core does not know.
    """
    planes = tuple(np.asarray(frame[plane]) for plane in plane_order(layout))
    return Frame(planes, layout, read_color(frame, layout), pts=n, duration=1, time_base=Fraction(1))


def write_frame(source: Frame, frame: vs.VideoFrame) -> None:
    """Copies planes and colour into a frame."""
    for plane, values in zip(plane_order(source.format), source.planes, strict=True):
        np.copyto(np.asarray(frame[plane]), values)
    _write_color(source.color, source.format, frame)


def plane_order(layout: PixelFormat) -> tuple[int, ...]:
    """VapourSynth's planes in the core's order: R, G, B there is G, B, R here."""
    return {"yuv": (0, 1, 2), "gray": (0,), "rgb": (1, 2, 0)}[layout.family]
