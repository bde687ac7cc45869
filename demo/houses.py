"""The two houses of the street: a distillery of brick and a half-timbered bookshop."""

from __future__ import annotations

import math

import numpy as np

from demo.brush import Brush, mix
from demo.masonry import bricks, flowerbox, shadow, shutter, tiles, window
from demo.nature import leaves
from demo.palette import CREAM, GOLD, GROUND, INK, PLASTER, RED, SLATE, STONE, TEAL, TERRACOTTA

__all__ = ["paint_bookshop", "paint_distillery"]


def paint_distillery(brush: Brush, rng: np.random.Generator) -> None:
    tiles(brush, rng, -10, 352, -8, 46, SLATE)
    bricks(brush, rng, 0, 52, 346, GROUND)
    brush.shade(lambda b: b.rect(0, 50, 346, 12, (255, 255, 255)), 4, 0.5)
    for i, (y, h) in enumerate(((44, 4), (48, 5), (53, 3))):  # cornice
        brush.rect(-10, y, 360 - 3 * i, h, mix(STONE, INK, 0.12 * (i % 2)))
    for x in np.arange(2, 346, 9.0):
        brush.rect(x, 56, 5, 4, STONE)
    for i in range(9):  # quoins
        wide = 8 * (i % 2)
        tone = mix(STONE, INK, rng.uniform(0, 0.12))
        brush.rect(330 - wide, 62 + 13 * i, 18 + wide, 11.6, tone)
    for x in (38, 148, 258):
        shadow(brush, x - 18, 76, 76, 76)
        window(brush, x, 82, 40, 60, CREAM, (2, 3))
        shutter(brush, x - 19, 80, 17, 64)
        shutter(brush, x + 42, 80, 17, 64)
        flowerbox(brush, rng, x - 3, 145, 46)
    _shopfront(brush, rng)


def _shopfront(brush: Brush, rng: np.random.Generator) -> None:
    brush.rect(14, 176, 310, 124, TEAL)
    for x in (14, 208, 314):  # pilasters
        brush.rect(x, 176, 10, 124, mix(TEAL, INK, 0.25))
        brush.rect(x + 1.5, 200, 1.2, 96, mix(TEAL, CREAM, 0.3))
        brush.rect(x + 6.5, 200, 1.2, 96, mix(TEAL, INK, 0.5))
    _shelves(brush, rng, 30, 212, 172, 66)
    _door(brush, 226, 210)
    for x in (34, 92, 150):
        brush.frame(x, 284, 48, 12, 1.2, mix(TEAL, CREAM, 0.25))
    brush.rect(10, 174, 318, 24, mix(TEAL, INK, 0.2))
    brush.frame(12, 176, 314, 20, 0.9, GOLD)
    brush.text(169, 186.3, "THE  FEATURE  DISTILLERY", 17, GOLD, bold=0.35)
    brush.rect(8, 171, 322, 3.4, STONE)
    brush.rect(8, 174, 322, 1.2, mix(STONE, INK, 0.5))
    brush.shade(lambda b: b.rect(24, 222, 184, 14, (255, 255, 255)), 5, 0.5)
    _awning(brush, 22, 198, 188, 26)


def _shelves(brush: Brush, rng: np.random.Generator, x: float, y: float, w: float, h: float) -> None:
    """The shop window: bottles on two shelves in warm light, behind glass."""
    for i in range(round(h)):
        brush.rect(x, y + i, w, 1.3, mix((255, 214, 140), (126, 72, 48), abs(i / h - 0.45) * 1.5))
    glass = ((62, 116, 84), (176, 70, 44), (52, 88, 132), (226, 168, 66), (124, 58, 88), (224, 226, 214))
    for shelf in (y + 33, y + 62):
        bx = x + 4.0
        while bx < x + w - 8:
            bw, bh = rng.uniform(5.5, 8.5), rng.uniform(13, 19)
            colour = glass[rng.integers(len(glass))]
            top = shelf - bh
            brush.rect(bx, top + 4, bw, bh - 4, colour)
            brush.disc(bx + bw / 2, top + 4.5, bw / 2, colour)
            brush.rect(bx + bw / 2 - 1.2, top - 4, 2.4, 6, colour)
            brush.rect(bx + bw / 2 - 1.5, top - 5.5, 3, 2, (176, 128, 84))
            brush.rect(bx + 0.5, top + 7, bw - 1, 5, CREAM)
            brush.rect(bx + 1.4, top + 8.6, bw - 2.8, 0.8, INK)
            brush.rect(bx + 1.4, top + 10.2, bw - 3.6, 0.6, RED)
            brush.rect(bx + 1, top + 3.5, 0.9, bh - 5, mix(colour, CREAM, 0.6))
            bx += bw + rng.uniform(1.6, 4)
        brush.rect(x, shelf, w, 2.2, (104, 66, 44))
        brush.rect(x, shelf, w, 0.8, (196, 140, 92))
    for k in (1, 2):
        brush.rect(x + w * k / 3 - 1.2, y, 2.4, h, mix(TEAL, INK, 0.2))
    brush.frame(x, y, w, h, 2.6, mix(TEAL, CREAM, 0.2))


