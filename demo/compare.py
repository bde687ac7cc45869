"""What enlarging gained: frames of the result against the film that the clip was reduced from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from PIL import Image, ImageDraw, ImageFont

__all__ = ["Views", "audio_packets", "before_after", "decoded", "luma", "psnr", "rgb"]

CROPS = ((118, 126, 268, 222), (172, 216, 322, 312))  # left, top, right, bottom in pixels of the film
ENLARGED, GAP, HEAD = 3, 6, 34  # factor of the crops; pixels between and above them
PAPER, INK = (250, 247, 240), (38, 34, 44)


@dataclass(frozen=True)
class Views:
    """One moment three times at the film's size: clip by bicubic, result, and the film itself."""

    bicubic: Image.Image
    ours: Image.Image
    truth: Image.Image


def decoded(path: Path, numbers: Sequence[int]) -> Iterator[av.VideoFrame]:
    """The frames of the first video stream with these ascending numbers."""
    wanted = set(numbers)
    with av.open(path) as container:
        for number, frame in enumerate(container.decode(video=0)):
            if number in wanted:
                yield frame


def audio_packets(path: Path) -> list[bytes]:
    """The payload of every audio packet, in order."""
    with av.open(path) as container:
        return [bytes(packet) for packet in container.demux(audio=0) if packet.size]


def luma(image: Image.Image | av.VideoFrame) -> Image.Image:
    """Luma in BT.709 studio range (16..235) as an L image: a decoded frame's own plane, or from RGB."""
    if isinstance(image, av.VideoFrame):
        plane = image.planes[0]
        rows = np.frombuffer(plane, np.uint8).reshape(plane.height, plane.line_size)
        return Image.fromarray(rows[:, : plane.width].copy())
    weighted = np.asarray(image) @ np.array([0.2126, 0.7152, 0.0722])
    return Image.fromarray(np.round(16 + weighted * (219 / 255)).astype(np.uint8))


def rgb(frame: av.VideoFrame) -> Image.Image:
    """The frame as RGB, by the matrix and range that it is tagged with."""
    return Image.fromarray(frame.to_ndarray(format="rgb24"))


def psnr(image: Image.Image, truth: Image.Image) -> float:
    """PSNR in dB between two 8-bit luma images of the same size."""
    error = np.asarray(image, np.float64) - np.asarray(truth, np.float64)
    return float(10 * np.log10(255**2 / np.mean(error**2)))


def before_after(views: Views, labels: Sequence[str]) -> Image.Image:
    """Crops of the three views side by side under their labels, each pixel shown as a 3x3 square."""
    width, height = ((CROPS[0][i + 2] - CROPS[0][i]) * ENLARGED for i in (0, 1))
    sheet = Image.new("RGB", (3 * width + 2 * GAP, HEAD + len(CROPS) * (height + GAP) - GAP), PAPER)
    draw = ImageDraw.Draw(sheet)
    for column, view in enumerate((views.bicubic, views.ours, views.truth)):
        left = column * (width + GAP)
        draw.text((left + 4, HEAD / 2), labels[column], INK, ImageFont.load_default(20), anchor="lm")
        for row, crop in enumerate(CROPS):
            tile = view.crop(crop).resize((width, height), Image.Resampling.NEAREST)
            sheet.paste(tile, (left, HEAD + row * (height + GAP)))
    return sheet
