"""The colour of a result: the source's, as far as its codec and container can say so.

What they cannot say, players take for granted: chroma that lies left, ProRes in studio range. So pixels are converted
to that rather than shown wrong. Found by reading results back; tests/media/test_siting.py and test_tags.py repeat it.
"""

from __future__ import annotations

from dataclasses import replace

from rfdn_video.frame import ChromaLocation, Color, PixelFormat

__all__ = ["SITED_CODECS", "conversions", "moves", "result_color"]

_LEFT, _TOPLEFT = ChromaLocation.LEFT, ChromaLocation.TOPLEFT
SITED_CODECS = frozenset(("h264", "hevc", "av1", "vp9", "ffv1", "prores"))
"""Those whose results are read back in tests; of the others, nothing is known."""


def result_color(color: Color, pixels: PixelFormat, codec: str, container: str) -> Color:
    """The colour for a result.

    Args:
        color: of the source, or what ``converted_color`` makes of it.
        pixels: layout of the result.
        codec: FFmpeg's name of it.
        container: as in ``Settings.container``.
    """
    told = color.chroma_location in _told(pixels, codec, container)
    return replace(
        color,
        chroma_location=color.chroma_location if told else _LEFT,
        full_range=color.full_range and codec != "prores",
    )


def conversions(source: Color, result: Color, pixels: PixelFormat) -> list[str]:
    """What is converted because it cannot be said, in words."""
    before, after = source.chroma_location, result.chroma_location
    found = []
    if moves(before, after, pixels):
        found.append(f"chroma is resampled from {before.name.lower()} to {after.name.lower()}")
    if source.full_range and not result.full_range and pixels.family != "rgb":
        found.append("full range becomes studio range")
    return found


def moves(source: ChromaLocation, result: ChromaLocation, pixels: PixelFormat) -> bool:
    """The chroma of a layout lies elsewhere."""
    across = _is_left(source) != _is_left(result)
    return bool(pixels.sub_w and across) or bool(pixels.sub_h and _row(source) != _row(result))


def _told(pixels: PixelFormat, codec: str, container: str) -> tuple[ChromaLocation, ...]:
    in_420 = (pixels.sub_w, pixels.sub_h) == (1, 1)
    if codec in ("h264", "hevc"):  # H.265, E.3.1: of 4:2:0 only, and it counts more than what Matroska says
        return tuple(ChromaLocation) if in_420 else (_LEFT,)
    if container in ("mkv", "webm"):  # ChromaSitingHorz, ChromaSitingVert: left or half, top or half
        return (_LEFT, ChromaLocation.CENTER, _TOPLEFT, ChromaLocation.TOP)
    return (_LEFT, _TOPLEFT) if codec == "av1" and in_420 and container == "mp4" else (_LEFT,)


def _is_left(location: ChromaLocation) -> bool:
    return location in (_LEFT, _TOPLEFT, ChromaLocation.BOTTOMLEFT)


def _row(location: ChromaLocation) -> int:
    return {_TOPLEFT: 0, ChromaLocation.TOP: 0, ChromaLocation.BOTTOMLEFT: 2, ChromaLocation.BOTTOM: 2}.get(location, 1)
