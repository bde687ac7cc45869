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


@pytest.fixture
def covered(ffmpeg: FFmpeg, tmp_path: Path) -> Path:
    """A film with cover art, sound and a chapter."""
    source, cover, chapters = tmp_path / "source.mp4", tmp_path / "cover.png", tmp_path / "chapters.txt"
    ffmpeg("-f", "lavfi", "-i", "testsrc=size=64x64", "-frames:v", "1", cover)
    chapters.write_text(";FFMETADATA1\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=1000\ntitle=One\n")
    inputs = ["-f", "lavfi", "-i", "testsrc2=size=48x32:rate=5:duration=1", "-i", cover]
    inputs += ["-f", "lavfi", "-i", "sine=duration=1", "-i", chapters, "-map", "0", "-map", "1", "-map", "2"]
    ffmpeg(*inputs, "-c:v:1", "copy", "-disposition:v:1", "attached_pic", source)
    return source


@pytest.mark.parametrize("suffix", ["mkv", "mp4"])
def test_cover_art_before_the_sound(covered: Path, nearest_x2: Path, tmp_path: Path, suffix: str) -> None:
    """It is listed behind the sound, and behind chapters that are a track, whatever the source does; it is found."""
    job = prepare(covered, str(tmp_path / f"out.{suffix}"), Settings(weights=nearest_x2))
    files = replace(job.files, carried=tuple(sorted(job.files.carried, key=lambda c: c.source.kind == "audio")))
    assert [carried.source.kind for carried in files.carried] == ["cover", "audio"]
    assert run(replace(job, files=files), lambda _: None).verified


def test_cover_art_beside_a_timecode(covered: Path, ffmpeg: FFmpeg, nearest_x2: Path, tmp_path: Path) -> None:
    """That is a track of the muxer's own, too."""
    source = tmp_path / "timecode.mp4"
    ffmpeg("-i", covered, "-map", "0:v", "-map", "0:a", "-c", "copy", "-timecode", "01:00:00:00", source)
    job = prepare(source, str(tmp_path / "out.mp4"), Settings(weights=nearest_x2))
    assert "cover" in {carried.source.kind for carried in job.files.carried}
    assert run(job, lambda _: None).verified


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
    monkeypatch.setattr(side_streams, "open_source", lambda path, **how: _Broken(open_source(path, **how)))
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
