"""The demo's film: a camera glides along a street while a cyclist rides by.

Everything is computed, so the demo knows each frame at twice the clip's size: the ground truth that
the enlarged clip is compared with.
"""

from __future__ import annotations

import math

import numpy as np
from PIL import Image

from demo.brush import Brush, Point, mix
from demo.cyclist import ride
from demo.houses import paint_bookshop, paint_distillery
from demo.nature import cast_sunlight, paint_garden, paint_hills, paint_road, paint_sky
from demo.palette import CREAM, GOLD, INK, RED, TEAL, WORLD

__all__ = ["COUNT", "FPS", "SIZE", "Scene"]

SIZE = (640, 360)  # pixels of the ground truth
FPS = 24
COUNT = 60  # frames
SCALE = 4.0  # canvas pixels a unit


class Scene:
    """The ground truth, frame by frame; any frame can be asked for alone."""

    def __init__(self) -> None:
        self._street = _paint_street()

    def frame(self, number: int) -> Image.Image:
        """Frame `number` (0..COUNT-1) as RGB, SIZE pixels, BT.709 primaries and sRGB-like values."""
        t = number / FPS
        left, top, width = _camera(number / (COUNT - 1))
        height = width * SIZE[1] / SIZE[0]
        corner = (math.floor(left), math.floor(top))
        right, bottom = math.ceil(left + width) + 1, math.ceil(top + height) + 1
        box = tuple(round(v * SCALE) for v in (*corner, min(right, WORLD[0]), min(bottom, WORLD[1])))
        canvas = self._street.crop(box)  # type: ignore[arg-type]
        brush = Brush(canvas, SCALE, corner)
        _sign(brush, t)
        _falling_leaves(brush, t)
        ride(brush, 46 + 152 * t, t)
        x0, y0 = (left - corner[0]) * SCALE, (top - corner[1]) * SCALE
        view = (x0, y0, x0 + width * SCALE, y0 + height * SCALE)
        return canvas.resize(SIZE, Image.Resampling.LANCZOS, box=view)


def _paint_street() -> Image.Image:
    """Everything that stands still. The same picture on every call."""
    rng = np.random.default_rng(2009_11551)
    image = Image.new("RGB", (round(WORLD[0] * SCALE), round(WORLD[1] * SCALE)))
    brush = Brush(image, SCALE)
    paint_sky(brush)
    paint_hills(brush, rng)
    paint_garden(brush, rng)
    paint_distillery(brush, rng)
    paint_bookshop(brush, rng)
    paint_road(brush, rng)
    cast_sunlight(brush)
    return image


def _camera(progress: float) -> tuple[float, float, float]:
    """Left, top and width of the view in units: a slow glide to the right that comes a little closer."""
    eased = 0.5 * progress + 0.5 * progress * progress * (3 - 2 * progress)
    width = 588 - 40 * eased
    return 14 + 116 * eased, 374 - 3 * eased - width * SIZE[1] / SIZE[0], width


def _sign(brush: Brush, t: float) -> None:
    """A round shop sign that swings under its iron arm."""
    pivot = (366.0, 148.0)
    brush.line([(346, 148), (384, 148)], 2.0, INK)
    brush.line([(346, 166), (352, 154), (366, 149)], 1.4, INK)
    brush.disc(385, 148, 2.2, GOLD)
    angle = 0.16 * math.sin(2 * math.pi * t / 1.6)

    def hang(dx: float, dy: float) -> Point:
        return (
            pivot[0] + dx * math.cos(angle) + dy * math.sin(angle),
            pivot[1] - dx * math.sin(angle) + dy * math.cos(angle),
        )

    for dx in (-8.0, 8.0):
        brush.line([hang(dx, 1), hang(dx, 9)], 0.9, INK)
    centre = hang(0, 24)
    brush.disc(*centre, 17, GOLD)
    brush.disc(*centre, 15.4, TEAL)
    brush.disc(*centre, 13.0, CREAM)
    for outline, colour in (
        ([(-2.2, 13), (2.2, 13), (2.2, 18), (6.5, 24), (6.5, 33), (-6.5, 33), (-6.5, 24), (-2.2, 18)], TEAL),
        ([(-6.5, 26), (6.5, 26), (6.5, 33), (-6.5, 33)], RED),
    ):
        brush.polygon([hang(*p) for p in outline], colour)


def _falling_leaves(brush: Brush, t: float) -> None:
    rng = np.random.default_rng(24)
    for _ in range(26):
        x, y, sway, phase = (
            rng.uniform(330, 520),
            rng.uniform(90, 250),
            rng.uniform(4, 11),
            rng.uniform(0, 6.3),
        )
        colour = mix((206, 132, 52), (226, 204, 92), rng.uniform())
        at = (x - 16 * t + sway * math.sin(2.6 * t + phase), y + 34 * t + 3 * math.cos(5.2 * t + phase))
        brush.leaf(*at, 6.0, phase + 2.4 * math.sin(2.6 * t + phase), colour)
