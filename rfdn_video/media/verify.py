"""Reads a finished file back and compares it with what was meant to be written.

A job is done when this finds nothing. Every packet is read, the first picture is decoded.
"""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.container import InputContainer
from av.video.stream import VideoStream

from rfdn_video.errors import VerificationError
from rfdn_video.media.copy import CopiedStream
from rfdn_video.media.mux import Written
from rfdn_video.media.target import Target
from rfdn_video.media.timing import exact

__all__ = ["verify"]

MAX_OFFSET_ERROR = Fraction(1, 1000)  # between sound and picture, in seconds


@dataclass
class _Found:
    """What one stream of the finished file holds."""

    time_base: Fraction
    packets: int = 0
    pts: array[int] = field(default_factory=lambda: array("q"))
    digest: hashlib.blake2b = field(default_factory=lambda: hashlib.blake2b(digest_size=16))

    @property
    def first(self) -> Fraction | None:
        return min(self.pts) * self.time_base if self.pts else None


def verify(path: Path, written: Written, target: Target) -> None:
    """Checks the file at ``path``.

    Raises:
        VerificationError: says everything that differs.
    """
    try:
        with av.open(str(path.absolute()), container_options={"protocol_whitelist": "file"}) as container:
            video = container.streams.video[0]
            differences = list(_tag_differences(video, written, target))
            found = _read(container, video)
            differences += _video_differences(found[video.index], written)
            differences += _duration_differences(container, written)
            for copied in written.copied:
                differences += _copy_differences(copied, found, found[video.index], written)
            if len(container.chapters()) != written.chapters:
                differences.append(f"{len(container.chapters())} chapters instead of {written.chapters}")
    except (av.FFmpegError, IndexError, OSError) as error:
        raise VerificationError(f"the finished file cannot be read back: {error}") from None
    if differences:
        raise VerificationError("the finished file is not what was meant to be written: " + "; ".join(differences))


def _read(container: InputContainer, video: VideoStream) -> dict[int, _Found]:
    found = {s.index: _Found(exact(s.time_base) or Fraction(1)) for s in container.streams}
    decoded = False
    for packet in container.demux():
        if not packet.size:
            decoded = decoded or (packet.stream_index == video.index and bool(video.decode(packet)))
            continue
        stream = found[packet.stream_index]
        stream.packets += 1
        if packet.pts is not None:
            stream.pts.append(packet.pts)
        if packet.stream_index != video.index:
            stream.digest.update(bytes(packet))
        elif not decoded:
            decoded = bool(video.decode(packet))
    if not decoded:
        raise VerificationError("no picture of the finished file can be decoded")
    return found


def _tag_differences(video: VideoStream, written: Written, target: Target) -> Iterator[str]:
    layout, context = written.layout, video.codec_context
    if (context.width, context.height) != (layout.width, layout.height):
        yield f"size {context.width}x{context.height} instead of {layout.width}x{layout.height}"
    if not target.container.keeps_tags:
        return
    expected = {
        "color_primaries": layout.color.primaries,
        "color_trc": layout.color.transfer,
        "colorspace": int(layout.color.matrix),
        "color_range": 2 if layout.color.full_range else 1,
    }
    for name, value in expected.items():
        if (got := int(getattr(context, name))) != value:
            yield f"{name} {got} instead of {value}"
    if (exact(video.sample_aspect_ratio) or 1) != (layout.sample_aspect_ratio or 1):
        yield f"sample aspect ratio {video.sample_aspect_ratio} instead of {layout.sample_aspect_ratio}"
    matrix = (context.coded_side_data or {}).get("display_matrix")
    got_matrix = tuple(int(v) for v in np.frombuffer(matrix, np.int32)) if matrix else None
    if got_matrix != layout.display_matrix:
        yield f"display matrix {got_matrix} instead of {layout.display_matrix}"


def _video_differences(found: _Found, written: Written) -> Iterator[str]:
    expected, tick = written.pts, written.layout.time_base
    if found.packets != len(expected):
        yield f"{found.packets} frames instead of {len(expected)}"
        return
    if not expected:
        return
    got = np.sort(np.asarray(found.pts, np.float64)) * float(found.time_base)
    wanted = np.asarray(expected, np.float64) * float(tick)
    error = np.abs((got - got[0]) - (wanted - wanted[0]))
    worst = int(error.argmax())
    if error[worst] > float(found.time_base) * 1.001:
        yield f"frame {worst} is shown {error[worst] * 1000:.3f} ms off"


def _duration_differences(container: InputContainer, written: Written) -> Iterator[str]:
    """The end of the presentation, to within one frame: what a frame lasts is not stored by every container."""
    if not written.pts or not container.duration or container.format.name == "nut":
        return
    frame = max(written.last_duration * written.layout.time_base, MAX_OFFSET_ERROR)
    ends = [(written.pts[-1] + written.last_duration) * written.layout.time_base]
    ends += [copied.end for copied in written.copied if copied.end is not None and copied.source.kind == "audio"]
    # MP4 and Matroska count it from zero, not from the first picture; NUT does not store it.
    found = Fraction(container.duration, av.time_base)
    if abs(found - max(ends)) > frame + MAX_OFFSET_ERROR:
        yield f"it ends at {float(found):.3f} s instead of {float(max(ends)):.3f} s"


def _copy_differences(copied: CopiedStream, found: dict[int, _Found], video: _Found, written: Written) -> Iterator[str]:
    name = f"{copied.source.kind} stream {copied.source.index} ({copied.source.codec})"
    if copied.index not in found:
        yield f"{name} is missing"
        return
    stream = found[copied.index]
    is_pcm = copied.source.codec.startswith("pcm_")  # demuxers cut PCM into packets as they like
    if not is_pcm and stream.packets != copied.packets:
        yield f"{name} has {stream.packets} packets instead of {copied.packets}"
    elif not copied.reframed and stream.digest.digest() != copied.digest.digest():
        yield f"{name} is not a byte for byte copy"
    if copied.first is None or stream.first is None or video.first is None or copied.source.kind != "audio":
        return
    wanted = copied.first - written.pts[0] * written.layout.time_base
    error = abs((stream.first - video.first) - wanted)
    if error > MAX_OFFSET_ERROR + stream.time_base + video.time_base:
        yield f"{name} is moved by {float(error) * 1000:.2f} ms against the picture"
