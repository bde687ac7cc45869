"""The result of a comparison: means, worst frames, and all of it as plain data and as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import inf, isfinite
from pathlib import Path
from statistics import fmean
from typing import Any

from rfdn_video.quality.measure import FrameScores
from rfdn_video.quality.metrics import decibels

__all__ = ["PLANES", "Comparison", "as_csv"]

PLANES = ("y", "u", "v")
WORST = 5
COLUMNS = ("output", "pts", "time", *(f"psnr_{plane}" for plane in PLANES), "ssim", "vmaf", "flicker", "seam")


@dataclass(frozen=True)
class Comparison:
    """How near one output is to its reference.

    Attributes:
        output: the file.
        scores: one for each frame of the reference that has a partner, in order; at least one.
        missing: times of the reference's frames that have none, in seconds.
        extra: times of the output's frames that are no partner of any; empty where only a part was compared.
        notes: how the two were brought together, in words.
    """

    output: Path
    scores: Sequence[FrameScores]
    missing: Sequence[Fraction]
    extra: Sequence[Fraction]
    notes: tuple[str, ...] = ()

    @property
    def identical(self) -> int:
        """Frames whose Y is the reference's, exactly."""
        return sum(not score.errors[0] for score in self.scores)

    def psnr(self, plane: int) -> float:
        """Mean over the frames, in dB; over those that differ, for the others' is infinite."""
        values = [score.psnr[plane] for score in self.scores]
        mean = _mean(value for value in values if isfinite(value))
        return inf if mean is None else mean

    def pooled_psnr(self, plane: int) -> float:
        """Of the mean squared error over all frames, in dB: what FFmpeg's filter psnr calls average."""
        return decibels(fmean(score.errors[plane] for score in self.scores), self.scores[0].peak)

    @property
    def ssim(self) -> float:
        """Mean over the frames, of Y."""
        return fmean(score.ssim for score in self.scores)

    @property
    def vmaf(self) -> float | None:
        """Mean over the frames."""
        return _mean(score.vmaf for score in self.scores)

    @property
    def flicker(self) -> float | None:
        """Mean over the frames that have both neighbours."""
        return _mean(score.flicker for score in self.scores)

    @property
    def seam(self) -> float | None:
        """Mean over the frames whose error is not 0 everywhere else."""
        return _mean(score.seam for score in self.scores if score.seam is not None and isfinite(score.seam))

    @property
    def worst(self) -> list[FrameScores]:
        """The frames of the lowest PSNR on Y, the worst first."""
        return sorted(self.scores, key=lambda score: score.psnr[0])[:WORST]

    def as_dict(self) -> dict[str, Any]:
        """Plain data; an infinite PSNR is None."""
        planes = range(len(self.scores[0].errors))
        return {
            "output": str(self.output),
            "frames": len(self.scores),
            "identical_frames": self.identical,
            "missing": [float(time) for time in self.missing],
            "extra": [float(time) for time in self.extra],
            "psnr": {PLANES[plane]: _finite(self.psnr(plane)) for plane in planes},
            "pooled_psnr": {PLANES[plane]: _finite(self.pooled_psnr(plane)) for plane in planes},
            "ssim": self.ssim,
            "vmaf": self.vmaf,
            "flicker": self.flicker,
            "seam": self.seam,
            "notes": list(self.notes),
            "worst": [_row(score) for score in self.worst],
            "per_frame": [_row(score) for score in self.scores],
        }


def as_csv(comparisons: Sequence[Comparison]) -> str:
    """A row a frame; ``inf`` where PSNR is infinite, nothing where there is no value."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for comparison in comparisons:
        for score in comparison.scores:
            row = {name: value for name, value in _row(score).items() if value is not None}
            row |= {f"psnr_{PLANES[plane]}": value for plane, value in enumerate(score.psnr)}
            writer.writerow({"output": str(comparison.output)} | row)
    return text.getvalue()


def _row(score: FrameScores) -> dict[str, Any]:
    psnr = {f"psnr_{PLANES[plane]}": _finite(value) for plane, value in enumerate(score.psnr)}
    rest = {"ssim": score.ssim, "vmaf": score.vmaf, "flicker": score.flicker, "seam": _finite(score.seam)}
    return {"pts": score.pts, "time": float(score.time), **psnr, **rest}


def _finite(value: float | None) -> float | None:
    return value if value is not None and isfinite(value) else None


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return fmean(known) if known else None
