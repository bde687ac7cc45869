"""The threads around the inference: one that prefetches, one that drains, bounded queues between."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator

__all__ = ["Channel", "Drain", "Prefetch"]


class Channel[T]:
    """A bounded first-in first-out queue between two threads that either side can end."""

    def __init__(self, capacity: int) -> None:
        self._items: deque[T] = deque()
        self._capacity = capacity
        self._changed = threading.Condition()
        self._closed = False
        self._error: BaseException | None = None

    def put(self, item: T) -> bool:
        """Waits for room; False where the channel has been closed and the item is not wanted."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or len(self._items) < self._capacity)
            if self._closed:
                return False
            self._items.append(item)
            self._changed.notify_all()
            return True

    def close(self, error: BaseException | None = None, *, discard: bool = False) -> None:
        """Ends it: what is in it can still be taken unless ``discard``, then ``error`` is raised or iteration ends."""
        with self._changed:
            self._closed = True
            self._error = self._error or error
            if discard:
                self._items.clear()
            self._changed.notify_all()

    def __iter__(self) -> Iterator[T]:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closed or bool(self._items))
                if not self._items:
                    if self._error is not None:
                        raise self._error
                    return
                item = self._items.popleft()
                self._changed.notify_all()
            yield item


class Prefetch[T]:
    """Iterates over ``items`` on a thread of its own, at most ``depth`` ahead.

    What the items raise is raised where they are taken. Leaving the ``with`` block ends the thread;
    ``stop`` is called first, so that items which take long to come can be given up.
    """

    def __init__(self, items: Iterable[T], depth: int, name: str, stop: Callable[[], None] = lambda: None) -> None:
        self._items = items
        self._stop = stop
        self._channel: Channel[T] = Channel(depth)
        self._thread = threading.Thread(target=self._run, name=name)

    def _run(self) -> None:
        try:
            for item in self._items:
                if not self._channel.put(item):
                    return
        except BaseException as error:
            self._channel.close(error)
        else:
            self._channel.close()

    def __enter__(self) -> Iterator[T]:
        try:
            self._thread.start()
            return iter(self._channel)
        except BaseException:  # a signal, just now: the thread may run already
            self.__exit__()
            raise

    def __exit__(self, *_: object) -> None:
        self._stop()
        self._channel.close(discard=True)
        if self._thread.ident is not None:
            self._thread.join()


class Drain[T]:
    """Calls ``consume`` for every item on a thread of its own, at most ``depth`` behind.

    What ``consume`` raises is raised by the next :meth:`put`, or on leaving the ``with`` block,
    which waits until all is consumed. Leaving it with an error drops what is waiting.
    """

    def __init__(self, consume: Callable[[T], None], depth: int, name: str) -> None:
        self._consume = consume
        self._channel: Channel[T] = Channel(depth)
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name=name)

    def _run(self) -> None:
        try:
            for item in self._channel:
                self._consume(item)
        except BaseException as error:
            self._error = error
            self._channel.close(discard=True)

    def put(self, item: T) -> None:
        """Waits for room."""
        if not self._channel.put(item) and self._error is not None:
            raise self._error

    def __enter__(self) -> Drain[T]:
        try:
            self._thread.start()
            return self
        except BaseException as error:  # a signal, just now: the thread may run already
            self.__exit__(type(error))
            raise

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._channel.close(discard=kind is not None)
        if self._thread.ident is not None:
            self._thread.join()
        if self._error is not None and kind is None:
            raise self._error