def _door(brush: Brush, x: float, y: float) -> None:
    brush.rect(x - 4, y - 6, 84, 96, mix(TEAL, INK, 0.45))
    for dx in (0, 39):
        brush.rect(x + dx, y, 37, 90, (132, 58, 46))
        for i in range(52):
            brush.rect(x + dx + 5, y + 6 + i, 27, 1.3, mix((78, 98, 104), (238, 200, 140), i / 60))
        brush.polygon(
            [(x + dx + 9, y + 58), (x + dx + 22, y + 6), (x + dx + 27, y + 6), (x + dx + 14, y + 58)],
            (168, 172, 160),
        )
        brush.frame(x + dx + 4, y + 5, 29, 54, 1.6, (92, 36, 32))
        brush.rect(x + dx + 4, y + 31, 29, 1.4, (92, 36, 32))
        brush.frame(x + dx + 5, y + 64, 27, 20, 1.2, (92, 36, 32))
        brush.frame(x + dx + 7, y + 66, 23, 16, 0.8, (176, 92, 70))
    brush.disc(x + 34, y + 62, 1.6, GOLD)
    brush.disc(x + 42, y + 62, 1.6, GOLD)
    brush.rect(x + 46, y + 14, 20, 11, CREAM)
    brush.frame(x + 46, y + 14, 20, 11, 0.6, RED)
    brush.text(x + 56, y + 19.6, "OPEN", 6.5, RED, bold=0.15)


def _awning(brush: Brush, x: float, y: float, w: float, h: float) -> None:
    stripes = 18
    step = w / stripes
    for i in range(stripes):
        colour = RED if i % 2 else CREAM
        left, right = x + i * step, x + (i + 1) * step
        brush.polygon([(left + 3, y), (right + 3, y), (right, y + h), (left, y + h)], colour)
        brush.disc((left + right) / 2, y + h, step / 2, mix(colour, INK, 0.14))
        brush.polygon(
            [(left, y + h - 1), (right, y + h - 1), (right, y + h + 0.5), (left, y + h + 0.5)],
            mix(colour, INK, 0.3),
        )
    brush.rect(x + 2, y - 1, w + 3, 2, INK)


def paint_bookshop(brush: Brush, rng: np.random.Generator) -> None:
    tiles(brush, rng, 436, 730, 30, 86, TERRACOTTA)
    brush.rect(444, 88, 290, GROUND - 88, PLASTER)
    for _ in range(260):  # hand-laid plaster
        x, y = rng.uniform(446, 716), rng.uniform(92, 296)
        brush.line(
            [(x, y), (x + rng.uniform(4, 12), y + rng.uniform(-1, 1))],
            0.8,
            mix(PLASTER, INK if rng.uniform() < 0.5 else CREAM, 0.12),
        )
    brush.shade(lambda b: b.rect(444, 84, 290, 12, (255, 255, 255)), 4, 0.5)
    timber = (104, 70, 54)
    for x in (444, 528, 612, 696):
        brush.rect(x, 89, 7, 92, timber)
        brush.rect(x, 89, 1.2, 92, mix(timber, CREAM, 0.3))
    for a, b in (((452, 177), (486, 87)), ((699, 177), (666, 87))):
        brush.line([a, b], 5.5, timber)
    brush.rect(432, 84, 300, 5, (110, 74, 56))  # eaves
    brush.rect(432, 84, 300, 1.4, (172, 124, 92))
    brush.rect(444, 176, 290, 8, timber)
    brush.rect(444, 176, 290, 1.4, mix(timber, CREAM, 0.3))
    for x in (548, 634):
        shadow(brush, x - 5, 104, 50, 58)
        window(brush, x, 108, 42, 50, CREAM, (3, 3))
        flowerbox(brush, rng, x - 3, 161, 48)
    _books(brush, rng, 540, 212, 124, 66)
    _arch(brush, 470, 214)
    brush.rect(532, 190, 140, 18, CREAM)
    brush.frame(532, 190, 140, 18, 1.0, (110, 74, 56))
    brush.text(602, 199.3, "RESIDUAL BOOKS", 13, (86, 46, 40), bold=0.25)
    ivy = [(452 + 10 * math.sin(y * 0.06) + k, y, 11.0) for y in np.arange(104, 296, 8.0) for k in (0.0, 12.0)]
    brush.shade(lambda b: b.rect(440, 104, 30, 194, (255, 255, 255)), 5, 0.35)
    leaves(brush, rng, ivy, (36, 78, 56), (154, 180, 92), 1500, 5.5)


