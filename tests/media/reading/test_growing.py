"""A source that somebody still writes to is no source yet: found while it is read, at its end at the latest."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from rfdn_video import upscale_video
from rfdn_video.errors import InputError
from rfdn_video.pipeline import Summary

type Upscale = Callable[..., Summary]
type Change = Callable[[Path], object]

FRAMES = 60


def _grow(path: Path) -> None:
    with path.open("ab") as file:
        file.write(path.read_bytes())


def _write_in_place(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(path.read_bytes()[:1])
    os.utime(path, (1, 1))


@pytest.fixture(params=["mpegts", "matroska"])
def source(request: pytest.FixtureRequest, ffmpeg: Callable[..., bytes], tmp_path: Path) -> Path:
    """As a recorder writes it: where it ends is said nowhere."""
    path = tmp_path / "in.bin"
    pictures = ["-f", "lavfi", "-i", f"testsrc2=size=64x48:rate=25:duration={FRAMES / 25}", "-pix_fmt", "yuv420p"]
    live = ["-live", "1"] if request.param == "matroska" else []
    ffmpeg(*pictures, "-g", "15", "-f", request.param, *live, path)
    return path


@pytest.fixture
def upscale(source: Path, nearest_x2: Path) -> Upscale:
    """Whatever happens to the source happens when a frame is done."""

    def run(change: Change, at: int = 3, **settings: object) -> Summary:
        def on_frame(done: int) -> None:
            if done == at:
                change(source)

        output = source.with_name("out.mkv")
        return upscale_video(source, output, weights=nearest_x2, device="cpu", on_frame=on_frame, **settings)

    return run


@pytest.mark.fault(8)
@pytest.mark.parametrize(("change", "words"), [(_grow, "has grown from"), (_write_in_place, "has changed while")])
def test_refused(source: Path, upscale: Upscale, change: Change, words: str) -> None:
    """Long before its end."""
    with pytest.raises(InputError, match=words) as caught:
        upscale(change)
    assert caught.value.exit_code == 3
    assert os.listdir(source.parent) == [source.name]


@pytest.mark.fault(8)
def test_what_does_not_matter(upscale: Upscale) -> None:
    """A part of it, or whatever is there when that is wanted."""
    assert upscale(_grow, frames=10).frames == 10
    assert upscale(_grow, end=1, overwrite=True).frames == 25
    assert upscale(_grow, salvage=True, overwrite=True).frames >= FRAMES


def test_a_source_that_goes_away(source: Path, upscale: Upscale) -> None:
    """Whoever has opened it can read it to its end."""
    assert upscale(Path.unlink).frames == FRAMES
    assert os.listdir(source.parent) == ["out.mkv"]


def test_a_source_that_goes_away_before_a_segment_is_kept(source: Path, upscale: Upscale) -> None:
    """What it is kept of cannot be told then; not the output's fault."""
    with pytest.raises(InputError, match="cannot be read any more: No such file"):
        upscale(Path.unlink, segment_frames=10, encoder="ffv1")
    assert not os.listdir(source.parent)
