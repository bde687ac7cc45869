"""An encoder whose stream says in the container, too, what the mastering display was and how bright it gets."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator

import av
from av.container import OutputContainer
from av.packet import Packet
from av.video.stream import VideoStream

from rfdn_video.frame import Frame
from rfdn_video.media.encoding.hdr_template import hdr_template
from rfdn_video.media.encoding.target import Target
from rfdn_video.media.encoding.video_encoder import MakeEncoder, tag
from rfdn_video.media.layout import VideoLayout

__all__ = ["HDREncoder"]


class HDREncoder:
    """See :class:`rfdn_video.media.encoding.video_encoder.VideoEncoder`.

    The encoder itself belongs to a container that is never written; its packets go to a stream that was made from
    :func:`rfdn_video.media.encoding.hdr_template.hdr_template`.
    """

    def __init__(self, encoder: MakeEncoder, container: OutputContainer, target: Target, layout: VideoLayout) -> None:
        self._unwritten = av.open(io.BytesIO(), "w", format=target.container.muxer)
        try:
            self._encoder = encoder(self._unwritten, target, layout)
        except BaseException:
            self._unwritten.close()
            raise
        self.codec = self._encoder.codec
        self.stream = _described(container, self._encoder.stream, self.codec, layout)

    def encode(self, frame: Frame, pts: int) -> Iterable[Packet[VideoStream]]:
        """See :class:`VideoEncoder`."""
        return self._ours(self._encoder.encode(frame, pts))

    def flush(self) -> Iterable[Packet[VideoStream]]:
        """See :class:`VideoEncoder`."""
        return self._ours(self._encoder.flush())

    def close(self) -> None:
        """See :class:`VideoEncoder`."""
        self._encoder.close()
        self._unwritten.close()

    def _ours(self, packets: Iterable[Packet[VideoStream]]) -> Iterator[Packet[VideoStream]]:
        for packet in packets:
            packet.stream = self.stream
            yield packet


def _described(container: OutputContainer, encoded: VideoStream, codec: str, layout: VideoLayout) -> VideoStream:
    """A stream as the encoder describes it, with what PyAV cannot be told."""
    with av.open(io.BytesIO(hdr_template(codec, layout.hdr)), format="mp4") as template:
        stream = container.add_stream_from_template(template.streams.video[0], opaque=True)
    stream.time_base = layout.time_base
    known, context = encoded.codec_context, stream.codec_context
    context.width, context.height, context.pix_fmt = layout.width, layout.height, known.pix_fmt
    context.framerate = layout.frame_rate
    context.sample_aspect_ratio = layout.sample_aspect_ratio
    context.extradata = known.extradata
    context.codec_tag = known.codec_tag
    tag(context, layout.color)
    return stream
