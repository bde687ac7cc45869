"""A job as a program assembles and runs it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from rfdn_video import Settings
from rfdn_video.pipeline import prepare, run

type FFmpeg = Callable[..., bytes]


@pytest.mark.parametrize(
    ("size", "source_format", "pix_fmt", "scale"),
    [("100x100", "yuv420p", "yuv444p", "1.005"), ("201x200", "yuv444p", "yuv420p", "2.0025")],
)
def test_a_size_that_only_the_result_s_format_allows(
    ffmpeg: FFmpeg, nearest_x2: Path, tmp_path: Path, size: str, source_format: str, pix_fmt: str, scale: str
) -> None:
    """Sides must be even where chroma is subsampled: 100 pixels to 101, 201 to 402 in one pass."""
    source = tmp_path / "source.mkv"
    ffmpeg("-f", "lavfi", "-i", f"testsrc2=size={size}:rate=5:duration=1", "-pix_fmt", source_format, source)
    settings = Settings(scale=Fraction(scale), pix_fmt=pix_fmt, weights=nearest_x2, encoder="ffv1", tile=16)
    job = prepare(source, str(tmp_path / "out.mkv"), settings)
    summary = run(job, lambda _: None)
    assert (summary.width, summary.height) == job.scale.target
    assert len(summary.bands) == job.scale.passes == 1


def test_a_summary_counts_its_own_job_only(ffmpeg: FFmpeg, nearest_x2: Path, tmp_path: Path) -> None:
    """One upscaler may do several."""
    source = tmp_path / "source.mkv"
    ffmpeg("-f", "lavfi", "-i", "color=size=64x48:rate=5:duration=1", "-c:v", "ffv1", source)
    job = prepare(source, str(tmp_path / "one.mkv"), Settings(weights=nearest_x2))
    files = replace(job.files, output=tmp_path / "two.mkv")
    for one in (job, replace(job, files=files)):
        summary = run(one, lambda _: None)
        assert (summary.frames, summary.repeated_frames, summary.copied_share) == (5, 4, 0.8)
