"""What container and bitstream crop is not shown, and not enlarged either; the result is cropped by nothing."""

from __future__ import annotations

import struct
import subprocess
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import ffmpeg as ffmpeg_python
import numpy as np
import pytest
from numpy.typing import NDArray

from rfdn_video import probe, upscale_video
from rfdn_video.errors import InputError
from rfdn_video.media.reading.glance import Glance
from tests.boxes import box, with_box
from tests.oracle import luma

type FFmpeg = Callable[..., bytes]

SIZE = WIDE, HIGH = (96, 64)
COUNT = 3


def source(ffmpeg: FFmpeg, path: Path, *options: str, pix_fmt: str = "yuv420p") -> Path:
    """Every pixel of it can be told by its value."""
    clip = f"testsrc2=s={WIDE}x{HIGH}:r=25:d={COUNT / 25},noise=alls=40:all_seed=1"
    ffmpeg("-f", "lavfi", "-i", clip, "-pix_fmt", pix_fmt, "-c:v", "libx264", "-qp", "0", *options, path)
    return path


def planes(ffmpeg: FFmpeg, path: Path, filters: str, pix_fmt: str, size: tuple[int, int]) -> list[NDArray[np.uint8]]:
    """Of the first picture, as the ffmpeg program decodes and filters it; ``size`` is (width, height)."""
    raw = ffmpeg("-i", path, "-vf", filters, "-frames:v", "1", "-f", "rawvideo", "-pix_fmt", pix_fmt, "-")
    sub, rest, found = int(pix_fmt == "yuv420p"), np.frombuffer(raw, np.uint8), []
    for shift in (0, sub, sub):
        rows, columns = -(-size[1] >> shift), -(-size[0] >> shift)
        found.append(rest[: rows * columns].reshape(rows, columns))
        rest = rest[rows * columns :]
    assert not rest.size
    return found


@pytest.mark.fault(41)
@pytest.mark.parametrize("pix_fmt", ["yuv420p", "yuv444p"])
@pytest.mark.parametrize("crop", [(10, 4, 6, 8), (3, 5, 2, 1), (0, 0, 1, 0)])
def test_matroska(
    ffmpeg: FFmpeg, nearest_x2: Path, tmp_path: Path, crop: tuple[int, int, int, int], pix_fmt: str
) -> None:
    """An offset within a chroma sample takes the rest of it too: chroma stays where it belongs."""
    path, output = tmp_path / "in.mkv", tmp_path / "out.mkv"
    whole = source(ffmpeg, tmp_path / "whole.mkv", pix_fmt=pix_fmt)
    subprocess.run(["mkvmerge", "-q", "--cropping", "0:{},{},{},{}".format(*crop), "-o", path, whole], check=True)
    left, top, right, bottom = crop
    if pix_fmt == "yuv420p":
        left, top = left + left % 2, top + top % 2
    wide, high = WIDE - left - right, HIGH - top - bottom

    upscale_video(path, output, weights=nearest_x2, device="cpu", encoder="ffv1")
    seen = ffmpeg_python.probe(str(output))["streams"][0]
    assert (seen["width"], seen["height"]) == (2 * wide, 2 * high)
    with av.open(str(output)) as container:
        said = container.streams[0].codec_context.coded_side_data
    assert not said
    shown = planes(ffmpeg, output, "null", pix_fmt, (2 * wide, 2 * high))
    wanted = planes(ffmpeg, whole, f"crop={wide}:{high}:{left}:{top}:exact=1", pix_fmt, (wide, high))
    assert np.abs(shown[0][::2, ::2].astype(int) - wanted[0]).max() <= 1
    # Of 4:2:0 chroma this shows that it is the right part: one step aside, the noise would not agree at all.
    step = 2 if pix_fmt == "yuv444p" else 1
    for got, want in zip(shown[1:], wanted[1:], strict=True):
        got = got[::2, ::2].astype(float)
        if step == 2:
            assert np.abs(got - want).max() <= 1
        else:
            same = np.corrcoef(got.ravel(), want.astype(float).ravel())[0, 1]
            aside = np.corrcoef(got[:, 1:].ravel(), want[:, :-1].astype(float).ravel())[0, 1]
            assert same > 0.9 > aside


def test_the_shape_of_pixels_is_that_of_what_is_shown(ffmpeg: FFmpeg, nearest_x2: Path, tmp_path: Path) -> None:
    """DisplayWidth and DisplayHeight are those of the cropped picture (RFC 9559, 11.2)."""
    path, whole = tmp_path / "in.mkv", source(ffmpeg, tmp_path / "whole.mkv")
    shape = ["--cropping", "0:10,4,6,8", "--display-dimensions", "0:160x52"]
    subprocess.run(["mkvmerge", "-q", *shape, "-o", path, whole], check=True)
    upscale_video(path, tmp_path / "out.mp4", weights=nearest_x2, device="cpu")
    seen = ffmpeg_python.probe(str(tmp_path / "out.mp4"))["streams"][0]
    assert (seen["width"], seen["height"], seen["sample_aspect_ratio"]) == (160, 104, "2:1")


