"""Sound that a transport stream announces at its beginning, and that comes late or never."""

from __future__ import annotations

from pathlib import Path

from av.audio.stream import AudioStream
from av.container import InputContainer
from av.stream import Stream

from rfdn_video.limits import MAX_LOOKED_BYTES
from rfdn_video.media.reading.source import open_source

__all__ = ["is_undescribed", "open_described"]

BEHIND = 5_000_000
"""Bytes behind the first packet of a sound that FFmpeg sees too: as many as it looks at by default."""


def is_undescribed(stream: Stream) -> bool:
    """Sound of which no packet has said its sample rate."""
    return isinstance(stream, AudioStream) and stream.codec_context is not None and not stream.codec_context.sample_rate


def open_described(path: Path) -> tuple[InputContainer, int | None]:
    """:func:`open_source`, looking further into the file where a sound begins behind what is looked at by default.

    Returns:
        The container, and how many bytes were to be looked at; None are the usual ones.

    Raises:
        as :func:`open_source`.
    """
    container = open_source(path)
    silent = {stream.index for stream in container.streams if is_undescribed(stream)}
    looked = _last_beginning(path, silent) if silent else None
    if looked is None:
        return container, None
    container.close()
    return open_source(path, looked=looked + BEHIND), looked + BEHIND


def _last_beginning(path: Path, silent: set[int]) -> int | None:
    """Where the last of these streams begins that begins at all, within the limit."""
    begins: dict[int, int] = {}
    with open_source(path) as container:
        for packet in container.demux():
            if packet.size and packet.pos is not None:
                if packet.pos > MAX_LOOKED_BYTES or silent == begins.keys():
                    break
                if packet.stream_index in silent:
                    begins.setdefault(packet.stream_index, packet.pos)
    return max(begins.values(), default=None)
