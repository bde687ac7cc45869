"""The parts that houses are built of: bricks, tiles, windows, shutters, flower boxes."""

from __future__ import annotations

import math

import numpy as np

from demo.brush import Brush, Colour, mix
from demo.nature import leaves
from demo.palette import BRICK, CREAM, GOLD, INK, MORTAR, SAGE, STONE

__all__ = ["bricks", "flowerbox", "shadow", "shutter", "tiles", "window"]


def bricks(brush: Brush, rng: np.random.Generator, x0: float, y0: float, x1: float, y1: float) -> None:
    """A running bond of single bricks, each with its own tone, a lit top edge and a dark lower one."""
    brush.rect(x0, y0, x1 - x0, y1 - y0, MORTAR)
    length, course, joint = 15.0, 6.5, 1.1
    for row, y in enumerate(np.arange(y0, y1, course)):
        h = min(course - joint, y1 - y)
        for x in np.arange(x0 - (row % 2) * length / 2, x1, length):
            left, right = max(x, x0), min(x + length - joint, x1)
            if right <= left:
                continue
            tone = mix(mix(BRICK, (120, 56, 50), rng.uniform(0, 0.7)), (216, 132, 92), rng.uniform(0, 0.55))
            brush.rect(left, y, right - left, h, tone)
            brush.rect(left, y, right - left, 0.8, mix(tone, CREAM, 0.28))
            brush.rect(left, y + h - 0.7, right - left, 0.7, mix(tone, INK, 0.3))


def tiles(brush: Brush, rng: np.random.Generator, x0: float, x1: float, y0: float, y1: float, colour: Colour) -> None:
    """Rows of round-ended roof tiles, painted from the eaves up to the ridge."""
    w, h = 9.0, 8.0
    brush.rect(x0, y0, x1 - x0, y1 - y0, mix(colour, INK, 0.5))
    for row, y in enumerate(np.arange(y1 - h, y0 - h, -h * 0.72)):
        for x in np.arange(x0 - (row % 2) * w / 2, x1, w):
            tone = mix(mix(colour, INK, rng.uniform(0, 0.3)), CREAM, rng.uniform(0, 0.22))
            brush.disc(x + w / 2, y + h - w / 2 + 1.0, w / 2, mix(tone, INK, 0.55))
            brush.disc(x + w / 2, y + h - w / 2, w / 2 - 0.2, tone)
            brush.rect(x + 0.3, y, w - 0.6, h - w / 2, tone)
            brush.rect(x + 1.6, y + 1, 1.0, h - 3.5, mix(tone, CREAM, 0.25))


def window(brush: Brush, x: float, y: float, w: float, h: float, frame: Colour, panes: tuple[int, int]) -> None:
    """A sash window that mirrors the sky, with stone lintel and sill."""
    brush.rect(x - 5, y - 9, w + 10, 8, STONE)
    brush.rect(x - 5, y - 2, w + 10, 1, mix(STONE, INK, 0.35))
    for i in range(round(h)):
        brush.rect(x, y + i, w, 1.3, mix((66, 92, 112), (206, 206, 190), (i / h) ** 1.5 * 0.8))
    brush.polygon([(x + w * 0.1, y + h), (x + w * 0.5, y), (x + w * 0.72, y), (x + w * 0.32, y + h)], (150, 172, 178))
    brush.polygon([(x, y), (x + w * 0.24, y), (x + w * 0.1, y + h), (x, y + h)], CREAM)  # curtains
    brush.polygon([(x + w, y), (x + w * 0.76, y), (x + w * 0.9, y + h), (x + w, y + h)], CREAM)
    for k in (0.05, 0.1, 0.9, 0.95):
        brush.line([(x + w * k, y), (x + w * (0.5 + (k - 0.5) * 1.05), y + h)], 0.7, mix(CREAM, INK, 0.25))
    columns, rows = panes
    for c in range(1, columns):
        brush.rect(x + w * c / columns - 0.8, y, 1.6, h, frame)
    for r in range(1, rows):
        brush.rect(x, y + h * r / rows - 0.8, w, 1.6, frame)
    brush.frame(x, y, w, h, 2.4, frame)
    brush.rect(x - 6, y + h, w + 12, 4, STONE)
    brush.rect(x - 6, y + h + 3, w + 12, 1.4, mix(STONE, INK, 0.4))


def shutter(brush: Brush, x: float, y: float, w: float, h: float) -> None:
    brush.rect(x, y, w, h, SAGE)
    for i in np.arange(y + 3, y + h - 3, 3.0):
        brush.rect(x + 2, i, w - 4, 1.2, mix(SAGE, INK, 0.4))
        brush.rect(x + 2, i + 1.2, w - 4, 0.8, mix(SAGE, CREAM, 0.35))
    brush.frame(x, y, w, h, 1.4, mix(SAGE, INK, 0.15))
    brush.rect(x + 1.4, y + h / 2 - 2, w - 2.8, 4, SAGE)


def flowerbox(brush: Brush, rng: np.random.Generator, x: float, y: float, w: float) -> None:
    leaves(
        brush,
        rng,
        [(x + k, y, 6.5) for k in np.arange(4, w - 2, 5.0)],
        (40, 84, 52),
        (150, 186, 92),
        150,
        5.0,
    )
    for _ in range(26):
        fx, fy = x + rng.uniform(2, w - 2), y + rng.uniform(-7, 4)
        colour = ((226, 66, 84), (248, 240, 232), (244, 172, 70), (214, 92, 150))[rng.integers(4)]
        for a in np.arange(0, 6.2, 1.26):
            brush.disc(fx + 1.3 * math.cos(a), fy + 1.3 * math.sin(a), 0.9, colour)
        brush.disc(fx, fy, 0.7, GOLD)
    brush.rect(x, y + 3, w, 8, (120, 78, 52))
    brush.rect(x, y + 3, w, 1.2, (166, 118, 82))


def shadow(brush: Brush, x: float, y: float, w: float, h: float) -> None:
    """The soft shadow of a thing on a wall; the sun stands upper right."""
    brush.shade(lambda b: b.rect(x - 3, y + 4, w, h, (255, 255, 255)), 2.5, 0.45)
