"""Decoding on an NVIDIA GPU (NVDEC) through FFmpeg. Its pictures come back into the host's memory.

Never falls back to decoding in software: whoever asks for it is told where it does not work.
"""

from __future__ import annotations

import av
from av.codec.hwaccel import HWAccel, HWDevice
from av.video.codeccontext import VideoCodecContext

from rfdn_video.errors import DeviceError

__all__ = ["check_accelerated", "open_hwaccel", "to_planar"]

# What FFmpeg calls the decoder's own layouts; the samples of p010 lie in the upper bits.
_PLANAR = {"nv12": "yuv420p", "p010le": "yuv420p10le"}


def open_hwaccel(device: str) -> HWAccel:
    """The decoder of a GPU.

    Args:
        device: as ``Settings.device`` says it; of several the first, and where none is numbered the first there is.

    Raises:
        DeviceError: no such GPU, or its driver cannot decode.
    """
    kind, _, indices = device.partition(":")
    index = indices.partition(",")[0] if kind == "cuda" and indices else None
    try:
        HWDevice("cuda", index)
    except (av.FFmpegError, OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise DeviceError(
            f"hwaccel cuda: no CUDA device {index or 0} that decodes video ({reason}); leave --hwaccel away"
        ) from None
    return HWAccel("cuda", index, allow_software_fallback=False)


def check_accelerated(decoder: VideoCodecContext, name: str) -> None:
    """Refuses a stream that FFmpeg would decode in software all the same.

    Raises:
        DeviceError: the decoder that FFmpeg takes for its codec has no CUDA.
    """
    if not decoder.is_hwaccel:
        raise DeviceError(f"{name}: decoder {decoder.name} does not run on CUDA; leave --hwaccel away")


def to_planar(picture: av.VideoFrame, pix_fmt: str) -> av.VideoFrame:
    """A picture from the hardware in the layout that a decoder in software gives; the same samples.

    Args:
        picture: in the host's memory.
        pix_fmt: of the stream.

    Raises:
        DeviceError: another layout, for which this is not known to be exact.
    """
    name = picture.format.name
    wanted = pix_fmt.replace("yuvj", "yuv")
    if name.replace("yuvj", "yuv") == wanted:
        return picture
    if _PLANAR.get(name) != wanted:
        raise DeviceError(
            f"hwaccel cuda: gives {name} for {pix_fmt}; 4:2:0 of 8 and 10 bit is allowed, else leave --hwaccel away"
        )
    planar = picture.reformat(format=wanted, threads=1)
    planar.pts, planar.dts, planar.duration = picture.pts, picture.dts, picture.duration
    return planar
