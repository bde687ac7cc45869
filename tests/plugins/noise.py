"""A small clip whose every frame differs, for the tests and for the scripts that they give to vspipe."""

from __future__ import annotations

import numpy as np
import vapoursynth as vs

WIDTH, HEIGHT, FRAMES = 48, 32, 6


def noise_clip(format_id=vs.RGBS, length=FRAMES):
    """Noise on the 0..1 scale with frame durations and properties of its own; RGBS or RGBH."""
    blank = vs.core.std.BlankClip(
        width=WIDTH, height=HEIGHT, format=format_id, length=length, fpsnum=24000, fpsden=1001, keep=True
    )
    return blank.std.ModifyFrame(blank, _fill)


def _fill(n, f):
    frame = f.copy()
    for plane in range(3):
        np.copyto(np.asarray(frame[plane]), _noise(n, plane), casting="same_kind")
    frame.props["_DurationNum"], frame.props["_DurationDen"] = 1001 + n, 24000
    frame.props["_Primaries"], frame.props["Note"] = 1, f"frame {n}"
    return frame


def _noise(n, plane):
    """An integer hash of frame, plane, row and column."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    return ((x * 37 + y * 91 + n * 53 + plane * 17) * 2654435761 % 2**32 / 2**32).astype(np.float32)
