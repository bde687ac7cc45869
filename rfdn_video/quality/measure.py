"""What is measured of an output, frame by frame. docs/quality.md defines the measures.

All take code values of the reference, see :mod:`rfdn_video.quality.space`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import inf

import torch
from torch import Tensor

from rfdn_video.quality.metrics import decibels, squared_error, ssim

__all__ = ["FrameScores", "Meter", "flicker", "seam"]

CODEC_BLOCK = 16
"""Rows of the blocks that most codecs work in; errors are apt to change at their edges."""


@dataclass
class FrameScores:
    """Of one frame.

    Attributes:
        time: in seconds, on the reference's clock.
        pts: of the reference's frame.
        errors: mean squared error of each plane, in code values.
        peak: the highest code value.
        ssim: of Y.
        flicker: of Y, in 8-bit code values; None where the frame before or the next is not there.
        seam: of Y; None where no bands are known.
        vmaf: None where it was not asked for.
    """

    time: Fraction
    pts: int
    errors: tuple[float, ...]
    peak: float
    ssim: float
    flicker: float | None = None
    seam: float | None = None
    vmaf: float | None = None

    @property
    def psnr(self) -> tuple[float, ...]:
        """Of each plane, in dB; ``inf`` where it is the reference's."""
        return tuple(decibels(error, self.peak) for error in self.errors)


@dataclass
class Meter:
    """Scores the frames of one output in order.

    Attributes:
        peak: the highest code value.
        borders: rows that begin a band, see :func:`rfdn_video.quality.measure.seam`.
        scores: one for each frame that has a partner.
    """

    peak: float
    borders: Sequence[int] = ()
    scores: list[FrameScores] = field(default_factory=list)
    _errors: list[Tensor] = field(default_factory=list)

    @torch.inference_mode()
    def add(self, time: Fraction, pts: int, reference: Sequence[Tensor], planes: Sequence[Tensor]) -> None:
        """Scores the planes [height, width] of the next frame."""
        error = planes[0] - reference[0]
        self.scores.append(
            FrameScores(
                time=time,
                pts=pts,
                errors=tuple(squared_error(a, b) for a, b in zip(planes, reference, strict=True)),
                peak=self.peak,
                ssim=ssim(planes[0], reference[0], self.peak),
                seam=seam(error, self.borders) if self.borders else None,
            )
        )
        self._errors = [*self._errors[-2:], error]
        if len(self._errors) == 3:
            self.scores[-2].flicker = flicker(*self._errors) * (255 / self.peak)

    def skip(self) -> None:
        """A frame of the reference has no partner: those before and after it are no neighbours."""
        self._errors = []


def flicker(before: Tensor, error: Tensor, after: Tensor) -> float:
    """Mean absolute second difference of the error over time, of three successive frames.

    An error that stays (blur), or changes evenly (a fade), is none; one that comes and goes is. The first
    difference of the error is the usual measure for pictures that stand still (Fan et al., JVT-E070, 2002).
    """
    return float((before - 2 * error + after).abs().mean())


def seam(error: Tensor, borders: Sequence[int]) -> float:
    """How much more the error changes from the row above at the borders of bands than elsewhere; 1 is no seam.

    Elsewhere is at rows with the same place in a codec's blocks of 16 rows.

    Args:
        error: [height, width].
        borders: rows that begin a band, 1 to height - 1.
    """
    steps = (error[1:] - error[:-1]).abs().mean(dim=1, dtype=torch.float64)  # step r - 1 leads to row r
    at = steps[torch.tensor(borders) - 1].sum().item()
    usual = sum(steps[_others(border, borders, len(steps))].mean().item() for border in borders)
    return at / usual if usual else (inf if at else 1.0)


def _others(border: int, borders: Sequence[int], count: int) -> Tensor:
    rows = torch.arange(1, count + 1)
    others = rows[~torch.isin(rows, torch.tensor(borders))]
    alike = others[others % CODEC_BLOCK == border % CODEC_BLOCK]
    return (alike if len(alike) else others) - 1
