"""Reads a finished file back and compares it with what was meant to be written.

A job is done when this finds nothing. Every packet is read and compared; of the pictures the first is decoded, or all.
"""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.container import InputContainer
from av.packet import Packet
from av.stream import Disposition
from av.video.stream import VideoStream

from rfdn_video.errors import VerificationError
from rfdn_video.frame import ChromaLocation
from rfdn_video.media.alpha import has_alpha
from rfdn_video.media.encoding.encoders import traits_of
from rfdn_video.media.encoding.result_color import SITED_CODECS
from rfdn_video.media.encoding.target import Target
from rfdn_video.media.hdr import read_hdr, same_hdr
from rfdn_video.media.muxing.carriers import Record
from rfdn_video.media.muxing.mux import Written
from rfdn_video.media.muxing.payload import payload
from rfdn_video.media.muxing.steady_sound import JITTER, is_pcm
from rfdn_video.media.timing import exact

__all__ = ["verify"]

MAX_OFFSET_ERROR = Fraction(1, 1000)  # between sound and picture, in seconds
MAX_END_ERROR = Fraction(1, 10)


@dataclass
class _Found:
    """What one stream of the finished file holds."""

    time_base: Fraction
    packets: int = 0
    end: Fraction | None = None
    pts: array[int] = field(default_factory=lambda: array("q"))
    digest: Any = field(default_factory=lambda: hashlib.blake2b(digest_size=16))

    def note(self, packet: Packet[Any], content: bytes) -> None:
        self.packets += 1
        if packet.pts is not None:
            self.pts.append(packet.pts)
            self.end = (packet.pts + (packet.duration or 0)) * self.time_base
        self.digest.update(content)

    @property
    def first(self) -> Fraction | None:
        return min(self.pts) * self.time_base if self.pts else None

    @property
    def last(self) -> Fraction | None:
        return self.pts[-1] * self.time_base if self.pts else None


def verify(path: Path, written: Written, target: Target, *, full: bool = False) -> None:
    """Checks the file at ``path``.

    Args:
        path: the finished file.
        written: what was written.
        target: container and encoder.
        full: decode all that was encoded here; what was copied is the source's, byte for byte, faults included.

    Raises:
        VerificationError: says everything that differs.
    """
    try:
        with av.open(str(path.absolute()), container_options={"protocol_whitelist": "file"}) as container:
            video = container.streams.video[0]
            differences = list(_tag_differences(video, written, target))
            encoded = {record.index for record in written.side_streams if record.stream.codec}
            found = _read(container, video, encoded if full else set(), full=full)
            differences += _video_differences(found[video.index], written)
            differences += _duration_differences(container, written)
            for record, index in _places(written, container):
                differences += _side_stream_differences(record, found.get(index), found[video.index], written)
            if len(container.chapters()) != written.chapters:
                differences.append(f"{len(container.chapters())} chapters instead of {written.chapters}")
    except (av.FFmpegError, IndexError, OSError) as error:
        raise VerificationError(f"the finished file cannot be read back: {error}") from None
    if differences:
        raise VerificationError("the finished file is not what was meant to be written: " + "; ".join(differences))


def _read(container: InputContainer, video: VideoStream, decoded: set[int], *, full: bool) -> dict[int, _Found]:
    """Reads every packet; decodes the first picture, or all, and the sound of the streams that are listed."""
    found = {s.index: _Found(exact(s.time_base) or Fraction(1)) for s in container.streams}
    pictures, codec = 0, video.codec_context.codec.canonical_name
    for packet in container.demux():
        index = packet.stream.index  # the empty packets at the end know their stream, but not its number
        if packet.size:
            content = bytes(packet)
            found[index].note(packet, payload(codec, content) if index == video.index else content)
        if index == video.index and (full or not pictures):
            pictures += _decode(packet)
        elif index in decoded and packet.stream.type == "audio":
            _decode(packet)
    expected = found[video.index].packets if full else 1
    if pictures < expected:
        raise VerificationError(
            f"of the finished file's {found[video.index].packets} pictures {pictures} can be decoded"
        )
    return found


def _decode(packet: Packet[Any]) -> int:
    """How many pictures, or pieces of sound, come out."""
    try:
        return len(packet.decode())
    except av.error.EOFError:  # flushed already
        return 0


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
    if target.pix_fmt.startswith("gray"):
        del expected["colorspace"]  # without chroma there is no matrix, and H.264 in MP4 stores none
        if not layout.color.full_range:
            del expected["color_range"]  # nor the usual range
    elif target.layout.family == "yuv" and not layout.color.full_range and not context.color_range:
        del expected["color_range"]  # MOV says none, and the usual one is taken for granted
    if target.layout.alpha and not has_alpha(video):
        yield "the alpha channel is gone"
    if (target.layout.sub_w or target.layout.sub_h) and traits_of(target.encoder).codec in SITED_CODECS:
        found = int(context.chroma_sample_location) or ChromaLocation.LEFT
        if found != layout.color.chroma_location:
            yield f"chroma location {found} instead of {layout.color.chroma_location}"
    for name, value in expected.items():
        if (got := int(getattr(context, name))) != value:
            yield f"{name} {got} instead of {value}"
    if (exact(video.sample_aspect_ratio) or 1) != (layout.sample_aspect_ratio or 1):
        yield f"sample aspect ratio {video.sample_aspect_ratio} instead of {layout.sample_aspect_ratio}"
    matrix = (context.coded_side_data or {}).get("display_matrix")
    if layout.hdr and not same_hdr(read_hdr(video), layout.hdr):
        yield "mastering display or light level differ"
    got_matrix = tuple(int(v) for v in np.frombuffer(matrix, np.int32)) if matrix else None
    if got_matrix != layout.display_matrix:
        yield f"display matrix {got_matrix} instead of {layout.display_matrix}"


