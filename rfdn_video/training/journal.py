"""What a training leaves for people to look at: a table, TensorBoard events, and plots."""

from __future__ import annotations

import csv
import math
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

import numpy as np

from rfdn_video.errors import UsageError
from rfdn_video.training.evaluate import Enlarger, Pair, interpolator
from rfdn_video.training.plots import plot_curve
from rfdn_video.training.train import Report

if TYPE_CHECKING:
    from torch.utils.tensorboard.writer import SummaryWriter

__all__ = ["LOG", "Journal"]

LOG = "log.csv"
COLUMNS = ("step", "loss", "lr", "waiting", "psnr_y")


class Journal:
    """Writes ``log.csv``; with ``plots`` also ``tensorboard/``, ``loss.png`` and ``psnr.png``.

    Args:
        folder: of the training.
        first: steps that were done before; what an earlier run wrote of later ones is taken out.
        plots: whether to write what needs ``rfdn-video[train]``.

    Raises:
        UsageError: ``plots``, and TensorBoard or matplotlib is not installed.
    """

    def __init__(self, folder: Path, first: int, plots: bool) -> None:
        self.folder = folder
        self.rows = [row for row in _read(folder / LOG) if row["step"] <= first]
        self._events = _open_events(folder, first) if plots else None
        folder.mkdir(parents=True, exist_ok=True)
        self._file = (folder / LOG).open("w", newline="", encoding="utf-8")
        self._table = csv.DictWriter(self._file, COLUMNS)
        self._table.writeheader()
        self._table.writerows([_written(row) for row in self.rows])

    def add(self, report: Report) -> None:
        """Notes a report that has a loss or a PSNR."""
        if report.loss is None and report.psnr_y is None:
            return
        row = {name: value for name in COLUMNS if (value := getattr(report, name)) is not None}
        self.rows.append(row)
        self._table.writerow(_written(row))
        self._file.flush()
        if self._events:
            for name in COLUMNS[1:]:
                if name in row:
                    self._events.add_scalar(name, row[name], report.step)
        if report.psnr_y is not None:
            self.plot()

    def show(self, pair: Pair, scale: int, enlarge: Enlarger, step: int) -> None:
        """Puts bicubic, network and original side by side into TensorBoard."""
        if self._events:
            low, high = pair.load(scale)
            row = np.concatenate((interpolator(scale, "bicubic")(low), enlarge(low), high), axis=1)
            self._events.add_image("bicubic, network, original", row, step, dataformats="HWC")

    def plot(self) -> None:
        """Draws ``loss.png`` and ``psnr.png`` from all rows so far."""
        for name, column, label in (("loss", "loss", "loss"), ("psnr", "psnr_y", "PSNR on Y (dB)")):
            rows = [row for row in self.rows if math.isfinite(row.get(column, math.nan))]
            if self._events and rows:
                steps = [int(row["step"]) for row in rows]
                plot_curve(self.folder / f"{name}.png", label, steps, [row[column] for row in rows])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.plot()
        self._file.close()
        if self._events:
            self._events.close()


def _written(row: dict[str, float]) -> dict[str, str]:
    return {name: repr(value) for name, value in row.items()}


def _read(path: Path) -> list[dict[str, float]]:
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        rows = [{name: float(text) for name, text in row.items() if text} for row in csv.DictReader(file)]
    return [{**row, "step": int(row["step"])} for row in rows]


def _open_events(folder: Path, first: int) -> SummaryWriter:
    try:
        import matplotlib  # noqa: F401 -- found out now rather than after the first thousand steps
        from torch.utils.tensorboard.writer import SummaryWriter
    except ImportError as error:
        missing = error.name or "tensorboard"
        raise UsageError(f"{missing} is missing; install rfdn-video[train], or give --no-plots") from None
    return SummaryWriter(str(folder / "tensorboard"), purge_step=first + 1)
