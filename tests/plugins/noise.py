"""A small clip whose every frame differs, for the tests and for the scripts that they give to vspipe."""

from __future__ import annotations

import numpy as np
import vapoursynth as vs

WIDTH, HEIGHT, FRAMES = 48, 32, 6


def noise_clip(format_id=vs.RGBS, length=FRAMES):
    """Noise with frame durations and properties of its own: 0..1, or all code values."""
    blank = vs.core.std.BlankClip(
        width=WIDTH, height=HEIGHT, format=format_id, length=length, fpsnum=24000, fpsden=1001, keep=True
    )
    return blank.std.ModifyFrame(blank, _fill)


def _fill(n, f):
    frame = f.copy()
    samples = frame.format
    peak = 1 if samples.sample_type == vs.FLOAT else 2**samples.bits_per_sample - 1
    for plane in range(samples.num_planes):
        target = np.asarray(frame[plane])
        np.copyto(target, _noise(n, plane, target.shape) * peak, casting="unsafe")
    frame.props["_DurationNum"], frame.props["_DurationDen"] = 1001 + n, 24000
    frame.props["_Primaries"], frame.props["Note"] = 1, f"frame {n}"
    return frame


def _noise(n, plane, shape):
    """An integer hash of frame, plane, row and column; 0..1."""
    y, x = np.mgrid[: shape[0], : shape[1]]
    return ((x * 37 + y * 91 + n * 53 + plane * 17) * 2654435761 % 2**32 / 2**32).astype(np.float32)
