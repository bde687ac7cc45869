"""A range counts from the file's beginning to the tick: the picture that lies on its border is not lost."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import ffmpeg as ffmpeg_python
import pytest

from rfdn_video import probe, upscale_video
from tests.oracle import look

RATE = 30
COUNT = 9


@pytest.fixture(scope="module")
def recording(ffmpeg: Callable[..., bytes], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A transport stream with B-frames, which begins at 132000/90000 s: no whole number of microseconds."""
    path = tmp_path_factory.mktemp("beginning") / "in.ts"
    ffmpeg(*f"-f lavfi -i testsrc2=s=64x48:r={RATE}:d={COUNT / RATE} -c:v libx264 -bf 2".split(), path)
    return path


def test_is_exactly_when_the_first_stream_begins(recording: Path) -> None:
    stream = ffmpeg_python.probe(str(recording))["streams"][0]
    wanted = stream["start_pts"] * Fraction(stream["time_base"])
    assert wanted.denominator == 15
    assert probe(recording).start_time == wanted


@pytest.mark.parametrize(("start", "count"), [(0, 9), (0.2, 3), (2 / 30, 7), (Fraction(1, 10), 6), (0.101, 5)])
def test_the_picture_on_the_border_belongs_to_the_range(
    recording: Path, nearest_x2: Path, tmp_path: Path, start: float | Fraction, count: int
) -> None:
    """A float is taken for what was meant by it: that of 0.2 is a little more than 1/5, that of 2/30 than 1/15."""
    upscale_video(recording, output := tmp_path / "out.mkv", weights=nearest_x2, start=start)
    assert len(look(output).times) == count
