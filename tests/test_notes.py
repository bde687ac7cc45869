"""What a plan says of itself, in words."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rfdn_video.inference.scaling import plan_scale
from rfdn_video.notes import plan_notes
from rfdn_video.plan import plan_files
from rfdn_video.settings import Settings


@pytest.fixture(scope="module")
def clip(ffmpeg: Callable[..., bytes], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("notes") / "clip.mkv"
    ffmpeg("-f", "lavfi", "-i", "testsrc2=size=128x96:rate=25:duration=0.2", "-pix_fmt", "yuv420p", path)
    return path


@pytest.mark.parametrize(
    ("settings", "note"),
    [
        ({"height": 97}, "a side of 97 pixels becomes 98: yuv420p needs multiples of 2"),
        ({"width": 131}, "a side of 131 pixels becomes 132: yuv420p needs multiples of 2"),
        ({"width": 131, "pix_fmt": "yuv422p"}, "a side of 131 pixels becomes 132: yuv422p needs multiples of 2"),
        ({"height": 97, "pix_fmt": "yuv422p"}, None),
        ({"height": 97, "pix_fmt": "yuv444p"}, None),
        ({"height": 98}, None),  # the width, 130 and two thirds, was not asked for
    ],
)
def test_a_size_that_the_pixel_format_does_not_take(
    clip: Path, tmp_path: Path, settings: dict[str, Any], note: str | None
) -> None:
    files = plan_files(clip, str(tmp_path / "out.mkv"), Settings(**settings))
    size = (files.layout.width, files.layout.height)
    notes = plan_notes(files, plan_scale((128, 96), size, 2))
    assert [text for text in notes if "multiples" in text] == ([note] if note else [])


def test_a_rate_that_nothing_says(ffmpeg: Callable[..., bytes], tmp_path: Path) -> None:
    """The remedy gives it one."""
    source, timed = tmp_path / "in.hevc", tmp_path / "timed.mkv"
    silent = "log-level=none:vui-timing-info=0"
    ffmpeg(*f"-f lavfi -i testsrc2=s=64x64:r=50:d=0.1 -c:v libx265 -x265-params {silent}".split(), source)
    plan = plan_scale((64, 64), (128, 128), 2)
    notes = [n for n in plan_notes(plan_files(source, str(tmp_path / "o.mkv"), Settings()), plan) if "plays" in n]
    assert len(notes) == 1
    assert "25 frames a second are taken" in notes[0]
    command = notes[0].partition("ffmpeg -r RATE -i IN ")[2].partition(" OUT.mkv")[0].split()
    ffmpeg("-r", "50", "-i", source, *command, timed)
    files = plan_files(timed, str(tmp_path / "o.mkv"), Settings())
    assert files.info.video.frame_rate == 50
    assert not [note for note in plan_notes(files, plan) if "plays" in note]
