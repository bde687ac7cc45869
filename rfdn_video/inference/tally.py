"""What is counted while frames are enlarged."""

from __future__ import annotations

from dataclasses import astuple, dataclass

__all__ = ["Tally"]


@dataclass(frozen=True)
class Tally:
    """Counts that can be added and subtracted.

    Attributes:
        frames: that were enlarged.
        recomputed: done again in float32, because half precision gave NaN or infinity.
        retries: done again in smaller bands, because memory was short.
        repeated: equal to the frame before, whose result they got.
        copied: frames' worth of rows that were taken from the frame before, repeated frames included.
    """

    frames: int = 0
    recomputed: int = 0
    retries: int = 0
    repeated: int = 0
    copied: float = 0.0

    @property
    def copied_share(self) -> float:
        """Of all rows of all frames, how many were taken from the frame before, 0..1; repeated frames included."""
        return self.copied / max(1, self.frames)

    def __add__(self, other: Tally) -> Tally:
        return Tally(*(a + b for a, b in zip(astuple(self), astuple(other), strict=True)))

    def __sub__(self, other: Tally) -> Tally:
        return Tally(*(a - b for a, b in zip(astuple(self), astuple(other), strict=True)))
