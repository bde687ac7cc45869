"""What results would look like, before hours are spent: crops of a few pictures, enlarged in several ways."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from rfdn_video.errors import InputError
from rfdn_video.frame import Frame
from rfdn_video.inference.colorspace import PlanesToRGB
from rfdn_video.inference.upscaler import Upscaler
from rfdn_video.media.reading.info import MediaInfo
from rfdn_video.quality.crops import Window, detailed_windows
from rfdn_video.quality.moments import telling_moments

__all__ = ["BASELINES", "Candidate", "View", "preview"]

WINDOW = (256, 160)
"""(width, height) of a crop, in pixels of the source."""
TRIED = 2
"""Crops of each picture that are enlarged; the one where the results differ most is shown."""
HALO = 16
"""Pixels around a crop that are enlarged with it, for the network looks around."""
THUMBNAIL = 240  # pixels wide
BASELINES = {"bicubic": Image.Resampling.BICUBIC, "Lanczos": Image.Resampling.LANCZOS}

type RGB8 = NDArray[np.uint8]


@dataclass(frozen=True)
class Candidate:
    """One way to enlarge that is tried."""

    name: str
    upscaler: Upscaler


@dataclass(frozen=True)
class View:
    """One crop, enlarged in all ways.

    Attributes:
        source: the file.
        time: of the picture, in seconds from the beginning.
        size: (height, width) of the picture.
        window: rows and columns of the crop in it.
        layers: by name, the baselines first: [height, width, 3], all of one size.
        thumbnail: of the whole picture.
        difference: how far the results are apart, in 8-bit code values.
    """

    source: Path
    time: Fraction
    size: tuple[int, int]
    window: Window
    layers: dict[str, RGB8]
    thumbnail: RGB8
    difference: float


def preview(
    info: MediaInfo, candidates: Sequence[Candidate], moments: int, on_view: Callable[[int], None] = lambda _: None
) -> list[View]:
    """Enlarges crops of the pictures that tell most.

    Args:
        info: of the file.
        candidates: ways to enlarge, all to the same size.
        moments: how many pictures at most.
        on_view: called after every crop with the number done.

    Returns:
        One for each picture, in order of time.

    Raises:
        InputError: no picture could be found.
    """
    frames = telling_moments(info, moments)
    if not frames:
        raise InputError(f"{info.path}: no picture of it can be decoded")
    views = []
    for count, frame in enumerate(frames, start=1):
        views.append(max(_views(info, frame, candidates), key=lambda view: view.difference))
        on_view(count)
    return views


def _views(info: MediaInfo, frame: Frame, candidates: Sequence[Candidate]) -> Iterator[View]:
    to_rgb = PlanesToRGB(frame.format, frame.color, frame.width, frame.height, torch.device("cpu"))
    rgb = to_rgb([torch.from_numpy(plane.astype(np.float32)) for plane in frame.planes])[0]
    time = frame.pts * frame.time_base - info.start_time
    thumbnail = np.asarray(_thumbnail(_to_uint8(rgb)))
    for window in detailed_windows(frame, WINDOW, TRIED):
        layers = _layers(rgb, window, candidates)
        results = [layers[candidate.name] for candidate in candidates]
        pairs = combinations(results if len(results) > 1 else list(layers.values())[1:], 2)
        difference = max(float(np.abs(a.astype(np.float32) - b).mean()) for a, b in pairs)
        size = frame.height, frame.width
        yield View(info.path, max(time, Fraction(0)), size, window, layers, thumbnail, difference)


def _layers(rgb: Tensor, window: Window, candidates: Sequence[Candidate]) -> dict[str, RGB8]:
    """The window of a picture [3, H, W] in all ways, each with the same surroundings."""
    outer = tuple(
        slice(max(0, part.start - HALO), min(size, part.stop + HALO))
        for part, size in zip(window, rgb.shape[1:], strict=True)
    )
    source = rgb[:, outer[0], outer[1]]
    enlarged = {candidate.name: candidate.upscaler(source) for candidate in candidates}
    height, width = next(iter(enlarged.values())).shape[1:]
    baselines = {name: _resize(source, (width, height), kernel) for name, kernel in BASELINES.items()}
    factors = (Fraction(height, source.shape[1]), Fraction(width, source.shape[2]))
    inner = tuple(
        slice(round((part.start - around.start) * factor), round((part.stop - around.start) * factor))
        for part, around, factor in zip(window, outer, factors, strict=True)
    )
    return {name: _to_uint8(image[:, inner[0], inner[1]]) for name, image in (baselines | enlarged).items()}


def _resize(image: Tensor, size: tuple[int, int], kernel: Image.Resampling) -> Tensor:
    planes = [Image.fromarray(plane.contiguous().numpy()).resize(size, kernel) for plane in image]
    return torch.from_numpy(np.stack([np.asarray(plane) for plane in planes]))


def _thumbnail(image: RGB8) -> Image.Image:
    height, width = image.shape[:2]
    small = min(width, THUMBNAIL)
    return Image.fromarray(image).resize((small, max(1, round(height * small / width))), Image.Resampling.BICUBIC)


def _to_uint8(image: Tensor) -> RGB8:
    pixels: RGB8 = (image * 255).round().clamp(0, 255).to(torch.uint8).permute(1, 2, 0).contiguous().numpy()
    return pixels
