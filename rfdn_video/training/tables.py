"""Results as tables: for the terminal, as CSV, and as the paper prints them, beside its own numbers."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from rfdn_video.quality.metrics import Scores
from rfdn_video.training.evaluate import Evaluation
from rfdn_video.training.published import PUBLISHED, SETS

__all__ = ["Result", "as_csv", "as_dicts", "as_markdown", "as_text", "set_name"]

METRICS = tuple(field.name for field in fields(Scores))


@dataclass(frozen=True)
class Result:
    """What one method reached, and what it is.

    Attributes:
        evaluation: its name and scores.
        parameters: of the network; 0 for an interpolation.
        sha256: of the weights file, hexadecimal; empty for an interpolation.
    """

    evaluation: Evaluation
    parameters: int = 0
    sha256: str = ""


def set_name(folder: Path) -> str:
    """The test set's usual name where the path holds one, else the folder's own."""
    known = {name.lower(): name for name in SETS}
    parts = folder.absolute().parts
    return next((known[part.lower()] for part in reversed(parts) if part.lower() in known), parts[-1])


def as_dicts(results: Sequence[Result]) -> list[dict[str, Any]]:
    """Plain data: each method's means and its scores image by image."""
    return [
        {
            "name": result.evaluation.name,
            "parameters": result.parameters,
            "sha256": result.sha256,
            **asdict(result.evaluation.mean),
            "images": {name: asdict(scores) for name, scores in result.evaluation.images.items()},
        }
        for result in results
    ]


def as_text(results: Sequence[Result]) -> str:
    """For the terminal: a row a method, the means over the images."""
    width = max(len(result.evaluation.name) for result in results)
    lines = [f"{'':<{width}}  parameters  PSNR Y  SSIM Y  PSNR RGB  SSIM RGB"]
    for result in results:
        mean = result.evaluation.mean
        lines.append(
            f"{result.evaluation.name:<{width}}  {result.parameters or '-':>10}  {mean.psnr_y:6.2f}"
            f"  {mean.ssim_y:6.4f}  {mean.psnr_rgb:8.2f}  {mean.ssim_rgb:8.4f}"
        )
    return "\n".join(lines)


def as_csv(results: Sequence[Result]) -> str:
    """A row for each method and image, and for each method a last one named ``mean``."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(("method", "image", *METRICS))
    for result in results:
        for image, scores in (*result.evaluation.images.items(), ("mean", result.evaluation.mean)):
            table.writerow((result.evaluation.name, image, *(f"{getattr(scores, m):.6f}" for m in METRICS)))
    return text.getvalue().rstrip("\n")


def as_markdown(results: Sequence[Result], test_set: str, scale: int) -> str:
    """A table as the paper's table 4, PSNR/SSIM on Y, the published rows after the measured ones."""
    lines = [f"| method | scale | parameters | {test_set} |", "|---|---|---|---|"]
    for result in results:
        mean, cost = result.evaluation.mean, f"{result.parameters / 1000:.0f}K" if result.parameters else "-"
        row = (result.evaluation.name, f"x{scale}", cost, f"{mean.psnr_y:.2f}/{mean.ssim_y:.4f}")
        lines.append(f"| {' | '.join(row)} |")
    if test_set in SETS:
        for (network, published_scale), scores in PUBLISHED.items():
            if published_scale == scale:
                psnr, ssim = scores[SETS.index(test_set)]
                lines.append(f"| {network} (published) | x{scale} | | {psnr:.2f}/{ssim:.4f} |")
    return "\n".join(lines)
