"""A YUV clip through vspipe gives the code values that rfdn-video writes, plane by plane."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from rfdn_video import upscale_video
from tests.oracle import look

vs = pytest.importorskip("vapoursynth", reason="needs VapourSynth: pip install 'rfdn-video[vapoursynth]'")
if not hasattr(vs.core, "bs"):
    pytest.skip("needs bestsource to read files: pip install vapoursynth-bestsource", allow_module_level=True)

from vsrfdn import rfdn  # noqa: E402 (it needs VapourSynth)

type Pipe = Callable[..., subprocess.CompletedProcess[bytes]]
type FFmpeg = Callable[..., bytes]
type CommandLine = Callable[..., subprocess.CompletedProcess[str]]


class Faces:
    """The same job through both faces: as programs, or within this process, which is quicker."""

    def __init__(self, vspipe: Pipe, command_line: CommandLine, ffmpeg: FFmpeg, folder: Path) -> None:
        self.ffmpeg, self.folder = ffmpeg, folder
        self._vspipe, self._command_line = vspipe, command_line

    def run_programs(self, source: Path, frames: int, weights: Path | None) -> None:
        options = ["--encoder", "ffv1", "--tune", "video", "--frames", frames]
        options += ["--weights", weights] if weights else []
        done = self._command_line(source, "-o", self.folder / "core.mkv", *options)
        assert done.returncode == 0, done.stderr
        script = (
            f"clip = core.bs.VideoSource({str(source)!r}, cachemode=0)[:{frames}]\n"
            f"rfdn(clip, scale=2, weights={weights and str(weights)!r}, num_streams=2).set_output()"
        )
        piped = self._vspipe(script, "-c", "y4m")
        assert piped.returncode == 0, piped.stderr.decode()
        (self.folder / "filter.y4m").write_bytes(piped.stdout)

    def run_here(self, source: Path, frames: int, weights: Path | None) -> None:
        options = {"encoder": "ffv1", "tune": "video", "frames": frames, "weights": weights}
        upscale_video(source, self.folder / "core.mkv", scale=2, **options)
        clip = vs.core.bs.VideoSource(str(source), cachemode=0)[:frames]
        with (self.folder / "filter.y4m").open("wb") as file:
            rfdn(clip, scale=2, weights=weights, num_streams=2).output(file, y4m=True)

    def compare(self, pix_fmt: str) -> NDArray[np.uint8]:
        """The bytes of all planes, which must be equal."""
        raw = ["-f", "rawvideo", "-fps_mode", "passthrough", "-pix_fmt", pix_fmt, "-"]
        got, expected = (
            np.frombuffer(self.ffmpeg("-i", self.folder / name, *raw), np.uint8) for name in ("filter.y4m", "core.mkv")
        )
        assert len(got) == len(expected) > 0
        assert np.array_equal(got, expected)
        return got


@pytest.fixture
def faces(vspipe: Pipe, command_line: CommandLine, ffmpeg: FFmpeg, tmp_path: Path) -> Faces:
    return Faces(vspipe, command_line, ffmpeg, tmp_path)


@pytest.mark.parametrize(
    ("pix_fmt", "size", "tags"),
    [
        ("yuv420p", "64x48", ["-colorspace", "bt709", "-color_range", "tv"]),
        ("yuv420p", "64x48", ["-colorspace", "smpte170m"]),
        ("yuv420p", "64x48", []),  # the rule for SD
        ("yuv420p10le", "64x48", ["-colorspace", "bt709"]),
        ("yuv420p10le", "64x48", ["-colorspace", "smpte170m", "-color_range", "pc"]),
        ("yuv422p", "64x48", ["-colorspace", "bt709", "-color_range", "pc"]),
        ("yuv444p12le", "64x48", ["-colorspace", "bt470bg"]),
        ("gray", "64x48", []),
        ("gray10le", "64x48", []),
    ],
)
def test_made_clips(pix_fmt: str, size: str, tags: list[str], faces: Faces, tmp_path: Path) -> None:
    source = tmp_path / "source.mkv"
    picture = f"testsrc2=size={size}:rate=24000/1001:duration=0.12,noise=alls=40:allf=t,format={pix_fmt}"
    faces.ffmpeg("-f", "lavfi", "-i", picture, "-c:v", "ffv1", "-pix_fmt", pix_fmt, *tags, source)
    faces.run_here(source, 3, None)
    assert faces.compare(pix_fmt).std() > 1  # not an empty picture


def test_made_hd_clip_without_tags(faces: Faces, nearest_x2: Path, tmp_path: Path) -> None:
    """The rule for HD, on a wide and low picture; by the programs themselves."""
    source = tmp_path / "source.mkv"
    picture = "testsrc2=size=1280x32:rate=25:duration=0.08,noise=alls=40:allf=t,format=yuv420p"
    faces.ffmpeg("-f", "lavfi", "-i", picture, "-c:v", "ffv1", source)
    faces.run_programs(source, 2, nearest_x2)
    faces.compare("yuv420p")
    assert look(tmp_path / "core.mkv").tags["color_space"] == "bt709"


@pytest.mark.shared
@pytest.mark.parametrize(
    ("name", "frames", "pix_fmt", "bundled"),
    [
        ("bt601.mp4", 2, "yuv420p", True),  # 8 bit, tagged 601
        ("h264-10bits.mp4", 2, "yuv420p10le", True),  # 10 bit, 601 by the rule
        pytest.param("sample_15fps_720p_1s.mp4", 2, "yuv420p", False, marks=pytest.mark.slow),  # 8 bit, tagged 709
    ],
)
def test_real_clips(
    name: str, frames: int, pix_fmt: str, bundled: bool, faces: Faces, shared: Path, nearest_x2: Path
) -> None:
    """By the programs; with the bundled network where the picture is small."""
    faces.run_programs(shared / "clips" / name, frames, None if bundled else nearest_x2)
    faces.compare(pix_fmt)


@pytest.mark.shared
@pytest.mark.parametrize(
    ("name", "pix_fmt"),
    [
        ("carphone_distorted.mp4", "yuv420p"),  # 601 by the rule
        ("sample_shorter_audio.mp4", "yuv420p"),  # full range
        ("hlg10-color-test.mp4", "yuv420p10le"),  # 2020
        pytest.param("sample_with_colr_mdcv_and_clli.mp4", "yuv420p10le", marks=pytest.mark.slow),  # AV1, PQ
        ("h264-anim.mkv", "yuv444p"),
    ],
)
def test_more_real_clips(name: str, pix_fmt: str, faces: Faces, shared: Path, nearest_x2: Path) -> None:
    faces.run_here(shared / "clips" / name, 2, nearest_x2)
    faces.compare(pix_fmt)
