"""What video compression does to pictures: a real encode and decode of a short clip, in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, cast

import av
import numpy as np
import torch
from av.video.codeccontext import VideoCodecContext
from numpy.typing import NDArray

from rfdn_video.errors import DeviceError, InputError
from rfdn_video.frame import Color, Matrix, PixelFormat, Planes
from rfdn_video.inference.colorspace import PlanesToRGB, RGBToPlanes
from rfdn_video.media.reading.decode import planes_of
from rfdn_video.training.imresize import RGB8

__all__ = ["Encoding", "RGBConverter", "encode_and_decode", "random_encoding"]

YUV420 = PixelFormat("yuv", 8, 1, 1)
SD = Color(Matrix.SMPTE170M)
X265_MIN_SIDE = 72
"""Of up to 64 pixels, x265 4.3 codes the same pictures otherwise each time, now and then as if the CRF were far
higher, and of 48 it writes beyond its memory (glibc's malloc checks show it)."""
PRESETS = ("veryfast", "fast", "medium")


@dataclass(frozen=True)
class Encoding:
    """How a clip is compressed, 8-bit 4:2:0.

    Attributes:
        codec: H.264 by x264, or H.265 by x265.
        crf: constant rate factor; 16 is hardly visible, 35 is poor.
        preset: of x264 and x265.
    """

    codec: Literal["h264", "hevc"]
    crf: int
    preset: str


def random_encoding(random: np.random.Generator, side: int, least_crf: int, most_crf: int) -> Encoding:
    """H.264 for 85 of 100 clips, else H.265; any CRF of a range, both ends included; three presets.

    Args:
        side: the shorter one of the clip in pixels; those too small for x265 get H.264.
    """
    codec: Literal["h264", "hevc"] = "h264" if random.random() < 0.85 or side < X265_MIN_SIDE else "hevc"
    return Encoding(codec, int(random.integers(least_crf, most_crf + 1)), PRESETS[random.integers(len(PRESETS))])


def encode_and_decode(frames: Sequence[RGB8], encoding: Encoding) -> list[RGB8]:
    """The frames as a viewer of the compressed clip gets them.

    Args:
        frames: [H, W, 3] each, H and W even; 72 or more for H.265.

    Raises:
        InputError: the frames are too small for H.265.
        DeviceError: the encoder is missing, or gave another number of frames.
    """
    height, width = frames[0].shape[:2]
    if encoding.codec == "hevc" and min(height, width) < X265_MIN_SIDE:
        raise InputError(f"clip of {width}x{height} pixels: H.265 needs {X265_MIN_SIDE} a side; use H.264")
    encoder = _open_encoder(encoding, width, height)
    decoder = av.CodecContext.create(encoding.codec, "r")
    decoder.thread_count = 1
    convert = RGBConverter(YUV420, SD, width, height)
    packets = []
    for number, frame in enumerate(frames):
        packets += encoder.encode(_picture(convert.to_planes(frame), number))
    packets += encoder.encode(None)
    pictures = [picture for packet in [*packets, None] for picture in decoder.decode(packet)]
    if len(pictures) != len(frames):
        raise DeviceError(f"{encoding.codec}: {len(pictures)} of {len(frames)} frames came back from the encoder")
    return [convert.to_rgb(planes_of(picture, YUV420)) for picture in pictures]


def _open_encoder(encoding: Encoding, width: int, height: int) -> VideoCodecContext:
    name = {"h264": "libx264", "hevc": "libx265"}[encoding.codec]
    try:
        encoder = cast(VideoCodecContext, av.CodecContext.create(name, "w"))
    except ValueError:
        raise DeviceError(f"encoder {name} is missing in this build of PyAV; the video degradation needs it") from None
    encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuv420p"
    encoder.framerate, encoder.time_base = Fraction(25), Fraction(1, 25)
    encoder.thread_count = 1  # clips are small, and the result must not depend on the machine
    encoder.options = {"preset": encoding.preset, "crf": str(encoding.crf)}
    if name == "libx265":
        encoder.options |= {"x265-params": "log-level=none:pools=none:frame-threads=1"}
    return encoder


def _picture(planes: Sequence[NDArray[np.uint8]], pts: int) -> av.VideoFrame:
    height, width = planes[0].shape
    picture = av.VideoFrame(width, height, "yuv420p")
    for plane, samples in zip(picture.planes, planes, strict=True):
        rows = np.frombuffer(plane, np.uint8).reshape(plane.height, plane.line_size)
        rows[:, : plane.width] = samples
    picture.pts, picture.time_base = pts, Fraction(1, 25)
    return picture


class RGBConverter:
    """Between planes and 8-bit R'G'B', by the very arithmetic that the video pipeline uses.

    Args:
        layout, color: how to read the planes.
        width, height: of the pictures.
    """

    def __init__(self, layout: PixelFormat, color: Color, width: int, height: int) -> None:
        cpu = torch.device("cpu")
        self._to_rgb = PlanesToRGB(layout, color, width, height, cpu)
        self._to_planes = RGBToPlanes(layout, color, width, height, cpu)

    def to_rgb(self, planes: Planes) -> RGB8:
        """[H, W, 3]."""
        rgb = self._to_rgb([torch.from_numpy(plane.copy()) for plane in planes])[0]
        return (rgb * 255).round().clamp(0, 255).to(torch.uint8).permute(1, 2, 0).contiguous().numpy()

    def to_planes(self, image: RGB8) -> list[NDArray[np.uint8]]:
        """Planes in the order of the layout."""
        rgb = torch.from_numpy(image.copy()).permute(2, 0, 1)[None].float() / 255
        return [plane.numpy() for plane in self._to_planes(rgb)]
