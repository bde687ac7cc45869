"""Clips that are cut, and how their results are compared."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cluster.workers import cluster_settings, whole

FRAMES = 110


@pytest.fixture(scope="session")
def clip(ffmpeg: Callable[..., bytes], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Open GOPs with B-frames, and sound."""
    path = tmp_path_factory.mktemp("clips") / "clip.mkv"
    pictures = ["-f", "lavfi", "-i", f"testsrc2=size=96x80:rate=25:duration={FRAMES / 25}"]
    sound = ["-f", "lavfi", "-i", f"sine=duration={FRAMES / 25}", "-c:a", "aac"]
    x264 = ["-c:v", "libx264", "-x264-params", "open-gop=1:keyint=12:bframes=3:b-pyramid=normal:scenecut=0"]
    ffmpeg(*pictures, *sound, *x264, "-pix_fmt", "yuv420p", path)
    return path


@pytest.fixture(scope="session")
def pictures(ffmpeg: Callable[..., bytes]) -> Callable[[Path], list[bytes]]:
    """Time and MD5 of every picture, as ffmpeg sees them, and of every packet of sound."""

    def read(path: Path) -> list[bytes]:
        listing = ffmpeg("-i", path, "-map", "0:V", "-map", "0:a?", "-c:a", "copy", "-f", "framemd5", "-")
        return [line for line in listing.splitlines() if not line.startswith(b"#")]

    return read


@pytest.fixture(scope="session")
def uncut(
    clip: Path, nearest_x2: Path, pictures: Callable[[Path], list[bytes]], tmp_path_factory: pytest.TempPathFactory
) -> list[bytes]:
    """The pictures of the clip's result, done by one process in one piece."""
    path = tmp_path_factory.mktemp("uncut") / "whole.mkv"
    whole(clip, path, cluster_settings(nearest_x2))
    return pictures(path)
