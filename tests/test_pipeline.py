"""A job as a program assembles and runs it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Any

import av
import pytest
from av.container import InputContainer

from rfdn_video import Settings
from rfdn_video.errors import InputError
from rfdn_video.media.muxing import side_streams
from rfdn_video.media.reading.source import open_source
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


def test_cover_art_before_the_sound(ffmpeg: FFmpeg, nearest_x2: Path, tmp_path: Path) -> None:
    """Matroska lists it behind the sound, whatever the source does; what was written is found again there."""
    source, cover = tmp_path / "source.mp4", tmp_path / "cover.png"
    ffmpeg("-f", "lavfi", "-i", "testsrc=size=64x64", "-frames:v", "1", cover)
    inputs = ["-f", "lavfi", "-i", "testsrc2=size=48x32:rate=5:duration=1", "-i", cover]
    sound = ["-f", "lavfi", "-i", "sine=duration=1"]
    ffmpeg(
        *inputs,
        *sound,
        "-map",
        "0",
        "-map",
        "1",
        "-map",
        "2",
        "-c:v:1",
        "copy",
        "-disposition:v:1",
        "attached_pic",
        source,
    )
    job = prepare(source, str(tmp_path / "out.mkv"), Settings(weights=nearest_x2))
    files = replace(job.files, carried=tuple(sorted(job.files.carried, key=lambda c: c.source.kind == "audio")))
    assert [carried.source.kind for carried in files.carried] == ["cover", "audio"]
    assert run(replace(job, files=files), lambda _: None).verified


class _Broken:
    """A file whose sound cannot be read to its end."""

    def __init__(self, container: InputContainer) -> None:
        self._container = container

    def __getattr__(self, name: str) -> Any:
        return getattr(self._container, name)

    def demux(self, streams: Any) -> Iterator[Any]:
        yield from islice(self._container.demux(streams), 5)
        raise av.error.OSError(5, "Input/output error")


@pytest.mark.parametrize("salvage", [False, True])
def test_sound_that_cannot_be_read_to_its_end(
    ffmpeg: FFmpeg, nearest_x2: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, salvage: bool
) -> None:
    source = tmp_path / "source.mkv"
    inputs = ["-f", "lavfi", "-i", "testsrc2=size=48x32:rate=5:duration=1", "-f", "lavfi", "-i", "sine=duration=1"]
    ffmpeg(*inputs, source)
    job = prepare(source, str(tmp_path / "out.mkv"), Settings(weights=nearest_x2, salvage=salvage))
    monkeypatch.setattr(side_streams, "open_source", lambda path: _Broken(open_source(path)))
    if salvage:
        assert run(job, lambda _: None).repaired_packets == 1
    else:
        with pytest.raises(InputError, match="sound or subtitles cannot be read to their end"):
            run(job, lambda _: None)


def test_a_summary_counts_its_own_job_only(ffmpeg: FFmpeg, nearest_x2: Path, tmp_path: Path) -> None:
    """One upscaler may do several."""
    source = tmp_path / "source.mkv"
    ffmpeg("-f", "lavfi", "-i", "color=size=64x48:rate=5:duration=1", "-c:v", "ffv1", source)
    job = prepare(source, str(tmp_path / "one.mkv"), Settings(weights=nearest_x2))
    files = replace(job.files, output=tmp_path / "two.mkv")
    for one in (job, replace(job, files=files)):
        summary = run(one, lambda _: None)
        assert (summary.frames, summary.repeated_frames, summary.copied_share) == (5, 4, 0.8)
