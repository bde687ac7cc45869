"""Lends things that one thread may use at a time: queues, pipes."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = ["Pool"]


class Pool[T]:
    """Makes as many things as are in use at the same time, and keeps them.

    Args:
        make: gives a new one.
    """

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._idle: deque[T] = deque()  # its ends are safe to use from several threads

    @contextmanager
    def lend(self) -> Iterator[T]:
        """The one that came back last, or a new one. After an error it is not lent again: its state is unknown."""
        try:
            thing = self._idle.pop()
        except IndexError:
            thing = self._make()
        yield thing
        self._idle.append(thing)
