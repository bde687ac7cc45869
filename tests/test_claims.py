"""What headers claim of pictures, lengths and sizes, and which of several videos is meant."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from rfdn_video.cli.main import main
from tests.oracle import look, luma

type Enlarge = Callable[..., tuple[int, str, str]]
type FFmpeg = Callable[..., bytes]

H264 = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p")


@pytest.fixture
def enlarge(nearest_x2: Path, capsys: pytest.CaptureFixture[str]) -> Enlarge:
    """The command in this process: its exit code, and what it printed on its output and beside it."""

    def run(*arguments: object) -> tuple[int, str, str]:
        code = main([*map(str, arguments), "-w", str(nearest_x2), "--engine", "torch"])
        return code, *capsys.readouterr()

    return run


def _video(size: str, source: str = "testsrc2") -> tuple[str, ...]:
    return ("-f", "lavfi", "-i", f"{source}=size={size}:rate=25:duration=1")


@pytest.mark.fault(11)
def test_several_videos(enlarge: Enlarge, ffmpeg: FFmpeg, tmp_path: Path) -> None:
    """The default one, not the first; another where its number is given; what is left out is said."""
    source, output = tmp_path / "in.mkv", tmp_path / "out.mkv"
    marks = ("-disposition:v:0", "0", "-disposition:v:1", "default")
    ffmpeg(*_video("80x64"), *_video("48x32"), "-map", "0", "-map", "1", *H264, *marks, source)
    for wanted, width, left in (([], 96, 0), (["--video-stream", "0"], 160, 1), (["--video-stream", "1"], 96, 0)):
        code, _, said = enlarge(source, "-o", output, "--frames", 3, "--overwrite", *wanted)
        assert code == 0, said
        assert look(output).stream["width"] == width
        assert f"stream {left} " in said
        assert "only one video stream is enlarged" in said
    code, _, said = enlarge(source, "-o", tmp_path / "none.mkv", "--video-stream", "7")
    assert (code, "stream 7 is no video; there is 0, 1" in said) == (3, True)


@pytest.mark.fault(29)
@pytest.mark.parametrize("claim", [3, 1_000_000])
@pytest.mark.parametrize("suffix", ["avi", "mkv", "mp4"])
def test_a_wrong_length_in_the_header(
    enlarge: Enlarge, ffmpeg: FFmpeg, tmp_path: Path, suffix: str, claim: int
) -> None:
    """It ends where the pictures do, neither before nor in waiting for more."""
    source, output = tmp_path / f"in.{suffix}", tmp_path / "out.mkv"
    ffmpeg(*_video("48x32"), "-c:v", "mpeg4", source)
    data = bytearray(source.read_bytes())
    _claim(data, suffix, claim)
    source.write_bytes(data)
    code, printed, said = enlarge(source, "-o", output, "--json")
    assert code == 0, said
    assert json.loads(printed)["frames"] == len(look(output).times) == 25


def _claim(data: bytearray, suffix: str, count: int) -> None:
    """Lets a header promise so many pictures, or the time that they would take at 25 a second."""
    if suffix == "avi":  # dwTotalFrames of the file, dwLength of the stream
        struct.pack_into("<I", data, data.index(b"avih") + 24, count)
        struct.pack_into("<I", data, data.index(b"strh") + 40, count)
    elif suffix == "mkv":  # Duration, in milliseconds
        at = data.index(b"\x44\x89\x88")
        struct.pack_into(">d", data, at + 3, count * 40)
    else:  # behind version, flags and two dates: timescale and duration
        for box in (b"mvhd", b"mdhd"):
            at = data.index(box) + 16
            scale = struct.unpack_from(">I", data, at)[0]
            struct.pack_into(">I", data, at + 4, count * scale // 25)


@pytest.mark.fault(41)
@pytest.mark.parametrize(("codec", "size"), [("libx264", "82x62"), ("libx265", "74x50"), ("libvpx-vp9", "66x50")])
def test_coded_in_whole_blocks_and_shown_without_their_rest(
    enlarge: Enlarge, ffmpeg: FFmpeg, tmp_path: Path, codec: str, size: str
) -> None:
    """The display size is enlarged, from its own upper left corner: every pixel is there twice each way."""
    width, height = map(int, size.split("x"))
    source, output = tmp_path / "in.mkv", tmp_path / "out.mkv"
    ffmpeg(*_video(size, "testsrc"), "-pix_fmt", "yuv420p", "-c:v", codec, "-frames:v", "3", source)
    code, _, said = enlarge(source, "-o", output, "--encoder", "ffv1")
    assert code == 0, said
    before, after = luma(source, 3, (width, height)), luma(output, 3, (2 * width, 2 * height))
    assert abs(after.astype(int) - before.astype(int).repeat(2, 1).repeat(2, 2)).max() <= 1
