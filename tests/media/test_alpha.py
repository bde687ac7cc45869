"""Alpha is resampled and comes back from every way of storing it that we write; elsewhere it is refused or said."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from rfdn_video import upscale_video
from rfdn_video.errors import OutputError

type FFmpeg = Callable[..., bytes]

# A disc over nothing, half transparent at its rim.
DISC = "color=s=80x64:r=25:d=0.12,format=rgba,geq=r='X*3':g='Y*3':b=90:a='clip(16*(20-hypot(X-40,Y-32)),0,255)'"
ENCODINGS = {
    "webm": ["-pix_fmt", "yuva420p", "-c:v", "libvpx-vp9", "-crf", "8", "-b:v", "0"],
    "mkv": ["-pix_fmt", "yuva420p", "-c:v", "ffv1"],
    "mov": ["-pix_fmt", "argb", "-c:v", "qtrle"],
    "gif": [],
}


@pytest.fixture(scope="module")
def clips(ffmpeg: FFmpeg, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Three pictures with a round alpha plane, by kind of file."""
    folder = tmp_path_factory.mktemp("alpha")
    made = {}
    for kind, encoding in ENCODINGS.items():
        palette = ",split[a][b];[a]palettegen[p];[b][p]paletteuse" if kind == "gif" else ""
        made[kind] = folder / f"a.{kind}"
        ffmpeg("-f", "lavfi", "-i", DISC, "-vf", f"null{palette}", *encoding, made[kind])
    return made


def alpha_of(path: Path) -> NDArray[np.float64]:
    """Of the second picture, seen with libvpx where that is needed."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        beside = stream.codec_context.name == "vp9"
        context = av.CodecContext.create("libvpx-vp9", "r") if beside else stream.codec_context
        pictures = [picture for packet in container.demux(stream) for picture in context.decode(packet)]
    plane = pictures[1].reformat(format="gbrap").planes[3]
    return np.frombuffer(plane, np.uint8).reshape(plane.height, -1)[:, : plane.width].astype(float)


@pytest.mark.fault(45)
@pytest.mark.parametrize(
    ("kind", "output", "settings"),
    [
        ("webm", "o.webm", {}),
        ("webm", "o.mkv", {}),
        ("mkv", "o.mkv", {}),
        ("mov", "o.mkv", {}),
        ("mov", "o.mov", {"pix_fmt": "yuva444p10le"}),
        ("gif", "o.mkv", {}),
    ],
)
def test_alpha_comes_along(
    clips: dict[str, Path], nearest_x2: Path, tmp_path: Path, kind: str, output: str, settings: dict[str, str]
) -> None:
    summary = upscale_video(clips[kind], tmp_path / output, weights=nearest_x2, device="cpu", **settings)
    assert not summary.decoding.harmed
    before, after = alpha_of(clips[kind]), alpha_of(tmp_path / output)
    assert after.shape == (128, 160)
    assert (before.min(), before.max()) == (pytest.approx(0, abs=3), pytest.approx(255, abs=3))
    # Bicubic at x2 keeps the means of 2x2 blocks but where an edge is sharp; GIF is all or nothing.
    error = np.abs(after.reshape(64, 2, 80, 2).mean((1, 3)) - before)
    assert error.mean() < (6 if kind == "gif" else 2)
    assert after[60:68, 76:84].min() > 250
    assert after[:8].max() < 4


@pytest.mark.parametrize(
    ("kind", "output", "settings", "words"),
    [
        ("webm", "o.mp4", {}, "no encoder for yuva420p in mp4 .*write to .mkv and use --encoder ffv1"),
        ("webm", "o.mp4", {"encoder": "vp9"}, "alpha channel is gone.*ffv1"),
        ("webm", "o.mkv", {"encoder": "hevc"}, "libx265 .*ffv1"),
        ("mkv", "o.mkv", {"encoder": "h264"}, "does not take yuva420p.*ffv1"),
    ],
)
def test_refused_where_it_would_be_lost(
    clips: dict[str, Path],
    nearest_x2: Path,
    tmp_path: Path,
    kind: str,
    output: str,
    settings: dict[str, str],
    words: str,
) -> None:
    with pytest.raises(OutputError, match=words):
        upscale_video(clips[kind], tmp_path / output, weights=nearest_x2, device="cpu", **settings)
    assert not (tmp_path / output).exists()


def test_dropped_when_asked(clips: dict[str, Path], nearest_x2: Path, tmp_path: Path) -> None:
    """And then nothing claims that it were there."""
    upscale_video(clips["webm"], tmp_path / "o.webm", weights=nearest_x2, device="cpu", pix_fmt="yuv420p")
    with av.open(str(tmp_path / "o.webm")) as container:
        stream = container.streams.video[0]
        assert stream.codec_context.pix_fmt == "yuv420p"
        assert "alpha_mode" not in {key.lower() for key in stream.metadata}


def test_a_gif_without_transparency_is_rgb(ffmpeg: FFmpeg, nearest_x2: Path, tmp_path: Path) -> None:
    """FFmpeg gives every GIF alpha; where the first five pictures are opaque there is none, unless it comes later."""
    opaque, late = tmp_path / "a.gif", tmp_path / "b.gif"
    ffmpeg("-f", "lavfi", "-i", "testsrc2=s=80x64:r=10:d=0.3", opaque)
    summary = upscale_video(opaque, tmp_path / "a.mkv", weights=nearest_x2, device="cpu", encoder="ffv1")
    assert not summary.decoding.harmed
    with av.open(str(tmp_path / "a.mkv")) as container:
        assert container.streams.video[0].codec_context.pix_fmt == "bgr0"
    for opaque_pictures, pix_fmt in ((2, "bgra"), (6, "bgr0")):
        fading = f"color=red:s=80x64:r=10:d=0.8,format=rgba,geq=r=200:g=9:b=9:a='255*lt(N,{opaque_pictures})'"
        ffmpeg("-f", "lavfi", "-i", fading, "-vf", "split[a][b];[a]palettegen[p];[b][p]paletteuse=new=0", late)
        summary = upscale_video(
            late, tmp_path / "b.mkv", weights=nearest_x2, device="cpu", encoder="ffv1", overwrite=True
        )
        assert (summary.decoding.transparent_frames > 0) == (pix_fmt == "bgr0")
        with av.open(str(tmp_path / "b.mkv")) as container:
            assert container.streams.video[0].codec_context.pix_fmt == pix_fmt
