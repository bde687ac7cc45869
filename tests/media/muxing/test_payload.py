"""Encoded pictures are the same whatever container they went through, and differ where one bit does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import av
import pytest

from rfdn_video.media.muxing.payload import payload


def test_delimited_by_codes_or_by_lengths() -> None:
    for sizes in ([1, 2, 3], [256, 400, 511], [700, 65537]):
        units = [bytes([0x65]) + b"\x80" * size for size in sizes]
        by_codes = b"".join(b"\0\0\0\1" + unit for unit in units)
        by_short_codes = b"".join(b"\0\0\1" + unit for unit in units)
        by_lengths = b"".join(len(unit).to_bytes(4) + unit for unit in units)
        for data in (by_codes, by_short_codes, by_lengths):
            assert payload("h264", data) == b"".join(units)
            assert payload("vp9", data) == data


@pytest.mark.parametrize("encoder", ["libx264", "libx265", "libsvtav1", "libvpx-vp9", "ffv1"])
def test_survives_the_container(ffmpeg: Callable[..., bytes], tmp_path: Path, encoder: str) -> None:
    """NUT leaves packets as the encoder gave them."""
    source = ["-f", "lavfi", "-i", "testsrc2=size=128x96:rate=25:duration=0.4", "-pix_fmt", "yuv420p"]
    ffmpeg(*source, "-c:v", encoder, "-g", "5", tmp_path / "a.nut")
    found = []
    for name in ("a.nut", "a.mkv", "a.mp4" if encoder != "ffv1" else "b.mkv"):
        if name != "a.nut":
            ffmpeg("-i", tmp_path / "a.nut", "-c", "copy", tmp_path / name)
        with av.open(str(tmp_path / name)) as container:
            codec = container.streams.video[0].codec_context.codec.canonical_name
            found.append([payload(codec, bytes(p)) for p in container.demux(video=0) if p.size])
    assert len(found[0]) == 10
    assert found[0] == found[1] == found[2]
