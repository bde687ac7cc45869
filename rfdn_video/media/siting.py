"""Where subsampled chroma lies in a result: where it lay in the source if the file can say so, else left.

Left is what players take for granted (and H.264 and H.265 mean where they say nothing), so pixels are resampled to
it rather than shown shifted. Found by reading results back; tests/media/test_siting.py repeats that.
"""

from __future__ import annotations

from rfdn_video.frame import ChromaLocation, PixelFormat

__all__ = ["SITED_CODECS", "moves", "result_location"]

_LEFT, _TOPLEFT = ChromaLocation.LEFT, ChromaLocation.TOPLEFT
SITED_CODECS = frozenset(("h264", "hevc", "av1", "vp9", "ffv1", "prores"))
"""Those whose results are read back in tests; of the others, nothing is known."""


def result_location(location: ChromaLocation, pixels: PixelFormat, codec: str, container: str) -> ChromaLocation:
    """The location for a result.

    Args:
        location: of the source.
        pixels: layout of the result.
        codec: FFmpeg's name of it.
        container: as in ``Settings.container``.
    """
    return location if location in _told(pixels, codec, container) else _LEFT


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
