"""What a training leaves for people to look at: a table, TensorBoard events, and plots."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

import numpy as np

from rfdn_video.errors import OutputError, UsageError
from rfdn_video.training.checkpoint import write_text
from rfdn_video.training.evaluate import Enlarger, Pair, interpolator
from rfdn_video.training.plots import plot_curve
from rfdn_video.training.train import Report

if TYPE_CHECKING:
    from torch.utils.tensorboard.writer import SummaryWriter

__all__ = ["LOG", "Journal", "check_plots"]

LOG = "log.csv"
COLUMNS = ("step", "loss", "lr", "waiting", "psnr_y")


class Journal:
    """Writes ``log.csv``; with ``plots`` also ``tensorboard/``, ``loss.png`` and ``psnr.png``.

    Args:
        folder: of the training.
        first: steps that were reported before; what an earlier run wrote of later ones is taken out.
        plots: whether to write what needs ``rfdn-video[train]``.
        warn: told what went wrong with the plots, which no training ends for.

    Raises:
        UsageError: ``plots``, and TensorBoard or matplotlib is not installed.
        OutputError: the table or the events cannot be written.
    """

    def __init__(self, folder: Path, first: int, plots: bool, warn: Callable[[str], None]) -> None:
        self.folder, self._warn = folder, warn
        with _written(folder / LOG):
            self.rows = [row for row in _read(folder / LOG) if row["step"] <= first]
        write_text(folder / LOG, "".join([",".join(COLUMNS) + "\n", *map(_line, self.rows)]))
        self._events = _open_events(folder / "tensorboard", first) if plots else None

    def add(self, report: Report) -> None:
        """Notes a report that has a loss or a PSNR.

        Raises:
            OutputError: the table or the events cannot be written.
        """
        if report.loss is None and report.psnr_y is None:
            return
        row = {name: value for name in COLUMNS if (value := getattr(report, name)) is not None}
        self.rows.append(row)
        with _written(self.folder / LOG), (self.folder / LOG).open("a", encoding="utf-8") as file:
            file.write(_line(row))
        if self._events:
            with _written(self.folder / "tensorboard"):
                for name in COLUMNS[1:]:
                    if name in row:
                        self._events.add_scalar(name, row[name], report.step)
        if report.psnr_y is not None:
            self.plot()

    def show(self, pair: Pair, scale: int, enlarge: Enlarger, step: int) -> None:
        """Puts bicubic, network and original side by side into TensorBoard.

        Raises:
            InputError: the pair cannot be read.
            OutputError: the events cannot be written.
        """
        if self._events:
            low, high = pair.load(scale)
            row = np.concatenate((interpolator(scale, "bicubic")(low), enlarge(low), high), axis=1)
            with _written(self.folder / "tensorboard"):
                self._events.add_image("bicubic, network, original", row, step, dataformats="HWC")

    def plot(self) -> None:
        """Draws ``loss.png`` and ``psnr.png`` from all rows so far."""
        for name, column, label in (("loss", "loss", "loss"), ("psnr", "psnr_y", "PSNR on Y (dB)")):
            rows = [row for row in self.rows if math.isfinite(row.get(column, math.nan))]
            if self._events and rows:
                steps = [int(row["step"]) for row in rows]
                try:
                    plot_curve(self.folder / f"{name}.png", label, steps, [row[column] for row in rows])
                except OutputError as error:
                    self._warn(str(error))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.plot()
        if self._events:
            try:
                self._events.close()
            except OSError as close_error:
                self._warn(f"{self.folder / 'tensorboard'}: cannot be written: {close_error.strerror}")


def check_plots() -> None:
    """Before the work whose course they show.

    Raises:
        UsageError: TensorBoard or matplotlib is not installed.
    """
    try:
        import matplotlib  # noqa: F401
        from torch.utils.tensorboard.writer import SummaryWriter  # noqa: F401
    except ImportError as error:
        missing = error.name or "tensorboard"
        raise UsageError(f"{missing} is missing; install rfdn-video[train], or give --no-plots") from None


def _line(row: Mapping[str, float]) -> str:
    return ",".join(repr(row[name]) if name in row else "" for name in COLUMNS) + "\n"


def _read(path: Path) -> list[dict[str, float]]:
    """The rows up to the first that is not whole: a power cut can leave half a line, or zeros."""
    if not path.exists():
        return []
    rows = []
    for line in path.read_text(encoding="utf-8", errors="replace").split("\n")[1:-1]:
        try:
            rows.append(_row(line))
        except ValueError:
            break
    return rows


def _row(line: str) -> dict[str, float]:
    step, *texts = line.split(",")
    values = {name: float(text) for name, text in zip(COLUMNS[1:], texts, strict=True) if text}
    return {"step": int(step), **values}


def _open_events(folder: Path, first: int) -> SummaryWriter:
    check_plots()
    from torch.utils.tensorboard.writer import SummaryWriter

    with _written(folder):
        return SummaryWriter(str(folder), purge_step=first + 1)


@contextmanager
def _written(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OutputError(f"{path}: cannot be written: {error.strerror}") from None
