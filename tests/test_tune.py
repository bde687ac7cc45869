"""Which of the bundled weights a source gets."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from rfdn_video import Settings
from rfdn_video.pipeline import choose_weights
from rfdn_video.plan import plan_files
from rfdn_video.settings import Tune

type FFmpeg = Callable[..., bytes]


@pytest.mark.parametrize(
    ("encoder", "asked", "tune"),
    [
        ("libx264 -crf 20", "auto", "light"),
        ("libx264 -crf 35", "auto", "video"),
        ("libx264 -qp 0", "auto", "clean"),  # lossless, though H.264 need not be
        ("ffv1", "auto", "clean"),
        ("prores_ks", "auto", "light"),
        ("libx265 -crf 20 -x265-params log-level=none", "auto", "video"),  # nothing is known of it
        ("libx264 -crf 35", "light", "light"),
        ("libx264 -crf 20", "video", "video"),
    ],
)
@pytest.mark.parametrize("scale", [2, 4])
def test_by_the_source_unless_told(
    ffmpeg: FFmpeg, tmp_path: Path, encoder: str, asked: Tune, tune: str, scale: int
) -> None:
    """What the plan says is what is loaded."""
    pixels = "yuv422p10le" if encoder == "prores_ks" else "yuv420p"
    source, clip = tmp_path / "a.mkv", "testsrc2=size=160x128:rate=25:duration=1"
    ffmpeg("-f", "lavfi", "-i", clip, "-c:v", *encoder.split(), "-pix_fmt", pixels, source)
    settings = Settings(scale=scale, tune=asked)
    files = plan_files(source, None, settings)
    weights = choose_weights(files, settings)
    assert files.tune == weights.tune == tune
    assert weights.scale == scale
