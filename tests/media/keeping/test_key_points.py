"""Where segments begin: at the key pictures that x264 has by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest

from rfdn_video.frame import Color, Frame, Matrix, PixelFormat
from rfdn_video.media.keeping.key_points import KeyPoints, with_borders
from rfdn_video.media.keeping.segments import Segments
from rfdn_video.media.keeping.work_folder import WorkFolder
from rfdn_video.media.reading.decode import Decoder
from rfdn_video.media.reading.probe import probe
from rfdn_video.media.timing import TimeRange

CUTS = (0, 40, 47, 170, 200, 330)
"""The second change comes too soon after the first for another key picture; the last scene is longer than 100."""
END = 460
GOP = 100


@pytest.fixture(scope="module")
def scenes(ffmpeg: Callable[..., bytes], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Scenes of different content; the key pictures are x264's own."""
    path = tmp_path_factory.mktemp("scenes") / "scenes.mp4"
    patterns = ("testsrc", "mandelbrot", "testsrc2", "rgbtestsrc", "smptebars", "testsrc")
    inputs: list[str] = []
    for pattern, (begin, end) in zip(patterns, pairwise((*CUTS, END)), strict=True):
        inputs += ["-f", "lavfi", "-i", f"{pattern}=size=160x96:rate=25,trim=end_frame={end - begin}"]
    joined = f"concat=n={len(patterns)},format=yuv420p"
    ffmpeg(*inputs, "-filter_complex", joined, "-c:v", "libx264", "-g", str(GOP), "-flags", "+cgop", path)
    return path


def test_they_are_those_of_x264(scenes: Path) -> None:
    with av.open(scenes) as file:
        keys = [n for n, frame in enumerate(file.decode(video=0)) if frame.key_frame]
    with Decoder(probe(scenes), TimeRange()) as decoder:
        is_key = KeyPoints(GOP)
        assert [n for n, frame in enumerate(decoder) if is_key(frame)] == keys
    assert len(keys) > len(CUTS)


def test_segments_begin_at_the_first_one_after_their_least_length(scenes: Path, tmp_path: Path) -> None:
    assert _borders(scenes, tmp_path, length=100, gop=GOP) == [0, 140, 300, 430]


def test_segments_of_a_given_length_have_just_that(scenes: Path, tmp_path: Path) -> None:
    assert _borders(scenes, tmp_path, length=64, gop=1) == list(range(0, END, 64))


@pytest.mark.parametrize("depth", [8, 10])
def test_noise_and_slow_fades_are_no_cuts(depth: int) -> None:
    def fading(count: int) -> Iterator[Frame]:
        random = np.random.default_rng(7)
        peak = (1 << depth) - 1
        for number in range(count):
            level = peak * number // count + random.integers(0, peak // 20, (64, 96))
            plane = np.clip(level, 0, peak).astype(np.uint8 if depth == 8 else np.uint16)
            yield Frame((plane,), PixelFormat("gray", depth, 0, 0), Color(Matrix.BT709), number, 1, Fraction(1, 25))

    is_key = KeyPoints(1000)
    assert [n for n, frame in enumerate(fading(200)) if is_key(frame)] == [0]


def _borders(path: Path, folder: Path, *, length: int, gop: int) -> list[int]:
    with Decoder(probe(path), TimeRange()) as decoder, WorkFolder(folder / "o.mkv") as work:
        segments = Segments(work, length, gop, dict)
        count = sum(1 for _ in with_borders(iter(decoder), segments))
        return [number for number in range(count) if segments.begins(number)]
