"""What changes in mid-stream: range, interlacing. One H.264 stream is put behind another, with tags of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import cycle, pairwise
from pathlib import Path

import ffmpeg as ffmpeg_python
import numpy as np
import pytest

from rfdn_video import upscale_video
from rfdn_video.errors import InputError
from tests.oracle import look

type FFmpeg = Callable[..., bytes]


@pytest.mark.fault(50)
def test_a_change_of_range_is_converted_and_counted(ffmpeg: FFmpeg, nearest_x2: Path, tmp_path: Path) -> None:
    """Luma 100 of full range is 101.9 of limited range (ITU-T H.273, equations 20 and 26)."""
    parts = []
    for range_ in ("tv", "pc"):
        parts.append(tmp_path / f"{range_}.h264")
        flat = "color=black:s=64x48:d=0.12,format=yuv420p,geq=lum=100:cb=128:cr=128"
        tags = ["-color_range", range_, "-colorspace", "bt709", "-x264-params", f"range={range_}"]
        ffmpeg("-f", "lavfi", "-i", flat, "-c:v", "libx264", "-qp", "0", "-bf", "0", *tags, parts[-1])
    source, output = tmp_path / "both.h264", tmp_path / "o.mkv"
    source.write_bytes(b"".join(part.read_bytes() for part in parts))
    summary = upscale_video(source, output, weights=nearest_x2, device="cpu", encoder="ffv1")
    assert (summary.frames, summary.decoding.converted_frames) == (6, 3)
    raw = np.frombuffer(ffmpeg("-i", output, "-f", "rawvideo", "-pix_fmt", "yuv420p", "-"), np.uint8)
    luma = raw.reshape(6, -1)[:, : 128 * 96]
    assert [np.unique(picture).tolist() for picture in luma] == [[100]] * 3 + [[102]] * 3


SHAPED = {
    "h264": "-c:v libx264 -bf 3 -b_strategy 0",
    "hevc": "-c:v libx265 -x265-params log-level=none",
    "m2v": "-c:v mpeg2video -bf 2",
    "ts": "-c:v libx264 -bf 2 -mpegts_flags +initial_discontinuity",
}


@pytest.mark.fault(39, 50)
@pytest.mark.parametrize("kind", SHAPED)
def test_a_change_of_the_shape_of_pixels_is_named(ffmpeg: FFmpeg, nearest_x2: Path, tmp_path: Path, kind: str) -> None:
    """From 4:3 to 16:9 and back, as broadcasts do. The result has the first one; --strict refuses that."""
    source = _joined(ffmpeg, tmp_path, kind, [("64x48", "1/1"), ("64x48", "4/3"), ("64x48", "1/1")])
    frames = ffmpeg_python.probe(str(source), select_streams="v:0", show_frames=None)["frames"]
    changed = sum(frame["sample_aspect_ratio"] == "4:3" for frame in frames)
    assert changed in (5, 6)  # ffprobe passes one over where MPEG-2 streams are joined
    summary = upscale_video(source, tmp_path / "o.mkv", weights=nearest_x2, device="cpu")
    assert summary.decoding.reshaped_frames == 6
    assert any("6 frames have pixels of another shape" in warning for warning in summary.warnings)
    with pytest.raises(InputError, match=r"6 reshaped frames.*--strict"):
        upscale_video(source, tmp_path / "strict.mkv", weights=nearest_x2, device="cpu", strict=True)


@pytest.mark.parametrize(("shape", "reshaped"), [("2/1", 0), ("4/1", 6)])
def test_a_change_of_size_that_keeps_the_shape_of_the_picture(
    ffmpeg: FFmpeg, nearest_x2: Path, tmp_path: Path, shape: str, reshaped: int
) -> None:
    """Half as wide, of pixels twice as wide: rescaled to the first size it is shown as it was; wider ones are named."""
    source = _joined(ffmpeg, tmp_path, "h264", [("64x48", "1/1"), ("32x48", shape)])
    summary = upscale_video(source, tmp_path / "o.mkv", weights=nearest_x2, device="cpu")
    assert (summary.decoding.resized_frames, summary.decoding.reshaped_frames) == (6, reshaped)


def _joined(ffmpeg: FFmpeg, folder: Path, kind: str, parts: Sequence[tuple[str, str]]) -> Path:
    """Six pictures of each size and shape of pixels, one part behind the other."""
    source, part = folder / f"joined.{kind}", folder / f"part.{kind}"
    for size, shape in parts:
        clip = f"testsrc2=s={size}:r=25:d=0.24,setsar={shape}"
        ffmpeg("-f", "lavfi", "-i", clip, "-pix_fmt", "yuv420p", *SHAPED[kind].split(), part)
        with source.open("ab") as file:
            file.write(part.read_bytes())
    return source


@pytest.mark.parametrize("whole", [2, 8])
def test_interlaced_pictures_that_come_late(ffmpeg: FFmpeg, nearest_x2: Path, tmp_path: Path, whole: int) -> None:
    """Among the first five they are refused; behind them, counted."""
    parts = []
    for name, count, options in (("a", whole, []), ("b", 4, ["-x264-params", "interlaced=1:tff=1"])):
        parts.append(tmp_path / f"{name}.h264")
        clip = f"testsrc2=s=64x64:r=25:d={count / 25}"
        video = ["-c:v", "libx264", "-bf", "0", "-pix_fmt", "yuv420p", *options]
        ffmpeg("-f", "lavfi", "-i", clip, *video, parts[-1])
    source = tmp_path / "both.h264"
    source.write_bytes(b"".join(part.read_bytes() for part in parts))
    if whole < 5:
        with pytest.raises(InputError, match=r"interlaced.*--deinterlace"):
            upscale_video(source, tmp_path / "o.mkv", weights=nearest_x2, device="cpu")
    else:
        summary = upscale_video(source, tmp_path / "o.mkv", weights=nearest_x2, device="cpu")
        assert summary.decoding.interlaced_frames == 4


def test_soft_telecine_gives_the_film(ffmpeg: FFmpeg, nearest_x2: Path, tmp_path: Path) -> None:
    """MPEG-2 film at 24000/1001 that asks its player for 3:2 pulldown: the frames as they are, at their own times."""
    source, output = tmp_path / "film.m2v", tmp_path / "o.mkv"
    video = ["-c:v", "mpeg2video", "-bf", "0", "-flags", "+ildct", "-q:v", "2"]
    ffmpeg("-f", "lavfi", "-i", "testsrc2=s=96x64:r=30000/1001:d=0.4", *video, source)
    source.write_bytes(_with_pulldown(source.read_bytes()))
    summary = upscale_video(source, output, weights=nearest_x2, device="cpu")
    seen = look(output)
    assert summary.frames == len(seen.times) == 12
    steps = [round(float(b - a) * 60000 / 1001) for a, b in pairwise(seen.times)]
    assert steps[:10] == [3, 2] * 5  # the parser of bare MPEG-2 is a field early with the last picture


def test_hard_telecine_is_refused_and_keeps_its_rate(ffmpeg: FFmpeg, nearest_x2: Path, tmp_path: Path) -> None:
    """3:2 pulldown in the pictures, flagged as interlaced; no picture is taken out again."""
    source = tmp_path / "telecined.mkv"
    film = ["-f", "lavfi", "-i", "testsrc2=s=96x64:r=24000/1001", "-frames:v", "25", "-vf", "telecine"]
    ffmpeg(*film, "-c:v", "libx264", "-x264-params", "tff=1", "-pix_fmt", "yuv420p", source)
    with pytest.raises(InputError, match=r"interlaced.*telecined film keeps its extra pictures.*fieldmatch,decimate"):
        upscale_video(source, tmp_path / "o.mkv", weights=nearest_x2, device="cpu")
    summary = upscale_video(source, tmp_path / "o.mkv", weights=nearest_x2, device="cpu", deinterlace="frame")
    assert summary.frames == len(look(source).times) == 25


def _with_pulldown(stream: bytes) -> bytes:
    """Sets progressive_frame, and top_field_first and repeat_first_field by turns (ITU-T H.262, 6.2.3.1)."""
    data, position = bytearray(stream), 0
    flags = cycle(((True, True), (False, False), (False, True), (True, False)))
    while (position := data.find(b"\x00\x00\x01\xb5", position) + 4) > 3:
        if data[position] >> 4 != 8:
            continue
        top, repeat = next(flags)
        data[position + 3] = data[position + 3] & 0x7D | top << 7 | repeat << 1
        data[position + 4] |= 0x80
    return bytes(data)
