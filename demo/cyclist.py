"""A cyclist with a scarf, two loaves, and wheels whose spokes turn."""

from __future__ import annotations

import math

from demo.brush import Brush, Colour, Point, mix
from demo.palette import CREAM, INK, RED

__all__ = ["ride"]

WHEEL, AXLE_Y = 19.0, 341.0  # units


def ride(brush: Brush, x: float, t: float) -> None:
    """Rider and bicycle; x is the rear axle in units, t the time in seconds."""
    rear, front = (x, AXLE_Y), (x + 56, AXLE_Y)
    crank, saddle, bar = (x + 25, AXLE_Y + 1), (x + 16, AXLE_Y - 33), (x + 48, AXLE_Y - 40)
    brush.shade(lambda b: b.line([(x - 26, 362.5), (x + 58, 362.5)], 5, (255, 255, 255)), 1.2, 0.5)
    roll, pedal = x / WHEEL, x / WHEEL * 0.55
    hip, shoulder = (x + 16, AXLE_Y - 37), (x + 29, AXLE_Y - 66)
    _leg(
        brush,
        hip,
        (crank[0] - 8 * math.cos(pedal), crank[1] - 8 * math.sin(pedal)),
        mix((58, 62, 92), INK, 0.45),
    )
    for hub in (rear, front):
        _wheel(brush, hub, roll)
    frame = (214, 74, 58)
    for a, b in (
        (rear, crank),
        (rear, (x + 18, AXLE_Y - 25)),
        (crank, saddle),
        (crank, (x + 47, AXLE_Y - 27)),
        ((x + 18, AXLE_Y - 25), (x + 45, AXLE_Y - 33)),
        ((x + 45, AXLE_Y - 36), front),
    ):
        brush.line([a, b], 2.2, frame)
    for a, b in ((rear, crank), ((x + 18, AXLE_Y - 25), (x + 45, AXLE_Y - 33))):
        brush.line([(a[0], a[1] - 0.5), (b[0], b[1] - 0.5)], 0.6, mix(frame, CREAM, 0.6))
    brush.line([(x + 45, AXLE_Y - 35), (x + 43, AXLE_Y - 42), bar], 1.6, INK)
    brush.line([(saddle[0] - 7, saddle[1] - 1), (saddle[0] + 5, saddle[1] - 1)], 3.2, (92, 56, 40))
    brush.ring(*crank, 5.2, 1.2, INK)
    foot = (crank[0] + 8 * math.cos(pedal), crank[1] + 8 * math.sin(pedal))
    brush.line([crank, foot], 1.6, INK)
    _basket(brush, x + 50, AXLE_Y - 44)
    _leg(brush, hip, foot, (58, 62, 92))
    _rider(brush, hip, shoulder, bar, t)


def _wheel(brush: Brush, hub: Point, roll: float) -> None:
    brush.ring(*hub, WHEEL, 2.2, INK)
    brush.ring(*hub, WHEEL - 2.1, 0.8, (206, 206, 206))
    for i in range(14):
        a = roll + i * math.pi / 7
        tip = (hub[0] + (WHEEL - 2.6) * math.cos(a), hub[1] + (WHEEL - 2.6) * math.sin(a))
        brush.line([hub, tip], 0.55, (226, 222, 214))
    brush.disc(*hub, 2.2, INK)
    brush.disc(*hub, 1.1, (206, 206, 206))


def _basket(brush: Brush, x: float, y: float) -> None:
    for k in (0, 1):
        brush.line([(x + 5 + 4 * k, y + 2), (x + 11 + 5 * k, y - 13)], 3.4, (222, 166, 96))
        for n in range(3):
            at = (x + 7 + 4.6 * k + n * 1.7, y - 2 - n * 4)
            brush.line([(at[0] - 1, at[1]), (at[0] + 1.4, at[1] - 1)], 0.7, (168, 106, 58))
    brush.polygon([(x, y), (x + 18, y), (x + 16, y + 14), (x + 2, y + 14)], (150, 104, 66))
    for row in range(4):
        for col in range(6):
            brush.rect(x + 1.6 + col * 2.6 + row % 2 * 1.2, y + 2 + row * 3.1, 1.4, 1.8, (204, 158, 108))
    brush.line([(x - 0.5, y), (x + 18.5, y)], 1.4, (110, 72, 46))


