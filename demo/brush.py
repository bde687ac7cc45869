"""Drawing in scene units on a canvas that is several times finer than the film.

One unit is one pixel of the ground truth at zoom 1; everything drawn is smoothed when the camera
reduces the canvas.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageFont

__all__ = ["Brush", "Colour", "Point", "mix"]

Colour = tuple[int, int, int]
Point = tuple[float, float]


def mix(a: Colour, b: Colour, share: float) -> Colour:
    """Colour between a (share 0) and b (share 1); shares outside go beyond, clipped to 0..255."""
    return tuple(max(0, min(255, round(x + (y - x) * share))) for x, y in zip(a, b, strict=True))  # type: ignore[return-value]


class Brush:
    """Draws on `image` (RGB), `scale` canvas pixels a unit, with `origin` (units) at its corner."""

    def __init__(self, image: Image.Image, scale: float, origin: Point = (0.0, 0.0)) -> None:
        self.image, self.scale, self.origin = image, scale, origin
        self._draw = ImageDraw.Draw(image)

    def _at(self, points: Sequence[Point]) -> list[Point]:
        (ox, oy), s = self.origin, self.scale
        return [((x - ox) * s, (y - oy) * s) for x, y in points]

    def rect(self, x: float, y: float, width: float, height: float, colour: Colour) -> None:
        (x0, y0), (x1, y1) = self._at([(x, y), (x + width, y + height)])
        self._draw.rectangle((x0, y0, max(x0, x1 - 1), max(y0, y1 - 1)), fill=colour)

    def frame(self, x: float, y: float, width: float, height: float, edge: float, colour: Colour) -> None:
        """The border of a rectangle, `edge` units thick, inside it."""
        self.rect(x, y, width, edge, colour)
        self.rect(x, y + height - edge, width, edge, colour)
        self.rect(x, y, edge, height, colour)
        self.rect(x + width - edge, y, edge, height, colour)

    def polygon(self, points: Sequence[Point], colour: Colour) -> None:
        self._draw.polygon(self._at(points), fill=colour)

    def line(self, points: Sequence[Point], width: float, colour: Colour) -> None:
        """A line with round joints and ends."""
        self._draw.line(self._at(points), fill=colour, width=max(1, round(width * self.scale)), joint="curve")
        for x, y in (points[0], points[-1]):
            self.disc(x, y, width / 2, colour)

    def disc(self, x: float, y: float, radius: float, colour: Colour) -> None:
        ((cx, cy),), r = self._at([(x, y)]), radius * self.scale
        self._draw.ellipse((cx - r, cy - r, cx + r, cy + r), fill=colour)

    def ring(self, x: float, y: float, radius: float, width: float, colour: Colour) -> None:
        ((cx, cy),), r = self._at([(x, y)]), radius * self.scale
        self._draw.ellipse((cx - r, cy - r, cx + r, cy + r), outline=colour, width=round(width * self.scale))

    def leaf(self, x: float, y: float, length: float, angle: float, colour: Colour) -> None:
        """A pointed leaf with its stalk at (x, y), one half lighter than the other."""
        dx, dy = math.cos(angle) * length, math.sin(angle) * length
        side = 0.28
        middle, tip = (x + dx * 0.45, y + dy * 0.45), (x + dx, y + dy)
        left = (middle[0] - dy * side, middle[1] + dx * side)
        right = (middle[0] + dy * side, middle[1] - dx * side)
        self.polygon([(x, y), left, tip, right], colour)
        self.polygon([(x, y), right, tip], mix(colour, (255, 246, 190), 0.16))

    def text(self, x: float, y: float, words: str, size: float, colour: Colour, bold: float = 0.0) -> None:
        """One line of text centred on (x, y) in Pillow's built-in face, thickened by `bold` units."""
        font = ImageFont.load_default(size * self.scale)
        self._draw.text(self._at([(x, y)])[0], words, colour, font, anchor="mm", stroke_width=round(bold * self.scale))

    def shade(self, paint: Callable[[Brush], None], blur: float, strength: float) -> None:
        """Darkens the image softly (blur in units) where `paint` draws in white."""
        mask = Image.new("RGB", self.image.size)
        paint(Brush(mask, self.scale, self.origin))
        soft = mask.convert("L").filter(ImageFilter.GaussianBlur(blur * self.scale))
        dark = soft.point(lambda value: 255 - round(value * strength))
        self.image.paste(ImageChops.multiply(self.image, Image.merge("RGB", (dark, dark, dark))))
