"""Why libav refused: its exceptions say little, its log says what is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import av

__all__ = ["cause_of", "errors_logged"]

type Log = list[tuple[int, str, str]]


@contextmanager
def errors_logged(least: int = av.logging.ERROR) -> Iterator[Log]:
    """Collects what libav logs at level ``least`` or above within the block, as (level, who, text)."""
    level, skips = av.logging.get_level(), av.logging.get_skip_repeated()
    av.logging.set_level(least)
    av.logging.set_skip_repeated(False)
    try:
        with av.logging.Capture() as log:
            yield log
    finally:
        av.logging.set_level(level)
        av.logging.set_skip_repeated(skips)


def cause_of(error: Exception, log: Log) -> str:
    """The log's messages in one line, else the exception's."""
    messages = dict.fromkeys(text.strip().rstrip(".") for _, _, text in log)
    return "; ".join(messages) or getattr(error, "strerror", None) or str(error)
