"""Room on the disk; a stand-in says how many bytes are free."""

from __future__ import annotations

import shutil
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import pytest

from rfdn_video.errors import OutputError
from rfdn_video.frame import Color, Matrix, PixelFormat
from rfdn_video.media.encoding.builds import LibavBuild
from rfdn_video.media.encoding.target import Target, choose_container
from rfdn_video.media.keeping.disk import check_room, raw_bytes
from rfdn_video.media.layout import VideoLayout

LAYOUT = VideoLayout(64, 32, Color(Matrix.BT709), Fraction(1, 25), Fraction(25), Fraction(1), None)
YUV420, YUV422P10 = PixelFormat("yuv", 8, 1, 1), PixelFormat("yuv", 10, 1, 0)


class Usage(NamedTuple):
    free: int


def target(encoder: str) -> Target:
    return Target(choose_container(None, Path(), "", "mkv"), encoder, YUV420, "yuv420p", {}, LibavBuild())


def test_raw_size() -> None:
    """Counted by hand: 64 x 32 samples of luma and two of 32 x 16, or 32 x 32 of two bytes."""
    assert raw_bytes(LAYOUT, YUV420, 10) == 10 * (2048 + 2 * 512)
    assert raw_bytes(LAYOUT, YUV422P10, 1) == 2 * (2048 + 2 * 1024)


@pytest.mark.parametrize(("encoder", "refused", "enough"), [("rawvideo", 0.99, 2), ("libx264", 1e-5, 0.1)])
def test_refused_only_where_it_is_surely_too_little(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, encoder: str, refused: float, enough: float
) -> None:
    raw = raw_bytes(LAYOUT, YUV420, 100_000)

    def check(share: float) -> str | None:
        monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(int(share * raw)))
        return check_room(tmp_path / "o.mkv", target(encoder), LAYOUT, 100_000)

    assert check(enough) is None
    warning = check(0.03 if encoder == "libx264" else 1.5)
    assert warning is not None
    assert "are free" in warning
    with pytest.raises(OutputError, match="make room"):
        check(refused)
