"""Which channel is where: for sound that does not say it, and for encoders that do not know every place."""

from __future__ import annotations

from typing import cast

import av
from av.audio.codeccontext import AudioCodecContext
from av.audio.layout import AudioLayout
from av.codec import CodecContext

from rfdn_video.media.libav_log import cause_of, errors_logged

__all__ = ["accepted_layout", "is_unstated", "stated_layout"]

# Those of Vorbis and Opus (RFC 7845, section 5.1.1.2), which nearly every encoder takes.
_USUAL = {1: "mono", 2: "stereo", 3: "3.0", 4: "quad", 5: "5.0", 6: "5.1", 7: "6.1", 8: "7.1"}


def is_unstated(layout: AudioLayout) -> bool:
    """Only the number of channels is known, as of AVI, WMV and of PCM in Matroska."""
    return all(channel.name == "NONE" for channel in layout.channels)


def stated_layout(layout: AudioLayout) -> AudioLayout:
    """``layout``, or the usual one of as many channels where it is unstated; beyond 8 there is none."""
    usual = _USUAL.get(layout.nb_channels)
    return AudioLayout(usual) if usual is not None and is_unstated(layout) else layout


def accepted_layout(encoder: str, layout: AudioLayout, rate: int) -> AudioLayout:
    """``layout``, or where ``encoder`` refuses that, the one with the same speakers at the back instead of the sides.

    Args:
        encoder: FFmpeg's name of it.
        layout: of the sound, stated.
        rate: in samples a second.

    Raises:
        ValueError: it takes neither; says why, in libav's words.
    """
    cause = _refusal(encoder, layout, rate)
    if cause is None:
        return layout
    at_the_back = AudioLayout(layout.name.removesuffix("(side)"))
    if at_the_back != layout and _refusal(encoder, at_the_back, rate) is None:
        return at_the_back
    raise ValueError(cause)


def _refusal(encoder: str, layout: AudioLayout, rate: int) -> str | None:
    """Why the encoder cannot be opened; libav says so in its first line, and goes on with lists."""
    context = cast("AudioCodecContext", CodecContext.create(encoder, "w"))
    context.layout, context.sample_rate = layout, rate
    if formats := context.codec.audio_formats:
        context.format = formats[0]
    with errors_logged() as log:
        try:
            context.open()
        except (av.FFmpegError, ValueError) as error:
            return cause_of(error, log[:1])
    return None
