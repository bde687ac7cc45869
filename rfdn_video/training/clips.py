"""Short clips to compress: a still under a moving camera, or a window of a real video."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import cos, radians, sin
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from rfdn_video.frame import Frame
from rfdn_video.media.reading.decode import Decoder
from rfdn_video.media.reading.probe import probe
from rfdn_video.media.timing import TimeRange
from rfdn_video.training.codec import RGBConverter
from rfdn_video.training.imresize import RGB8, imresize

__all__ = ["Motion", "darken_edges", "film_still", "random_motion", "read_clips", "read_frames"]

CLIP_FRAMES = (8, 12)  # fewer would hold no B-frame pyramid, more teach little that is new
STILLS_PER_VIDEO = 100
REACH = (0.5, 2.0)
"""Photographs are sharper to the pixel than film: beside its coarse detail, Big Buck Bunny has 7 dB less than they
have at half of what pixels can show, and 12 dB less at the limit. Networks that saw only sharp clips did worse."""

EDGE = (0.5, 12.0)  # pixels of the high-resolution clip
EDGE_SOFTNESS = (0.5, 3.0)  # over how many it fades
DARKEST = 24  # of 255: black is seldom black


@dataclass(frozen=True)
class Motion:
    """What a camera does, a frame; in pixels of the high-resolution clip.

    Attributes:
        frames: length of the clip.
        pan: (x, y) in pixels.
        zoom: factor.
        turn: degrees.
        reach: pixels of a still across one of the clip, as far as the still is large enough;
            below 1 it is magnified, which makes it softer.
    """

    frames: int
    pan: tuple[float, float]
    zoom: float
    turn: float
    reach: float = 1.0


def random_motion(random: np.random.Generator, scale: int) -> Motion:
    """A sub-pixel pan of up to 1.5 low-resolution pixels a frame; often a slow zoom, a rotation, or both; any reach."""
    pan = random.uniform(-1.5 * scale, 1.5 * scale, 2)
    zoom = float(random.uniform(0.985, 1.015)) if random.random() < 0.4 else 1.0
    turn = float(random.uniform(-0.6, 0.6)) if random.random() < 0.4 else 0.0
    frames = int(random.integers(CLIP_FRAMES[0], CLIP_FRAMES[1] + 1))
    return Motion(frames, (float(pan[0]), float(pan[1])), zoom, turn, float(random.uniform(*REACH)))


def film_still(still: RGB8, side: int, motion: Motion, random: np.random.Generator) -> list[RGB8]:
    """Moves a square window over a still.

    The window is ``reach`` times as large as ``side`` and is resized to it. Above 1, the resampling
    of the motion does not blur what the network is to learn.

    Args:
        still: [H, W, 3]; mirrored at its borders where the window leaves it.
        side: of the clip's frames in pixels.
    """
    height, width = still.shape[:2]
    reach = min(motion.reach, max(1.0, min(height, width) / (side * 1.2)))
    window = round(side * reach)
    margin = window // 2 + 2
    padded = Image.fromarray(np.pad(still, ((margin, margin), (margin, margin), (0, 0)), mode="symmetric"))
    room_x, room_y = max(0.0, width - window), max(0.0, height - window)
    x, y = width / 2 + random.uniform(-0.5, 0.5) * room_x, height / 2 + random.uniform(-0.5, 0.5) * room_y
    frames = []
    for number in range(motion.frames):
        t = number - motion.frames / 2
        center = (margin + x + t * motion.pan[0] * reach, margin + y + t * motion.pan[1] * reach)
        view = _look(padded, center, motion.zoom**t, radians(motion.turn * t), window)
        frames.append(view if window == side else imresize(view, side / window)[:side, :side])
    return frames


def darken_edges(frames: Sequence[RGB8], share: float, random: np.random.Generator) -> list[RGB8]:
    """Blackens the outermost rows or columns of a clip, as digitised tape and film often has them.

    Networks that never saw such an edge take it for a picture that goes on, and blur it.

    Args:
        share: how likely a side is to have one.
    """
    height, width = frames[0].shape[:2]
    rows, columns = (_light(size, share, random) for size in (height, width))
    light = (rows[:, None] * columns)[..., None]
    black = random.uniform(0, DARKEST)
    return [np.rint(black + (frame - black) * light).astype(np.uint8) for frame in frames]


def _light(size: int, share: float, random: np.random.Generator) -> NDArray[np.float64]:
    """What is left of the picture along an axis, 0 to 1."""
    light = np.ones(size)
    for side in (light, light[::-1]):
        width, softness = np.exp(random.uniform(*np.log(EDGE))), random.uniform(*EDGE_SOFTNESS)
        if random.random() < share:
            side *= np.clip((np.arange(size) + 0.5 - width) / softness + 0.5, 0, 1)
    return light


def _look(image: Image.Image, center: tuple[float, float], zoom: float, angle: float, side: int) -> RGB8:
    """The square around a place, turned and magnified, sampled by bicubic interpolation."""
    a, b = cos(angle) / zoom, sin(angle) / zoom
    half = side / 2
    rows = (a, -b, center[0] - a * half + b * half, b, a, center[1] - b * half - a * half)
    return np.array(image.transform((side, side), Image.Transform.AFFINE, rows, Image.Resampling.BICUBIC))


def read_frames(path: Path) -> Iterator[RGB8]:
    """Single frames of a video, about one a second, at most 100, spread over its length."""
    count = _frame_count(path)
    every = max(1, round(float(probe(path).video.frame_rate)), -(-count // STILLS_PER_VIDEO))
    for _, frames in _windows(path, [(start, 1) for start in range(0, count, every)]):
        yield frames[0]


def read_clips(path: Path, clips: int, side: int, random: np.random.Generator) -> Iterator[list[RGB8]]:
    """Windows of a video, ``side`` pixels square (or as much as there is), 8 to 12 frames long.

    They are spread over its length and do not overlap in time; a short video gives fewer.
    """
    count, longest = _frame_count(path), CLIP_FRAMES[1]
    clips = min(clips, count // longest)
    starts = sorted({round(i * (count - longest) / max(1, clips - 1)) for i in range(clips)})
    starts = [start for last, start in pairwise([-longest, *starts]) if start >= last + longest]
    for _, frames in _windows(path, [(start, int(random.integers(CLIP_FRAMES[0], longest + 1))) for start in starts]):
        height, width = frames[0].shape[:2]
        top, left = (int(random.integers(max(1, size - side + 1))) for size in (height, width))
        yield [frame[top : top + side, left : left + side] for frame in frames]


def _frame_count(path: Path) -> int:
    info = probe(path)
    if info.video.frame_count:
        return info.video.frame_count
    return int((info.duration or 0) * info.video.frame_rate) or 1


def _windows(path: Path, wanted: Sequence[tuple[int, int]]) -> Iterator[tuple[int, list[RGB8]]]:
    """Runs of frames, given as (first, length) in order; those beyond the video's end are left out."""
    waiting, frames = list(wanted), list[Frame]()
    info = probe(path)
    video = info.video
    convert = RGBConverter(video.format, video.color, video.width, video.height)
    with Decoder(info, TimeRange()) as decoder:
        for number, frame in enumerate(decoder):
            if not waiting:
                return
            first, length = waiting[0]
            if number >= first:
                frames.append(frame)
            if len(frames) == length:
                yield first, [convert.to_rgb(one.planes) for one in frames]
                frames.clear()
                waiting.pop(0)
