"""A batch shows that it is alive while its owner is busy with one thing that takes long."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from rfdn_video.batch.entry import Run
from rfdn_video.batch.ledger import Ledger
from rfdn_video.errors import RFDNError

__all__ = ["beating"]


@contextmanager
def beating(destination: Path, run: Run, interval: float) -> Iterator[None]:
    """Within this block a thread notes it in the ledger every so many seconds."""
    over = threading.Event()
    thread = threading.Thread(target=_beat, args=(destination, run, interval, over), name="heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _beat(destination: Path, run: Run, interval: float, over: threading.Event) -> None:
    with suppress(sqlite3.Error, RFDNError):  # the owner meets it itself
        while not over.wait(interval):
            with closing(Ledger(destination, create=True)) as ledger:
                ledger.beat(run)
