"""How much room a job may need on the disk, said before it starts."""

from __future__ import annotations

import shutil
from pathlib import Path

from rfdn_video.errors import OutputError
from rfdn_video.frame import PixelFormat
from rfdn_video.media.encoding.target import Target
from rfdn_video.media.layout import VideoLayout

__all__ = ["check_room", "raw_bytes"]

# Share of the raw size that a film usually takes at our qualities: rough, for a warning.
_LOSSY, _NEARLY_LOSSLESS = 0.02, 0.4
_ENCODERS = {"ffv1": _NEARLY_LOSSLESS, "prores_ks": _NEARLY_LOSSLESS, "rawvideo": 1.0}
_SURELY = 100  # even pictures that stand still do not take so much less

# Until the file is published, its finished segments lie beside it.
COPIES = 2


def raw_bytes(layout: VideoLayout, pixels: PixelFormat, frames: int) -> int:
    """Of so many pictures as the encoder gets them."""
    samples = sum(height * width for height, width in pixels.plane_sizes(layout.width, layout.height))
    return frames * samples * (1 if pixels.depth == 8 else 2)


def check_room(output: Path, target: Target, layout: VideoLayout, frames: int) -> str | None:
    """Compares the room beside ``output`` with what so many frames usually take.

    Returns:
        A warning where it may be too little.

    Raises:
        OutputError: it is surely too little.
    """
    free = shutil.disk_usage(output.parent).free
    share = _ENCODERS.get(target.encoder, _LOSSY)
    usual = int(COPIES * share * raw_bytes(layout, target.layout, frames))
    least = usual // COPIES if share == 1 else usual // _SURELY
    if free < least:
        raise OutputError(
            f"{output.parent}: {_size(free)} are free, and about {_size(usual)} are needed; "
            "make room, or give another --output"
        )
    if free < usual:
        return f"{_size(free)} are free in {output.parent}; a film of this size may need {_size(usual)}"
    return None


def _size(count: int) -> str:
    for unit in ("bytes", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.3g} {unit}"
        count //= 1000
    return f"{count} TB"
