"""The threads around the inference: one that prefetches, one that drains, bounded queues between.

Each tells how long it worked and how long it waited, which shows what bounds a run.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

__all__ = ["Channel", "Drain", "Prefetch", "StageTime", "timed"]


@dataclass(frozen=True)
class StageTime:
    """What a stage did with its time, in seconds of the clock on the wall.

    Attributes:
        name: of the stage.
        worked: it had something to do. Where stages share processor cores, that includes being kept from it.
        waited_for_input: nothing was there to do.
        waited_for_output: what was done could not be handed on.
    """

    name: str
    worked: float
    waited_for_input: float = 0.0
    waited_for_output: float = 0.0


@contextmanager
def timed(name: str, times: list[StageTime]) -> Iterator[None]:
    """Adds the time of a stage that waits for nothing: the ``with`` block."""
    begin = time.perf_counter()
    yield
    times.append(StageTime(name, time.perf_counter() - begin))


class Channel[T]:
    """A bounded first-in first-out queue between two threads that either side can end.

    Attributes:
        put_waited: seconds that :meth:`put` waited for room.
        take_waited: seconds that iteration waited for items.
    """

    def __init__(self, capacity: int) -> None:
        self._items: deque[T] = deque()
        self._capacity = capacity
        self._changed = threading.Condition()
        self._closed = False
        self._error: BaseException | None = None
        self.put_waited = self.take_waited = 0.0

    def put(self, item: T) -> bool:
        """Waits for room; False where the channel has been closed and the item is not wanted."""
        begin = time.perf_counter()
        with self._changed:
            self._changed.wait_for(lambda: self._closed or len(self._items) < self._capacity)
            self.put_waited += time.perf_counter() - begin
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
            begin = time.perf_counter()
            with self._changed:
                self._changed.wait_for(lambda: self._closed or bool(self._items))
                self.take_waited += time.perf_counter() - begin
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
        self._lived = 0.0

    @property
    def time(self) -> StageTime:
        """Of the thread, once it has ended."""
        waited = self._channel.put_waited
        return StageTime(self._thread.name, self._lived - waited, waited_for_output=waited)

    @property
    def waited(self) -> float:
        """Seconds that the taker waited for items."""
        return self._channel.take_waited

    def _run(self) -> None:
        begin = time.perf_counter()
        try:
            for item in self._items:
                if not self._channel.put(item):
                    return
        except BaseException as error:
            self._channel.close(error)
        else:
            self._channel.close()
        finally:
            self._lived = time.perf_counter() - begin

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
        self._lived = 0.0

    @property
    def time(self) -> StageTime:
        """Of the thread, once it has ended."""
        waited = self._channel.take_waited
        return StageTime(self._thread.name, self._lived - waited, waited_for_input=waited)

    @property
    def waited(self) -> float:
        """Seconds that :meth:`put` waited for room."""
        return self._channel.put_waited

    def _run(self) -> None:
        begin = time.perf_counter()
        try:
            for item in self._channel:
                self._consume(item)
        except BaseException as error:
            self._error = error
            self._channel.close(discard=True)
        finally:
            self._lived = time.perf_counter() - begin

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
