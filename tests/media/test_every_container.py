"""Every encoder in every container that it goes with, from a clip of six frames, read back by ffprobe."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from rfdn_video import upscale_video
from rfdn_video.media.encoding.builds import LibavBuild
from rfdn_video.media.encoding.encoders import ENCODERS
from rfdn_video.settings import load_preset, preset_names
from tests.oracle import look

type CommandLine = Callable[..., subprocess.CompletedProcess[str]]

TIMES = [Fraction(n, 90000) for n in (0, 3003, 9009, 12012, 24024, 27027)]  # a variable rate


@pytest.fixture(scope="module")
def clip(ffmpeg: Callable[..., bytes], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six pictures at :data:`TIMES`, tagged as BT.709."""
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    times = "+".join(f"eq(N\\,{n})*{int(t * 90000)}" for n, t in enumerate(TIMES))
    ffmpeg(
        *("-f", "lavfi", "-i", "testsrc2=size=48x40:rate=30:duration=0.2", "-vf", f"settb=1/90000,setpts={times}"),
        *("-fps_mode", "passthrough", "-enc_time_base", "1:90000", "-video_track_timescale", "90000"),
        *("-pix_fmt", "yuv420p", "-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709"),
        *("-c:v", "libx264", "-crf", "10", "-bf", "0", path),
    )
    assert look(path).times == TIMES
    return path


def upscaled(source: Path, output: Path, weights: Path, **settings: Any) -> dict[str, Any]:
    """The stream that ffprobe sees; its pictures are counted and their times compared."""
    upscale_video(source, output, weights=weights, device="cpu", **settings)
    seen = look(output)
    assert len(seen.times) == len(TIMES)
    assert all(abs(a - b) <= seen.time_base / 2 for a, b in zip(seen.times, TIMES, strict=True))
    if settings.get("pix_fmt") != "gbrp":
        assert seen.tags["color_space"] == "bt709"
    return seen.stream


@pytest.mark.parametrize(
    ("encoder", "suffix", "pix_fmt", "codec", "profile"),
    [
        *(("h264", suffix, None, "h264", "High") for suffix in ("mp4", "mov", "mkv")),
        ("h264", "mkv", "yuv420p10le", "h264", "High 10"),
        ("h264", "mp4", "yuv444p", "h264", "High 4:4:4 Predictive"),
        *(("hevc", suffix, None, "hevc", "Main") for suffix in ("mp4", "mov", "mkv")),
        ("hevc", "mp4", "yuv420p10le", "hevc", "Main 10"),
        ("hevc", "mkv", "yuv422p12le", "hevc", "Rext"),
        *(("av1", suffix, None, "av1", "Main") for suffix in ("mp4", "mkv", "webm")),
        ("av1", "webm", "yuv420p10le", "av1", "Main"),
        *(("vp9", suffix, None, "vp9", "Profile 0") for suffix in ("mp4", "mkv", "webm")),
        ("vp9", "webm", "yuv444p", "vp9", "Profile 1"),
        ("ffv1", "mkv", None, "ffv1", None),
        ("ffv1", "mkv", "yuv444p16le", "ffv1", None),
        ("ffv1", "mkv", "gbrp", "ffv1", None),
        *(("prores", suffix, "yuv422p10le", "prores", "HQ") for suffix in ("mov", "mkv")),
        ("prores", "mov", "yuv444p10le", "prores", "4444"),
        ("cfhd", "mov", "yuv422p10le", "cfhd", None),
    ],
)
def test_encoder_in_container(
    clip: Path,
    nearest_x2: Path,
    tmp_path: Path,
    encoder: str,
    suffix: str,
    pix_fmt: str | None,
    codec: str,
    profile: str | None,
) -> None:
    stream = upscaled(clip, tmp_path / f"o.{suffix}", nearest_x2, encoder=encoder, pix_fmt=pix_fmt, verify="full")
    assert (stream["codec_name"], stream["width"], stream["height"]) == (codec, 96, 80)
    assert stream.get("profile") == profile or (profile is None and stream.get("profile") in ("3", "unknown"))
    # FFV1 holds 8 bit RGB packed; of ProRes 4444, the decoder always gives 12 bits.
    expected = {"gbrp": "bgr0"}.get(str(pix_fmt), pix_fmt or "yuv420p")
    assert stream["pix_fmt"] == ("yuv444p12le" if profile == "4444" else expected)


@pytest.mark.parametrize("name", [name for name in preset_names() if name != "nvenc"])
def test_presets_make_what_they_say(clip: Path, nearest_x2: Path, tmp_path: Path, name: str) -> None:
    preset = load_preset(name) | {"tune": "auto"}
    container = preset.get("container", "mp4")
    stream = upscaled(clip, tmp_path / f"o.{container}", nearest_x2, **preset)
    assert stream["pix_fmt"] == preset.get("pix_fmt", "yuv420p")
    assert ENCODERS[preset["encoder"]].codec == stream["codec_name"]


def test_the_web_preset_starts_before_it_is_loaded_whole(clip: Path, nearest_x2: Path, tmp_path: Path) -> None:
    upscaled(clip, tmp_path / "o.mp4", nearest_x2, **load_preset("web"))
    data = (tmp_path / "o.mp4").read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")


def test_options_reach_the_encoder(clip: Path, nearest_x2: Path, tmp_path: Path) -> None:
    """x264 writes what it was told into the stream."""
    upscaled(
        clip,
        tmp_path / "o.mkv",
        nearest_x2,
        encoder="h264",
        crf=31,
        encoder_preset="veryslow",
        encoder_options=("aq-mode=3", "x264-params=deblock=2,-1"),
    )
    data = (tmp_path / "o.mkv").read_bytes()
    for said in (b"crf=31.0", b"ref=16", b"aq=3", b"deblock=1:2:-1"):
        assert said in data


@pytest.mark.parametrize("encoder", ["hevc", "h264", "vp9"])
def test_encoders_are_quiet(
    command_line: CommandLine, clip: Path, nearest_x2: Path, tmp_path: Path, encoder: str
) -> None:
    done = command_line(clip, "-o", tmp_path / "o.mkv", "-w", nearest_x2, "--encoder", encoder, "--device", "cpu")
    assert (done.returncode, done.stderr) == (0, "")


def test_the_encoders_that_are_promised_are_here() -> None:
    here = {name for name in ENCODERS if LibavBuild().has_encoder(name)}
    assert {"libx264", "libx265", "libsvtav1", "libvpx-vp9", "ffv1", "prores_ks"} <= here


@pytest.mark.parametrize("frames", [1, 2, 3])
@pytest.mark.parametrize("encoder", ["h264", "hevc", "av1", "vp9"])
def test_fewer_pictures_than_an_encoder_looks_ahead(
    clip: Path, nearest_x2: Path, tmp_path: Path, encoder: str, frames: int
) -> None:
    for suffix in ("mp4", "mkv"):
        output = tmp_path / f"o.{suffix}"
        upscale_video(clip, output, weights=nearest_x2, device="cpu", encoder=encoder, frames=frames, verify="full")
        seen = look(output)
        assert all(abs(a - b) <= seen.time_base for a, b in zip(seen.times, TIMES[:frames], strict=True))
