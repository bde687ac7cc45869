"""SIGINT and SIGTERM: the first one stops the work cleanly, the second one kills the process."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from rfdn_video.errors import Interrupted

__all__ = ["interruptible"]

_NAMES = {signal.SIGINT: 130, signal.SIGTERM: 143}


class _Stop(BaseException):
    """Not an Exception: no library's ``except Exception`` may swallow it."""

    def __init__(self, number: int) -> None:
        self.number = number


@contextmanager
def interruptible(fate: str = "the unfinished output was removed") -> Iterator[None]:
    """Within this block a signal raises :class:`Interrupted` in the main thread.

    Args:
        fate: what becomes of what was begun, said where nothing in the block has said it better (``add_note``).
    """

    def stop(number: int, _: FrameType | None) -> None:
        for name in _NAMES:
            signal.signal(name, signal.SIG_DFL)
        raise _Stop(number)

    previous = {name: signal.signal(name, stop) for name in _NAMES}
    try:
        yield
    except _Stop as stop_:
        code = _NAMES[signal.Signals(stop_.number)]
        kept = getattr(stop_, "__notes__", [fate])
        raise Interrupted("; ".join(["interrupted", *kept]), exit_code=code) from None
    finally:
        for name, handler in previous.items():
            signal.signal(name, handler)
