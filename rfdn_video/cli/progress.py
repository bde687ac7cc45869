"""Progress on standard error: a bar, or one JSON object a line."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tqdm import tqdm

__all__ = ["progress"]

JSON_INTERVAL = 0.2  # seconds between two lines


@contextmanager
def progress(style: str | None, name: str, total: int | None) -> Iterator[Callable[[int], None]]:
    """Gives a function to call with the number of frames done.

    Args:
        style: ``"bar"``, ``"json"``, ``"off"``, or None: a bar where standard error is a terminal.
        name: of the input.
        total: the header's claim; where it proves wrong the display goes on without it.
    """
    style = style or ("bar" if sys.stderr.isatty() else "off")
    if style == "bar":
        bar: tqdm[Any]
        with tqdm(total=total, desc=name, unit="frame", dynamic_ncols=True, file=sys.stderr) as bar:
            yield lambda done: _advance(bar, done)
    elif style == "json":
        reporter = _JSONLines(name, total)
        yield reporter.report
        reporter.write(reporter.done)
    else:
        yield lambda _: None


def _advance(bar: tqdm[Any], done: int) -> None:
    if bar.total is not None and done > bar.total:
        bar.total = None
    bar.update(done - bar.n)


class _JSONLines:
    def __init__(self, name: str, total: int | None) -> None:
        self.done = 0
        self._name, self._total = name, total
        self._started = time.monotonic()
        self._written = 0.0

    def report(self, done: int) -> None:
        self.done = done
        if time.monotonic() - self._written >= JSON_INTERVAL:
            self.write(done)

    def write(self, done: int) -> None:
        self._written = time.monotonic()
        elapsed = self._written - self._started
        rate = done / elapsed if elapsed else 0.0
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
