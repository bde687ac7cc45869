"""Short names of files: as short as tells them apart."""

from __future__ import annotations

from pathlib import Path

import pytest

from rfdn_video.quality.names import distinct_file_names, distinct_names


@pytest.mark.parametrize(
    ("paths", "names"),
    [
        ([], []),
        (["a/x.pth", "b/y.pth"], ["x", "y"]),
        (["a/best.pth", "b/best.pth", "b/last.pth"], ["a/best", "b/best", "b/last"]),
        (["a/x.png", "a/x.jpg", "a/x.png.jpg"], ["x.png", "x.jpg", "x.png.jpg"]),
        (["/1/a/x.png", "/2/a/x.png"], ["/1/a/x.png", "/2/a/x.png"]),
        (["a/x.png", "a/x.png", "a/y.png"], ["x", "x", "y"]),
    ],
)
def test_names_are_as_short_as_tells_files_apart(paths: list[str], names: list[str]) -> None:
    assert distinct_names([Path(path) for path in paths]) == names


@pytest.mark.parametrize(
    ("paths", "names"),
    [
        (["a/x.mp4", "b/y.mp4"], ["x.mp4", "y.mp4"]),
        (["a/x.mp4", "a/x.mkv"], ["x.mp4", "x.mkv"]),
        (["a/x.mp4", "b/x.mp4"], ["a/x.mp4", "b/x.mp4"]),
        (["/1/a/x.mp4", "/2/a/x.mp4"], ["/1/a/x.mp4", "/2/a/x.mp4"]),
    ],
)
def test_names_with_suffixes(paths: list[str], names: list[str]) -> None:
    assert distinct_file_names([Path(path) for path in paths]) == names
