"""What an output is refused for is found before a picture of the source is decoded for it, and nothing is left."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rfdn_video import pipeline
from rfdn_video.errors import OutputError, RFDNError, UsageError
from rfdn_video.media.reading.decode import Decoder
from rfdn_video.settings import Settings


@pytest.fixture
def clip(ffmpeg: Callable[..., bytes], tmp_path: Path) -> Path:
    folder = tmp_path / "in"
    folder.mkdir()
    path = folder / "clip.mkv"
    ffmpeg("-f", "lavfi", "-i", "testsrc2=size=48x40:rate=12:duration=0.5", "-pix_fmt", "yuv420p", path)
    return path


def prepared(source: Path, output: Path, **settings: Any) -> pipeline.Job:
    return pipeline.prepare(source, str(output), Settings(**settings))


@pytest.mark.fault(55)
@pytest.mark.parametrize(
    ("name", "settings", "kind", "words"),
    [
        ("o.mp4", {"encoder": "ffv1"}, OutputError, r"mp4 does not keep .* of ffv1 .*color.* use --encoder libx264"),
        ("o.mp4", {"encoder": "mpeg4"}, OutputError, r"mp4 does not keep .* of mpeg4"),
        ("o.mov", {"encoder": "rawvideo"}, OutputError, r"mov .*rawvideo.* use --encoder libx264"),
        ("o.mov", {"encoder": "av1"}, OutputError, "mov with libsvtav1 .* av1 only supported in MP4"),
        (
            "o.mp4",
            {"encoder": "prores", "pix_fmt": "yuv422p10le"},
            OutputError,
            "mp4 .*prores_ks.* or write to .mov or .mkv",
        ),
        ("o.webm", {"encoder": "h264"}, OutputError, "webm cannot hold video of libx264; use --encoder libvpx-vp9"),
        (
            "o.mkv",
            {"encoder": "hevc", "scale": 1.5},
            OutputError,
            "libx265 is not safe .* 72x60 .*use --encoder libx264",
        ),
        ("o.mkv", {"encoder_options": ["nosuch=1"]}, OutputError, "libx264 does not know the option 'nosuch'"),
        ("o.mkv", {"encoder_options": ["preset=warp"]}, OutputError, "libx264 cannot be used .*warp"),
        (
            "o.mkv",
            {"encoder_options": ["x264-params=keyint=9:nosuch=1"]},
            OutputError,
            "libx264 does not take all of x264-params: .*'nosuch = 1'; correct",
        ),
        ("o.mkv", {"encoder_options": ["x264-params=keyint=abc"]}, OutputError, "x264-params: .*'keyint = abc'"),
        (
            "o.mkv",
            {"encoder": "hevc", "encoder_options": ["x265-params=nosuch=1:bframes=abc"]},
            OutputError,
            "libx265 does not take all of x265-params: .*nosuch; .*bframes: abc; correct",
        ),
        (
            "o.mkv",
            {"encoder": "av1", "encoder_options": ["svtav1-params=nosuch=1"]},
            OutputError,
            "libsvtav1 does not take all of svtav1-params: .*nosuch: 1; correct",
        ),
        ("o.mkv", {"encoder_preset": "warp"}, UsageError, "preset 'warp': libx264 takes ultrafast, .*"),
        ("o.mkv", {"encoder": "hevc_nvenc"}, OutputError, "hevc_nvenc cannot be used here .*use --encoder libx265 or"),
        (
            "o.mkv",
            {"encoder": "dnxhd", "pix_fmt": "yuv422p"},
            OutputError,
            "mkv cannot hold .*dnxhd; .* write to .mov$",
        ),
        ("o.mkv", {"encoder": "cfhd", "pix_fmt": "yuv422p10le"}, OutputError, "mkv cannot .*cfhd; .* write to .mov$"),
        ("o.mov", {"encoder": "dnxhd", "pix_fmt": "yuv422p"}, OutputError, "dnxhd .*[Ss]ize"),
        ("o.mkv", {"pix_fmt": "ya8"}, UsageError, "pix_fmt 'ya8'"),
        ("o.mkv", {"encoder_options": ["novalue"]}, UsageError, "write NAME=VALUE"),
    ],
)
def test_refused_before_the_first_frame(
    clip: Path,
    nearest_x2: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    settings: dict[str, Any],
    kind: type[RFDNError],
    words: str,
) -> None:
    def never(*_: object) -> None:
        pytest.fail("a frame was decoded")

    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(Decoder, "__iter__", never)
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    with pytest.raises(kind, match=words) as raised:
        prepared(clip, tmp_path / name, weights=nearest_x2, **settings)
    assert "\n" not in str(raised.value).strip()
    assert sorted(os.listdir(tmp_path)) == ["in", "temporary"]
    assert not os.listdir(temporary)


@pytest.mark.parametrize(
    ("codec", "name", "words"),
    [
        ("libopus", "o.mov", r"mov cannot hold audio stream 1 \(opus\); convert it with --audio aac"),
        ("truehd", "o.mov", r"mov cannot hold audio stream 1 \(truehd\); convert it with --audio aac"),
        ("aac", "o.webm", r"webm cannot hold audio stream 1 \(aac\); convert it with --audio libopus"),
    ],
)
def test_the_stream_that_is_refused_is_named(
    ffmpeg: Callable[..., bytes], clip: Path, nearest_x2: Path, tmp_path: Path, codec: str, name: str, words: str
) -> None:
    source, sound = tmp_path / "sound.mkv", ("-f", "lavfi", "-i", "sine=duration=0.5", "-c:a", codec)
    ffmpeg("-i", clip, *sound, "-c:v", "copy", "-strict", "-2", "-ar", "48000", source)
    with pytest.raises(OutputError, match=words):
        prepared(source, tmp_path / name, weights=nearest_x2)
    audio = "libopus" if name.endswith("webm") else "aac"
    prepared(source, tmp_path / name, weights=nearest_x2, audio=audio)
    assert sorted(os.listdir(tmp_path)) == ["in", "sound.mkv"]
