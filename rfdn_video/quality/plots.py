"""Plots as PNG, PDF or SVG; needs matplotlib, which comes with ``rfdn-video[plots]``."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING

from rfdn_video.errors import OutputError, UsageError
from rfdn_video.quality.measure import FrameScores
from rfdn_video.quality.names import distinct_file_names
from rfdn_video.quality.scores import Comparison

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["check_plot_name", "new_figure", "plot_over_time", "save_figure"]

SUFFIXES = (".png", ".pdf", ".svg")

type Value = Callable[[FrameScores], float | None]

MEASURES: Mapping[str, Value] = {
    "PSNR on Y (dB)": lambda score: score.psnr[0],
    "SSIM on Y": lambda score: score.ssim,
    "VMAF": lambda score: score.vmaf,
    "flicker (code values)": lambda score: score.flicker,
    "seam score": lambda score: score.seam,
}


def check_plot_name(path: Path) -> None:
    """Before the work whose plot it is.

    Raises:
        UsageError: the suffix is of nothing that is written.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise UsageError(f"{path}: no kind of plot; allowed: {', '.join(SUFFIXES)}")


def plot_over_time(path: Path, comparisons: Sequence[Comparison]) -> None:
    """Draws every measure that is known over time, a line an output.

    Raises:
        UsageError: matplotlib is not installed.
        OutputError: the plot cannot be written.
    """
    known = {label: value for label, value in MEASURES.items() if _has(comparisons, value)}
    figure = new_figure(len(known), "leave out --plot")
    panels = figure.subplots(len(known), sharex=True, squeeze=False)[:, 0]
    names = distinct_file_names([comparison.output for comparison in comparisons])
    for axes, (label, value) in zip(panels, known.items(), strict=True):
        for name, comparison in zip(names, comparisons, strict=True):
            points = {float(score.time): y for score in comparison.scores if _drawn(y := value(score))}
            axes.plot(list(points), list(points.values()), label=_legible(name))
        axes.set(ylabel=label)
        axes.grid(alpha=0.3)
    panels[-1].set(xlabel="time (s)")
    panels[0].legend(fontsize=7)
    save_figure(figure, path)


def new_figure(rows: int, otherwise: str) -> Figure:
    """An empty figure for so many plots, one below the other.

    Args:
        otherwise: what to do without matplotlib.

    Raises:
        UsageError: it is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise UsageError(f"matplotlib is missing; install rfdn-video[plots], or {otherwise}") from None
    return Figure(figsize=(7, 2 + 2.5 * rows), layout="constrained")


def save_figure(figure: Figure, path: Path) -> None:
    """Writes it as its suffix says, whole or not at all.

    Raises:
        OutputError: it cannot be written.
    """
    unfinished = path.with_name(f".{path.name}.unfinished")
    try:
        with warnings.catch_warnings(action="ignore", category=UserWarning):  # of letters that its font does not have
            figure.savefig(unfinished, format=path.suffix.lower().removeprefix("."), dpi=120)
        unfinished.replace(path)
    except OSError as error:
        unfinished.unlink(missing_ok=True)
        raise OutputError(f"{path}: cannot be written: {error.strerror}") from None


def _legible(name: str) -> str:
    """A name as matplotlib shows it: no formula between dollars, and not left out for an underscore in front."""
    return " " + name.encode(errors="backslashreplace").decode().replace("$", r"\$")


def _has(comparisons: Sequence[Comparison], value: Value) -> bool:
    return any(value(score) is not None for comparison in comparisons for score in comparison.scores)


def _drawn(value: float | None) -> bool:
    return value is not None and isfinite(value)
