"""Encoders get no real-time priority."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

__all__ = ["usual_priority"]

_TASKS = Path("/proc/self/task")


@contextmanager
def usual_priority() -> Iterator[None]:
    """Threads that are real-time after this block, and were not before, are set back; on Linux.

    SVT-AV1 makes all of its threads, and the one that opens it, real-time (SCHED_FIFO, 99) where root runs it. Two that
    spin then keep a machine of two cores to themselves, and out those that they wait for: seen to hang for minutes.
    """
    if sys.platform != "linux":
        yield
        return
    before = _real_time()
    try:
        yield
    finally:
        for thread in _real_time() - before:
            with suppress(OSError):  # of one that has just ended
                os.sched_setscheduler(thread, os.SCHED_OTHER, os.sched_param(0))


def _real_time() -> set[int]:
    found = set()
    for task in _TASKS.iterdir():
        with suppress(OSError):
            if os.sched_getscheduler(int(task.name)) == os.SCHED_FIFO:
                found.add(int(task.name))
    return found
