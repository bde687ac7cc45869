"""Small pictures of a running job, now and then: a frame and what it has become, whole, and the middle of both."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from rfdn_video.batch.staging import Picture, thumbnail_path
from rfdn_video.frame import Frame
from rfdn_video.inference.colorspace import PlanesToRGB
from rfdn_video.media.reading.info import VideoInfo
from rfdn_video.onlooker import Onlooker

__all__ = ["Thumbnails", "shrink"]

type Window = tuple[Fraction, Fraction, Fraction, Fraction]
"""Top, bottom, left and right of a part of a frame, 0..1 of its height and width."""

INTERVAL = 4.0
"""Seconds between two pairs of pictures at least."""
SHARE = 0.01
"""Of the time that goes into them at most."""
SIDE = 320
"""Pixels of the longer side at most."""
DETAIL = (88, 160)
"""(height, width) in pixels of the source that are shown at full size."""
FORMAT: dict[str, Any] = {"format": "jpeg", "quality": 90, "subsampling": 0}
CPU = torch.device("cpu")


@dataclass(frozen=True)
class _Seen:
    """A frame of the source that was looked at."""

    moment: Fraction
    window: Window
    whole: Image.Image
    detail: Image.Image


class Thumbnails(Onlooker):
    """Leaves pairs of pictures in a folder.

    Args:
        folder: an existing one.
        video: the source, which tells the shape of its pixels and how it is turned.
        clock: gives seconds.

    Attributes:
        fault: why there are no more of them; a film must not fail for its thumbnails.
    """

    def __init__(self, folder: Path, video: VideoInfo, clock: Callable[[], float] = time.monotonic) -> None:
        self._folder, self._video, self._clock = folder, video, clock
        self._due, self._cost = -np.inf, 0.0
        self._pending: _Seen | None = None
        self.fault: str | None = None

    def before(self, frames: Iterator[Frame]) -> Iterator[Frame]:
        """Looks at one when it is time."""
        for frame in frames:
            if self._pending is None and self._clock() >= self._due:
                with self._timed():
                    self._pending = self._see(frame, _middle(frame))
            yield frame

    def after(self, frames: Iterator[Frame]) -> Iterator[Frame]:
        """Looks at what it has become."""
        for frame in frames:
            if self._pending is not None and frame.pts * frame.time_base >= self._pending.moment:
                self._publish(self._pending, frame)
            yield frame

    def _see(self, frame: Frame, window: Window) -> _Seen:
        detail = shrink(_part(frame, window), self._video)
        return _Seen(frame.pts * frame.time_base, window, shrink(frame, self._video), detail)

    def _publish(self, source: _Seen, frame: Frame) -> None:
        self._pending = None
        if frame.pts * frame.time_base != source.moment:
            return
        with self._timed():
            result = self._see(frame, source.window)
            self._save(source.whole, "before")
            self._save(source.detail, "detail-before")
            self._save(result.whole, "after")
            self._save(result.detail, "detail-after")
        wait = max(INTERVAL, self._cost / SHARE) if self.fault is None else np.inf
        self._due, self._cost = self._clock() + wait, 0.0

    def _save(self, image: Image.Image, name: Picture) -> None:
        path = thumbnail_path(self._folder, name)
        part = path.with_suffix(".part")
        image.save(part, **FORMAT)
        part.replace(path)

    @contextmanager
    def _timed(self) -> Iterator[None]:
        begin = self._clock()
        try:
            yield
        except Exception as error:
            self.fault = f"no thumbnails: {type(error).__name__}: {error}"
            self._due = np.inf
        self._cost += self._clock() - begin


def _middle(frame: Frame) -> Window:
    """Where :data:`DETAIL` lies; its edges are those of chroma samples too."""
    (top, bottom), (left, right) = (
        (Fraction(begin, size), Fraction(min(begin + part, size), size))
        for size, part in zip((frame.height, frame.width), DETAIL, strict=True)
        for begin in [max(0, size - part) // 8 * 4]
    )
    return top, bottom, left, right


def _part(frame: Frame, window: Window) -> Frame:
    top, bottom, left, right = window
    planes = tuple(
        plane[round(top * rows) : round(bottom * rows), round(left * columns) : round(right * columns)]
        for plane in frame.planes
        for rows, columns in [plane.shape]
    )
    return replace(frame, planes=planes)


def shrink(frame: Frame, video: VideoInfo) -> Image.Image:
    """A frame as it is shown, small: a few of its samples, every 2x2 of them averaged.

    Colours of HDR are not tone-mapped.
    """
    shape = frame.width * video.sample_aspect_ratio, Fraction(frame.height)
    factor = min(Fraction(1), Fraction(SIDE) / max(shape))
    width, height = (max(1, round(side * factor)) for side in shape)
    colors = frame.planes[: 1 if frame.format.family == "gray" else 3]
    planes = [torch.from_numpy(_samples(plane, 2 * height, 2 * width)) for plane in colors]
    layout = replace(frame.format, sub_w=0, sub_h=0, alpha=False)
    rgb = PlanesToRGB(layout, frame.color, 2 * width, 2 * height, CPU)(planes)[0]
    pixels = (rgb.clamp(0, 1) * 255).round().to(torch.uint8).permute(1, 2, 0).numpy()
    return Image.fromarray(_turned(np.ascontiguousarray(pixels), video.display_matrix)).reduce(2)


def _samples(plane: NDArray[np.uint8 | np.uint16], height: int, width: int) -> NDArray[np.int32]:
    """The samples of a plane nearest to a grid of this size, as integers that torch knows."""
    rows, columns = (
        ((np.arange(new) + 0.5) * size / new).astype(int)
        for new, size in zip((height, width), plane.shape, strict=True)
    )
    samples: NDArray[np.int32] = plane[rows[:, None], columns].astype(np.int32)
    return samples


def _turned(pixels: NDArray[np.uint8], matrix: tuple[int, ...] | None) -> NDArray[np.uint8]:
    """By a multiple of 90 degrees, and mirrored, as the container's matrix says: x' = ax + cy, y' = bx + dy."""
    if matrix is None:
        return pixels
    a, b, c, d = matrix[0], matrix[1], matrix[3], matrix[4]
    turned = a == 0 and b != 0
    across, down = (c, b) if turned else (a, d)
    pixels = pixels.swapaxes(0, 1) if turned else pixels
    return np.ascontiguousarray(pixels[:: -1 if down < 0 else 1, :: -1 if across < 0 else 1])
