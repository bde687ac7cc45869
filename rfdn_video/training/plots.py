"""PNG plots of a training and of the study; needs matplotlib, which comes with ``rfdn-video[train]``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rfdn_video.quality.plots import new_figure, save_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["plot_curve", "plot_tradeoff"]

type Points = Mapping[str, tuple[float, float]]


def plot_curve(path: Path, label: str, steps: Sequence[int], values: Sequence[float]) -> None:
    """Draws one value over the steps of a training.

    Raises:
        UsageError: matplotlib is not installed.
        OutputError: the plot cannot be written.
    """
    figure, axes = _figure()
    axes.plot(steps, values)
    axes.set(xlabel="step", ylabel=label)
    axes.grid(alpha=0.3)
    save_figure(figure, path)


def plot_tradeoff(path: Path, cost: str, own: Points, published: Points, note: str) -> None:
    """Draws PSNR against a cost, as figures 4 and 5 of the paper do.

    Args:
        cost: what the horizontal axis shows, with its unit.
        own, published: (cost, PSNR in dB) by name.
        note: how the own points came about; it becomes the title.

    Raises:
        UsageError: matplotlib is not installed.
        OutputError: the plot cannot be written.
    """
    figure, axes = _figure()
    for label, points, marker in (("measured here", own, "o"), ("published", published, "^")):
        if points:
            axes.scatter(*zip(*points.values(), strict=True), marker=marker, label=label)
        for name, position in points.items():
            axes.annotate(name, position, textcoords="offset points", xytext=(5, 4), fontsize=8)
    axes.set(xlabel=cost, ylabel="PSNR on Y (dB)")
    axes.set_title(note, fontsize=7, wrap=True)
    axes.grid(alpha=0.3)
    axes.legend()
    save_figure(figure, path)


def _figure() -> tuple[Figure, Axes]:
    figure = new_figure(1, "give --no-plots")
    return figure, figure.add_subplot()
