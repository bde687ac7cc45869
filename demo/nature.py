"""What grows and lies outside: sky, hills, a garden with a tree, the road, and the sun's light."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from PIL import Image

from demo.brush import Brush, Colour, mix
from demo.palette import CREAM, GROUND, INK, TERRACOTTA, WORLD

__all__ = ["cast_sunlight", "leaves", "paint_garden", "paint_hills", "paint_road", "paint_sky"]


def paint_sky(brush: Brush) -> None:
    """A vertical gradient from blue to peach with two layers of soft cloud."""
    width, height = brush.image.size
    t = np.linspace(0, 1, height)[:, None, None] * 1.6
    sky = np.array([112, 168, 204]) + (np.array([255, 222, 178]) - np.array([112, 168, 204])) * np.clip(t, 0, 1)
    x, y = np.meshgrid(np.arange(width) / brush.scale, np.arange(height) / brush.scale)
    cloud = sum(
        np.sin(x * fx + ph) * np.sin(y * fy + x * 0.011 * k + ph) / k
        for k, (fx, fy, ph) in enumerate([(0.021, 0.06, 0.3), (0.047, 0.11, 1.9), (0.09, 0.23, 4.0)], 1)
    )
    veil = np.clip(cloud - 0.25, 0, 1)[..., None] * 0.9
    brush.image.paste(Image.fromarray(np.uint8(sky + (np.array([255, 244, 230]) - sky) * veil)))


def paint_hills(brush: Brush, rng: np.random.Generator) -> None:
    for base, colour, rough in ((196, (158, 176, 186), 9), (222, (126, 154, 150), 6)):
        ridge = [
            (x, base + rough * math.sin(x * 0.05 + base) + rough * 0.4 * math.sin(x * 0.17)) for x in range(330, 460, 3)
        ]
        brush.polygon([*ridge, (460, 310), (330, 310)], colour)
    for _ in range(70):  # far houses
        x, w, h = rng.uniform(340, 445), rng.uniform(4, 9), rng.uniform(5, 13)
        y = rng.uniform(222, 236)
        wall = mix((226, 206, 186), (176, 170, 172), rng.uniform())
        brush.rect(x, y - h, w, h + 8, wall)
        brush.polygon(
            [(x - 1, y - h), (x + w / 2, y - h - w * 0.5), (x + w + 1, y - h)],
            mix(TERRACOTTA, (150, 150, 160), 0.45),
        )


def paint_garden(brush: Brush, rng: np.random.Generator) -> None:
    brush.rect(340, 240, 110, 62, (104, 128, 84))
    leaves(
        brush,
        rng,
        [(x, 246 + 6 * math.sin(x), 15) for x in range(345, 450, 12)],
        (52, 92, 54),
        (150, 176, 92),
        420,
        5.0,
    )
    trunk = (92, 68, 54)
    brush.polygon([(388, 302), (391, 190), (399, 190), (405, 302)], trunk)
    for tip, w in (((366, 140), 4.0), ((424, 134), 4.0), ((396, 110), 5.0)):
        brush.line([(395, 206), ((395 + tip[0]) / 2 + 3, (206 + tip[1]) / 2 + 6), tip], w, trunk)
    for i in range(44):  # bark
        x, y = 390 + rng.uniform(0, 12), rng.uniform(190, 296)
        brush.line(
            [(x, y), (x + rng.uniform(-1, 1), y + rng.uniform(4, 10))],
            0.7,
            mix(trunk, INK if i % 2 else CREAM, 0.3),
        )
    crown = [
        (395 + 44 * math.cos(a) * r, 122 + 62 * math.sin(a) * r, 26.0)
        for a, r in zip(np.linspace(0, 40, 26), np.linspace(1, 0.05, 26), strict=True)
    ]
    leaves(brush, rng, crown, (44, 84, 58), (196, 200, 96), 3600, 7.0)
    for x in np.arange(348, 446, 6.0):  # railing
        brush.rect(x, 256, 1.3, 46, INK)
        brush.polygon([(x - 1.4, 256), (x + 0.65, 249), (x + 2.7, 256)], INK)
    brush.rect(345, 264, 102, 1.6, INK)
    brush.rect(345, 292, 102, 1.6, INK)


def leaves(
    brush: Brush,
    rng: np.random.Generator,
    clumps: Sequence[tuple[float, float, float]],
    dark: Colour,
    light: Colour,
    count: int,
    length: float,
) -> None:
    """Leaves in clumps (x, y, radius), the sunny ones (upper right of their clump) last and lightest."""
    which = rng.integers(0, len(clumps), count)
    angle, radius = rng.uniform(0, 2 * math.pi, count), np.sqrt(rng.uniform(0, 1, count))
    sun = radius * np.cos(angle + 0.9)
    for i in np.argsort(sun + rng.normal(0, 0.25, count)):
        x, y, r = clumps[which[i]]
        colour = mix(dark, light, 0.5 + 0.5 * float(sun[i]) + rng.normal(0, 0.1))
        at = (x + r * radius[i] * math.cos(angle[i]), y + r * radius[i] * math.sin(angle[i]))
        brush.leaf(*at, length * rng.uniform(0.7, 1.2), rng.uniform(0, 2 * math.pi), colour)


def paint_road(brush: Brush, rng: np.random.Generator) -> None:
    brush.shade(lambda b: b.rect(0, GROUND - 4, 720, 8, (255, 255, 255)), 3, 0.5)
    brush.rect(0, GROUND, 720, 24, (202, 186, 168))
    for y, h, step in ((GROUND, 9.0, 34.0), (GROUND + 9, 15.0, 44.0)):
        for left in np.arange(-20, 720, step):
            brush.rect(left, y, step - 1, h - 1, mix((206, 190, 170), (168, 154, 146), rng.uniform(0, 0.6)))
            brush.rect(left, y, step - 1, 0.8, (226, 212, 192))
    brush.rect(0, 324, 720, 6, (176, 166, 158))
    brush.rect(0, 324, 720, 1.2, (232, 222, 206))
    brush.rect(0, 330, 720, 46, (74, 70, 78))
    y, h, row = 331.0, 6.0, 0
    while y < WORLD[1]:  # cobbles, larger towards us
        for x in map(float, np.arange(-(row % 2) * h, 724, h * 2.0)):
            tone = mix(mix((128, 122, 126), (92, 90, 102), rng.uniform()), (206, 180, 150), rng.uniform(0, 0.3))
            w = h * 2.0 - 1.2
            brush.rect(x + 1, y, w - 2, h - 1, tone)
            brush.rect(x, y + 1, w, h - 3, tone)
            brush.rect(x + 1.4, y + 0.2, w - 3, 1.0, mix(tone, CREAM, 0.35))
        y, h, row = y + h, h * 1.09, row + 1


def cast_sunlight(brush: Brush) -> None:
    """Late sun from the upper right, cooler shade at the lower left."""
    width, height = brush.image.size
    x, y = np.meshgrid(np.linspace(0, 1, width), np.linspace(0, 1, height))
    warm = np.clip(0.25 + 0.75 * (x * 0.8 + (1 - y) * 0.5), 0, 1)[..., None]
    tint = np.array([0.86, 0.90, 1.02]) + (np.array([1.06, 1.0, 0.92]) - np.array([0.86, 0.90, 1.02])) * warm
    brush.image.paste(Image.fromarray(np.uint8(np.clip(np.asarray(brush.image) * tint, 0, 255))))