def _leg(brush: Brush, hip: Point, foot: Point, colour: Colour) -> None:
    """Thigh and shin of 23 and 22 units; the knee follows from the triangle they make."""
    dx, dy = foot[0] - hip[0], foot[1] - hip[1] - 2
    reach = min(math.hypot(dx, dy), 44.5)
    bend = math.acos((23**2 + reach**2 - 22**2) / (2 * 23 * reach))
    knee_angle = math.atan2(dy, dx) - bend
    knee = (hip[0] + 23 * math.cos(knee_angle), hip[1] + 23 * math.sin(knee_angle))
    ankle = (foot[0] - 1, foot[1] - 2.5)
    brush.line([hip, knee], 8.0, colour)
    brush.line([knee, ankle], 6.0, colour)
    brush.line(
        [(ankle[0] - 1.5, ankle[1] + 1.2), (ankle[0] + 6, ankle[1] + 1.6)],
        3.4,
        mix((120, 70, 46), colour, 0.2),
    )


def _rider(brush: Brush, hip: Point, shoulder: Point, bar: Point, t: float) -> None:
    coat, skin = (236, 178, 70), (232, 182, 148)
    tail = [(shoulder[0] + 2 - 5.0 * i, shoulder[1] - 5 + 2.6 * math.sin(9 * t - 0.9 * i) * i / 4) for i in range(7)]
    brush.line(tail, 3.6, RED)
    for i in range(1, 6):
        (ax, ay), (bx, by) = tail[i], tail[i + 1]
        brush.line([((ax + bx) / 2, (ay + by) / 2 - 1.4), ((ax + bx) / 2, (ay + by) / 2 + 1.4)], 1.0, CREAM)
    brush.line([hip, shoulder], 14.0, coat)
    brush.line([(hip[0] - 5, hip[1] + 1), (hip[0] + 5, hip[1] + 3)], 7.0, coat)
    brush.line([(hip[0] - 4, hip[1] - 6), (shoulder[0] - 5, shoulder[1] + 4)], 2.0, mix(coat, INK, 0.2))
    for k in (0.25, 0.5, 0.75):
        brush.disc(
            hip[0] + 5 + (shoulder[0] - hip[0]) * k,
            hip[1] + (shoulder[1] - hip[1]) * k,
            0.9,
            mix(coat, INK, 0.6),
        )
    elbow = (shoulder[0] + 7, shoulder[1] + 18)
    brush.line([shoulder, elbow, (bar[0] - 2, bar[1] - 1)], 5.4, mix(coat, INK, 0.12))
    brush.disc(bar[0], bar[1] - 1, 2.6, skin)
    head = (shoulder[0] + 5, shoulder[1] - 13)
    brush.line([(shoulder[0] + 2, shoulder[1] - 6), head], 5.0, skin)
    brush.disc(*head, 7.0, skin)
    brush.polygon([(head[0] + 6, head[1] - 1), (head[0] + 9.2, head[1] + 2), (head[0] + 6, head[1] + 3)], skin)
    brush.disc(head[0] + 4, head[1] - 0.4, 0.8, INK)
    brush.line([(head[0] + 4, head[1] + 4), (head[0] + 6, head[1] + 3.6)], 0.7, mix(skin, INK, 0.6))
    brush.line([(head[0] - 6, head[1] - 1), (head[0] - 5, head[1] + 3)], 3.4, (92, 56, 44))
    brush.line([(shoulder[0] - 3, shoulder[1] - 5), (shoulder[0] + 6, shoulder[1] - 5)], 4.4, RED)
    brush.polygon(
        [
            (head[0] - 8, head[1] - 3),
            (head[0] - 6, head[1] - 9),
            (head[0] + 3, head[1] - 10),
            (head[0] + 8, head[1] - 4),
        ],
        (74, 92, 104),
    )
    brush.line([(head[0] - 8, head[1] - 3.4), (head[0] + 11, head[1] - 3)], 1.8, (54, 68, 80))