def _video_differences(found: _Found, written: Written) -> Iterator[str]:
    expected, tick = written.pts, written.layout.time_base
    if found.packets != len(expected):
        yield f"{found.packets} frames instead of {len(expected)}"
        return
    if found.digest.digest() != written.digest.digest():
        yield "the encoded pictures are not those that the encoder gave"
    if not expected:
        return
    got = np.sort(np.asarray(found.pts, np.float64)) * float(found.time_base)
    wanted = np.asarray(expected, np.float64) * float(tick)
    error = np.abs((got - got[0]) - (wanted - wanted[0]))
    worst = int(error.argmax())
    if error[worst] > float(found.time_base) * 1.001:
        yield f"frame {worst} is shown {error[worst] * 1000:.3f} ms off"


def _duration_differences(container: InputContainer, written: Written) -> Iterator[str]:
    """Whether the presentation ends early; what the last frame lasts is not stored by every container.

    MP4 does not count subtitles in, and of variable rates with B-frames it stores the gaps between
    decoding times, so there only the sound is compared. NUT does not store an end.
    """
    if not written.pts or not container.duration or container.format.name == "nut":
        return
    tolerance = max(written.last_duration * written.layout.time_base, MAX_END_ERROR)
    ends = [r.end for r in written.side_streams if r.end is not None and r.stream.source.kind == "audio"]
    if not container.format.name.startswith("mov"):
        ends.append((written.pts[-1] + written.last_duration) * written.layout.time_base)
    found = Fraction(container.duration, av.time_base)  # counted from zero, not from the first picture
    if container.format.name.startswith("mov"):  # there, counted from where the first stream begins
        found += max(Fraction(0), Fraction(container.start_time or 0, av.time_base))
    if ends and found < max(ends) - tolerance:
        yield f"it ends at {float(found):.3f} s instead of {float(max(ends)):.3f} s"


def _places(written: Written, container: InputContainer) -> Iterator[tuple[Record, int]]:
    """Where in the file each stream is; -1 where it cannot be.

    MP4 holds cover art beside the tracks. It is counted behind them, and some are the muxer's own: of chapters,
    and of a timecode.
    """
    apart = "cover" if container.format.name.startswith("mov") else None
    covers = iter([s.index for s in container.streams if s.disposition & Disposition.attached_pic])
    for record in written.side_streams:
        yield record, next(covers, -1) if record.stream.source.kind == apart else record.index


def _side_stream_differences(record: Record, stream: _Found | None, video: _Found, written: Written) -> Iterator[str]:
    kind = record.stream.source.kind
    if stream is None:
        yield f"{record.stream} is missing"
        return
    # MP4 fills the time between two subtitles with empty ones.
    filled = record.stream.codec == "mov_text" and stream.packets > record.packets
    # Demuxers cut PCM into packets as they like.
    if not is_pcm(record) and not filled and stream.packets != record.packets:
        yield f"{record.stream} has {stream.packets} packets instead of {record.packets}"
    elif record.stream.codec is None and not record.reframed and stream.digest.digest() != record.digest.digest():
        yield f"{record.stream} is not a byte for byte copy"
    if record.first is None or stream.first is None or video.first is None or kind != "audio":
        return
    wanted = record.first - written.pts[0] * written.layout.time_base
    error = abs((stream.first - video.first) - wanted)
    if error > MAX_OFFSET_ERROR + stream.time_base + video.time_base:
        yield f"{record.stream} is moved by {float(error) * 1000:.2f} ms against the picture"
    yield from _length_differences(record, stream)


def _span(first: Fraction | None, last: Fraction | None) -> Fraction:
    return Fraction(0) if first is None or last is None else last - first


def _length_differences(record: Record, stream: _Found) -> Iterator[str]:
    """Whether what is heard last is as long after what is heard first as it was in the source: no gap is closed."""
    if is_pcm(record):
        found, written, tolerance = (stream.first, stream.end), (record.first, record.end), MAX_OFFSET_ERROR + JITTER
    else:
        found, written, tolerance = (stream.first, stream.last), (record.first, record.last), MAX_OFFSET_ERROR
    error = _span(*found) - _span(*written)
    if abs(error) > tolerance + 2 * stream.time_base:
        yield f"{record.stream} ends {float(abs(error)):.3f} s {'late' if error > 0 else 'early'}"