def _books(brush: Brush, rng: np.random.Generator, x: float, y: float, w: float, h: float) -> None:
    brush.rect(x - 5, y - 5, w + 10, h + 10, (86, 46, 40))
    for i in range(round(h)):
        brush.rect(x, y + i, w, 1.3, mix((255, 222, 156), (150, 96, 64), i / h))
    for shelf in (y + 21, y + 43, y + 65):
        bx = x + 2.0
        while bx < x + w - 5:
            bw, bh = rng.uniform(2.6, 5.6), rng.uniform(12, 18)
            hue = ((150, 46, 44), (40, 84, 98), (212, 164, 78), (70, 96, 62), (232, 220, 196), (92, 62, 96))[
                rng.integers(6)
            ]
            brush.rect(bx, shelf - bh, bw, bh, hue)
            brush.rect(bx, shelf - bh + 2.5, bw, 1.0, mix(hue, GOLD, 0.8))
            brush.rect(bx, shelf - 4, bw, 0.9, mix(hue, CREAM, 0.6))
            brush.rect(bx + bw - 0.6, shelf - bh, 0.6, bh, mix(hue, INK, 0.5))
            bx += bw + (rng.uniform(2, 6) if rng.uniform() < 0.12 else 0.15)
        brush.rect(x, shelf, w, 1.8, (110, 70, 50))
    for k in (1, 2, 3):
        brush.rect(x + w * k / 4 - 0.9, y, 1.8, h, (86, 46, 40))
    brush.frame(x - 5, y - 5, w + 10, h + 10, 1.2, (150, 100, 76))
    brush.rect(x - 9, y + h + 5, w + 18, 4, STONE)


def _arch(brush: Brush, x: float, y: float) -> None:
    """A round-headed plank door in a ring of stones."""
    centre = x + 26
    for a in np.linspace(math.pi, 2 * math.pi, 12):
        brush.disc(centre + 29 * math.cos(a), y + 26 + 29 * math.sin(a), 5, mix(STONE, INK, 0.1 * (round(a * 7) % 3)))
    for i in range(6):
        brush.rect(x - 8, y + 26 + i * 10.2, 11, 9.4, mix(STONE, INK, 0.1 * (i % 3)))
        brush.rect(x + 49, y + 26 + i * 10.2, 11, 9.4, mix(STONE, INK, 0.1 * ((i + 1) % 3)))
    wood = (70, 104, 92)
    brush.disc(centre, y + 26, 25, wood)
    brush.rect(centre - 25, y + 26, 50, GROUND - y - 26, wood)
    for k in np.arange(-19, 25, 6.3):
        top = y + 26 - math.sqrt(25**2 - k**2)
        brush.rect(centre + k, top, 0.9, GROUND - top, mix(wood, INK, 0.5))
        brush.rect(centre + k + 0.9, top, 0.7, GROUND - top, mix(wood, CREAM, 0.3))
    for dy in (36, 66):
        brush.rect(centre - 24, y + dy, 34, 2.4, INK)
    brush.ring(centre + 15, y + 52, 3.2, 1.1, GOLD)
