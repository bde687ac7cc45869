"""Containers and encoders: sensible defaults, refusals that name alternatives."""

from __future__ import annotations

from pathlib import Path

import pytest

from rfdn_video.errors import OutputError, UsageError
from rfdn_video.frame import PixelFormat
from rfdn_video.media.target import choose_container, choose_encoder, encoder_exists

YUV420P8, YUV420P10, YUV444P12 = PixelFormat("yuv", 8, 1, 1), PixelFormat("yuv", 10, 1, 1), PixelFormat("yuv", 12)
MOV = "mov,mp4,m4a,3gp,3g2,mj2"


@pytest.mark.parametrize(
    ("source", "demuxer", "expected"),
    [
        ("a.mp4", MOV, "mp4"),
        ("a.mov", MOV, "mov"),
        ("a.webm", "matroska,webm", "webm"),
        ("a.mkv", "matroska,webm", "mkv"),
        ("a.ts", "mpegts", "mkv"),
        ("a.mp4", "flv", "mkv"),  # its content counts
        ("a.avi", "avi", "mkv"),
    ],
)
def test_container_follows_the_source(source: str, demuxer: str, expected: str) -> None:
    assert choose_container(None, Path(source), demuxer, None).name == expected


def test_container_follows_the_output_before_the_source() -> None:
    assert choose_container(Path("b.WEBM"), Path("a.mp4"), MOV, None).name == "webm"
    with pytest.raises(UsageError, match=r"'\.xyz'.*\.mkv"):
        choose_container(Path("b.xyz"), Path("a.mp4"), MOV, None)


@pytest.mark.parametrize(
    ("container", "layout", "encoder"),
    [
        ("mp4", YUV420P8, "libx264"),
        ("mp4", YUV420P10, "libx264"),
        ("mp4", YUV444P12, "libx265"),
        ("webm", YUV420P8, "libvpx-vp9"),
        ("webm", YUV420P10, "libsvtav1"),
        ("mkv", PixelFormat("rgb", 16), "ffv1"),
        ("nut", YUV420P10, "rawvideo"),
    ],
)
def test_default_encoder_takes_the_format_as_it_is(container: str, layout: PixelFormat, encoder: str) -> None:
    chosen = choose_container(None, Path("a"), "", container)
    assert choose_encoder(chosen, layout, None, None).encoder == encoder


def test_refusals_name_alternatives() -> None:
    mkv = choose_container(None, Path("a"), "", "mkv")
    with pytest.raises(OutputError, match=r"does not take yuv420p10le; these do: .*libx265"):
        choose_encoder(mkv, YUV420P10, "libvpx-vp9", None)
    with pytest.raises(OutputError, match=r"did you mean libx265\?"):
        choose_encoder(mkv, YUV420P8, "x265", None)
    with pytest.raises(OutputError, match="no crf"):
        choose_encoder(mkv, YUV420P8, "ffv1", 20)
    with pytest.raises(OutputError, match="no encoder for yuv444p12le"):
        choose_encoder(choose_container(None, Path("a"), "", "webm"), YUV444P12, None, None)


def test_the_named_encoders_are_in_this_build() -> None:
    assert all(encoder_exists(name) for name in ("libx264", "libx265", "libsvtav1", "libvpx-vp9", "ffv1"))
