"""Notices work that has stopped moving: a hung encoder, a lost device, a disk that no longer answers."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator

from rfdn_video.errors import DeviceError, InputError, OutputError, RFDNError

__all__ = ["DECODED", "REST", "Beat", "Watchdog", "beating", "patience"]

REST = "rest"
"""The stage of what may take long without a sign of life: a file is moved or read as a whole."""

DECODED = "decoded"
"""All frames have been read."""

type Beat = Callable[[str], None]
"""Called with a stage's name whenever it has done a frame."""


def patience(width: int, height: int, asked: float | None) -> float:
    """Seconds without progress that are waited: what was ``asked`` for, 0 being for ever.

    Else so many that no healthy job needs them whose result has this size, slow processors included.
    """
    return 600 + 1e-4 * width * height if asked is None else asked


class Watchdog:
    """Calls ``on_stall``, from a thread of its own, when no stage has done anything for ``limit`` seconds.

    What hangs in a driver or a library cannot be ended from within the process: to leave it at once is up to
    ``on_stall``. It watches from the first beat to the end of the ``with`` block, but for the stage :data:`REST`.

    Args:
        limit: 0 watches nothing.
        on_stall: is told what hangs, as the error that it is.
    """

    def __init__(self, limit: float, on_stall: Callable[[RFDNError], None]) -> None:
        self._limit, self._on_stall = limit, on_stall
        self._done: Counter[str] = Counter()
        self._last: float | None = None
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)

    def beat(self, stage: str) -> None:
        """A frame has passed: ``"decode"``, ``"take"`` (by the device), ``"network"`` or ``"encode"``."""
        self._done[stage] += 1
        self._last = None if stage == REST else time.monotonic()

    def __enter__(self) -> Watchdog:
        if self._limit:
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        if self._thread.ident is not None:
            self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(min(1.0, self._limit / 4)):
            last = self._last
            if last is not None and time.monotonic() - last > self._limit:
                self._on_stall(self._diagnosis())
                return

    def _diagnosis(self) -> RFDNError:
        """The stage that has something to do."""
        done, silence = self._done, f"no progress for {self._limit:g} seconds (--stall-timeout)"
        if done["network"] > done["encode"]:
            return OutputError(f"{silence}: the encoder, or the disk that is written to, does not answer")
        if not done[DECODED] and done["decode"] == done["take"]:
            return InputError(f"{silence}: the source, or the disk that it is read from, gives no more pictures")
        if done["decode"] > done["network"]:
            return DeviceError(f"{silence}: the device does not answer; try again, or another --device")
        return OutputError(f"{silence}: the encoder does not end its work")


def beating[T](items: Iterable[T], stage: str, beat: Beat, end: str | None = None) -> Iterator[T]:
    """The items, with a beat for each, and one for their end where that has a name."""
    for item in items:
        beat(stage)
        yield item
    if end is not None:
        beat(end)
