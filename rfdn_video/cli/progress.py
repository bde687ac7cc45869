"""Progress on standard error: a bar, or one JSON object a line."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tqdm import tqdm

from rfdn_video.cli.console import one_line

__all__ = ["Progress", "progress"]

JSON_INTERVAL = 0.2  # seconds between two lines


class Progress:
    """Is told the number of frames done, after each; this one shows nothing."""

    def __call__(self, done: int) -> None:
        """One was done just now."""

    def reused(self, done: int) -> None:
        """One had been done by an earlier run: it counts as done, and not for the speed."""


@contextmanager
def progress(style: str | None, name: str, total: int | None) -> Iterator[Progress]:
    """Shows how far a job is, and from the speed of this run how long it will take.

    Args:
        style: ``"bar"``, ``"json"``, ``"off"``, or None: a bar where standard error is a terminal.
        name: of the input.
        total: the header's claim; where it proves wrong the display goes on without it.
    """
    style = style or ("bar" if sys.stderr.isatty() else "off")
    if style == "bar":
        bar: tqdm[Any]
        with tqdm(total=total, desc=one_line(name), unit="frame", dynamic_ncols=True, file=sys.stderr) as bar:
            yield _Bar(bar)
    elif style == "json":
        lines = _JSONLines(name, total)
        yield lines
        lines.write()
    else:
        yield Progress()


class _Bar(Progress):
    def __init__(self, bar: tqdm[Any]) -> None:
        self._bar = bar

    def __call__(self, done: int) -> None:
        self._forget_wrong_total(done)
        self._bar.update(done - self._bar.n)

    def reused(self, done: int) -> None:
        self._forget_wrong_total(done)
        bar, now = self._bar, time.time()  # tqdm's clock
        bar.n = bar.initial = bar.last_print_n = done
        bar.start_t = now
        if now - bar.last_print_t >= bar.mininterval:
            bar.last_print_t = now
            bar.refresh()

    def _forget_wrong_total(self, done: int) -> None:
        if self._bar.total is not None and done > self._bar.total:
            self._bar.total = None


class _JSONLines(Progress):
    def __init__(self, name: str, total: int | None) -> None:
        self._name, self._total = name, total
        self._done = self._reused = 0
        self._started = time.monotonic()
        self._written = 0.0

    def __call__(self, done: int) -> None:
        self._done = done
        if time.monotonic() - self._written >= JSON_INTERVAL:
            self.write()

    def reused(self, done: int) -> None:
        self._reused, self._started = done, time.monotonic()
        self(done)

    def write(self) -> None:
        self._written = time.monotonic()
        elapsed, done = self._written - self._started, self._done
        rate = (done - self._reused) / elapsed if elapsed else 0.0
        total = self._total if self._total is not None and self._total >= done else None
        left = (total - done) / rate if total is not None and rate else None
        line = {
            "event": "progress",
            "input": self._name,
            "frames": done,
            "total": total,
            "fps": round(rate, 3),
            "eta_seconds": None if left is None else round(left, 1),
        }
        print(json.dumps(line), file=sys.stderr, flush=True)