def clean_aperture(width: int, height: int, across: Fraction, down: Fraction) -> bytes:
    """Of this size; its centre lies that far from the picture's (ISO/IEC 14496-12, 12.1.4.3)."""
    pairs = (Fraction(width), Fraction(height), across, down)
    return box(b"clap", b"".join(struct.pack(">iI", f.numerator, f.denominator) for f in pairs))


@pytest.mark.fault(41)
@pytest.mark.parametrize("suffix", ["mp4", "mov"])
def test_clean_aperture(ffmpeg: FFmpeg, nearest_x2: Path, tmp_path: Path, suffix: str) -> None:
    """10 columns on the left and 6 on the right, 4 rows on top and 8 below."""
    path, output = source(ffmpeg, tmp_path / f"in.{suffix}"), tmp_path / "out.mp4"
    wanted = luma(path, COUNT, (80, 52), ("crop", 80, 52, 10, 4))
    aperture = clean_aperture(80, 52, Fraction(10 - 6, 2), Fraction(4 - 8, 2))
    path.write_bytes(with_box(path.read_bytes(), aperture, b"avc1"))
    upscale_video(path, output, weights=nearest_x2, device="cpu", crf=0)
    assert np.abs(luma(output, COUNT, (160, 104))[:, ::2, ::2].astype(int) - wanted).max() <= 1
    assert b"clap" not in output.read_bytes()


@pytest.mark.fault(41)
def test_left_and_top_of_the_bitstream(ffmpeg: FFmpeg, nearest_x2: Path, tmp_path: Path) -> None:
    """FFmpeg's decoders show more than that, if they are not told otherwise: 92 columns, for 86."""
    whole, path, output = source(ffmpeg, tmp_path / "whole.mkv"), tmp_path / "in.mkv", tmp_path / "out.mkv"
    crop = "h264_metadata=crop_left=6:crop_right=4:crop_top=2:crop_bottom=8"
    ffmpeg("-i", whole, "-c", "copy", "-bsf:v", crop, path)
    upscale_video(path, output, weights=nearest_x2, device="cpu", encoder="ffv1")
    shown = luma(output, COUNT, (172, 108))[:, ::2, ::2].astype(int)
    assert np.abs(shown - luma(whole, COUNT, (86, 54), ("crop", 86, 54, 6, 2))).max() <= 1


def test_after_deinterlacing(ffmpeg: FFmpeg, nearest_x2: Path, tmp_path: Path) -> None:
    """The filter sees whole pictures: fields keep their order though the first row that is shown is another's."""
    whole = source(ffmpeg, tmp_path / "whole.mkv", "-x264-params", "tff=1:log=-1", pix_fmt="yuv444p")
    path, output = tmp_path / "in.mkv", tmp_path / "out.mkv"
    subprocess.run(["mkvmerge", "-q", "--cropping", "0:3,5,2,1", "-o", path, whole], check=True)
    upscale_video(path, output, weights=nearest_x2, device="cpu", encoder="ffv1", deinterlace="frame")
    filters = "bwdif=send_frame:auto:all,crop=91:58:3:5:exact=1"
    wanted = planes(ffmpeg, whole, filters, "yuv444p", (91, 58))
    for got, want in zip(planes(ffmpeg, output, "null", "yuv444p", (182, 116)), wanted, strict=True):
        assert np.abs(got[::2, ::2].astype(int) - want).max() <= 1


def test_glances_are_cropped_too(ffmpeg: FFmpeg, tmp_path: Path) -> None:
    whole, path = source(ffmpeg, tmp_path / "whole.mkv"), tmp_path / "in.mkv"
    subprocess.run(["mkvmerge", "-q", "--cropping", "0:10,4,6,8", "-o", path, whole], check=True)
    with Glance(probe(path)) as glance:
        frame = glance.key_picture(Fraction(0))
    assert frame is not None
    assert (frame.planes[0] == planes(ffmpeg, whole, "crop=80:52:10:4", "yuv420p", (80, 52))[0]).all()


def test_said_in_the_plan_and_refused_where_nothing_is_left(
    ffmpeg: FFmpeg, nearest_x2: Path, tmp_path: Path, command_line: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    whole, path = source(ffmpeg, tmp_path / "whole.mkv"), tmp_path / "in.mkv"
    subprocess.run(["mkvmerge", "-q", "--cropping", "0:10,4,6,8", "-o", path, whole], check=True)
    plan = command_line(path, "-o", tmp_path / "o.mkv", "-w", nearest_x2, "--dry-run")
    assert "the container crops 96x64 to 80x52: only that is enlarged" in plan.stdout
    one_column = ["--set", "pixel-crop-left=95", "--set", "pixel-crop-right=0"]
    subprocess.run(["mkvpropedit", "-q", path, "--edit", "track:v1", *one_column], check=True)
    with pytest.raises(InputError, match=r"crops 96x64 pixels to less than one chroma sample.*mkvpropedit"):
        probe(path)
