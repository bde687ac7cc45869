"""How a video is turned goes along where only its bitstream says so: the container says it of the result."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import ffmpeg as ffmpeg_python
import pytest

from rfdn_video import upscale_video


@pytest.mark.parametrize(
    ("orientation", "name", "size"),
    [
        ("rotate=90", "out.mp4", (128, 96)),
        ("rotate=90:flip=horizontal", "out.mkv", (128, 96)),
        ("rotate=180", "out.mov", (170, 128)),
    ],
)
@pytest.mark.fault(38)
def test_of_the_bitstream(
    ffmpeg: Callable[..., bytes], nearest_x2: Path, tmp_path: Path, orientation: str, name: str, size: tuple[int, int]
) -> None:
    """And a height is that of the picture as it is shown."""
    source, output = tmp_path / "in.mp4", tmp_path / name
    video = "-f lavfi -i testsrc2=s=64x48:r=25 -frames:v 3 -pix_fmt yuv420p -c:v libx264 -bsf:v"
    ffmpeg(*video.split(), f"h264_metadata=display_orientation=insert:{orientation}", source)
    upscale_video(source, output, weights=nearest_x2, height=128)
    before = ffmpeg_python.probe(str(source), select_streams="v", show_frames=None)
    after = ffmpeg_python.probe(str(output), select_streams="v", show_frames=None)
    (stream,) = after["streams"]
    assert "side_data_list" not in before["streams"][0]
    assert _matrix(stream) == _matrix(before["frames"][0])
    assert (stream["width"], stream["height"]) == size
    assert all(_matrix(frame) in (None, _matrix(stream)) for frame in after["frames"])  # turned once, not twice


def _matrix(described: dict[str, list[dict[str, str]]]) -> str | None:
    found = [data["displaymatrix"] for data in described.get("side_data_list", []) if "displaymatrix" in data]
    assert len(found) <= 1
    return found[0] if found else None
