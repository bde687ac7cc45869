"""How a wanted size is reached with a network that enlarges by one integer factor."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from rfdn_video.errors import UsageError
from rfdn_video.frame import PixelFormat
from rfdn_video.limits import MAX_PIXELS
from rfdn_video.settings import Settings

__all__ = ["ScalePlan", "plan_picture", "plan_scale", "target_size"]


@dataclass(frozen=True)
class ScalePlan:
    """Run the network ``passes`` times, each on the result before, then resample where it is not the size yet.

    Attributes:
        source, target: (width, height).
        native: the network's factor.
        passes: how often it runs.
    """

    source: tuple[int, int]
    target: tuple[int, int]
    native: int
    passes: int

    @property
    def enlarged(self) -> tuple[int, int]:
        """(width, height) after the network."""
        factor = self.native**self.passes
        return self.source[0] * factor, self.source[1] * factor

    @property
    def resamples(self) -> bool:
        """The network's result is not the target's size."""
        return self.enlarged != self.target


def plan_picture(
    wanted: Settings, native: int, source: tuple[int, int], layout: PixelFormat | None = None
) -> ScalePlan:
    """How a picture of this size is enlarged as the user wants.

    Args:
        wanted: scale, width or height.
        native: the network's factor.
        source: (width, height).
        layout: of the result; where it subsamples chroma, the target's sides are even.

    Raises:
        UsageError: the wanted size is not larger.
    """
    multiple = (1 << layout.sub_w, 1 << layout.sub_h) if layout is not None else (1, 1)
    target = target_size(source, scale=wanted.scale, width=wanted.width, height=wanted.height, multiple=multiple)
    return plan_scale(source, target, native, multiple)


def target_size(
    source: tuple[int, int],
    *,
    scale: Fraction | None = None,
    width: int | None = None,
    height: int | None = None,
    multiple: tuple[int, int] = (1, 1),
) -> tuple[int, int]:
    """The (width, height) to reach; the nearest multiples of ``multiple`` (chroma subsampling wants even sizes).

    Raises:
        UsageError: it would not be larger than the source, or only by less than the multiple, or beyond all bounds;
            or the source is empty.
    """
    if min(source) < 1:
        raise UsageError(f"a picture of {source[0]}x{source[1]}: 1 pixel a side or more is allowed")
    if width is not None:
        scale = Fraction(width, source[0])
    elif height is not None:
        scale = Fraction(height, source[1])
    scale = scale or Fraction(2)
    if scale <= 1:
        raise UsageError(
            f"{width or height} pixels {'wide' if width else 'high'} is not larger than the source "
            f"({source[0]}x{source[1]}); this tool only enlarges"
        )
    wide, high = (_nearest(side * scale, m) for side, m in zip(source, multiple, strict=True))
    if wide * high > MAX_PIXELS:
        raise UsageError(
            f"the result would be {wide}x{high}; up to {MAX_PIXELS} pixels are written; give less of a scale"
        )
    if (wide, high) == source:
        even = f", because its width and height must be multiples of {multiple[0]} and {multiple[1]}"
        raise UsageError(
            f"{wide}x{high} enlarged {float(scale):g} times is {wide}x{high} again"
            f"{even if multiple != (1, 1) else ''}; give a larger scale"
        )
    return wide, high


def plan_scale(
    source: tuple[int, int], target: tuple[int, int], native: int, multiple: tuple[int, int] = (1, 1)
) -> ScalePlan:
    """The fewest passes that reach ``target`` in both directions.

    Args:
        source, target: (width, height).
        native: the network's factor.
        multiple: of which the target's sides are. A side that was rounded up to one may be a hair
            above the factor, which is no reason for another pass.
    """
    passes = 1
    while any(t - m // 2 > s * native**passes for s, t, m in zip(source, target, multiple, strict=True)):
        passes += 1
    return ScalePlan(source, target, native, passes)


def _nearest(value: Fraction, multiple: int) -> int:
    return max(1, int(value / multiple + Fraction(1, 2))) * multiple
