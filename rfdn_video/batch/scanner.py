"""Searches in a thread of its own: a network that hangs must not hold up what is under way."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from queue import Empty, SimpleQueue

from rfdn_video.batch.sources import Source

__all__ = ["Scanner"]

INTERVAL = 1.0
"""Seconds between two searches."""
PATIENCE = 60.0
"""Seconds that a search may take before it is said."""


class Scanner:
    """Hands what a thread finds to the one that asks for it.

    Args:
        note: is told, in that one, what is to be said.
    """

    def __init__(self, note: Callable[[str], None]) -> None:
        self._note = note
        self._found: SimpleQueue[Source | str | Exception] = SimpleQueue()
        self._over = threading.Event()
        self._since: float | None = None

    def tell(self, text: str) -> None:
        """Something to be said, from any thread."""
        self._found.put(text)

    @contextmanager
    def searching(self, search: Callable[[], Iterable[Source]]) -> Iterator[None]:
        """Calls ``search`` again and again."""
        thread = threading.Thread(target=self._run, args=(search,), name="scanner", daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._over.set()
            thread.join(2)

    def _run(self, search: Callable[[], Iterable[Source]]) -> None:
        try:
            while not self._over.is_set():
                self._since = time.monotonic()
                for source in search():
                    self._found.put(source)
                self._since = None
                self._over.wait(INTERVAL)
        except Exception as error:
            self._found.put(error)

    def found(self) -> Iterator[Source]:
        """What has been found since the last call; never waits.

        Raises:
            Exception: of the search, which is over then.
        """
        while (item := self._next()) is not None:
            if isinstance(item, Exception):
                raise item
            if isinstance(item, str):
                self._note(item)
            else:
                yield item
        self._check_patience()

    def _next(self) -> Source | str | Exception | None:
        try:
            return self._found.get_nowait()
        except Empty:
            return None

    def _check_patience(self) -> None:
        since = self._since
        if since is not None and time.monotonic() - since > PATIENCE:
            self._note(f"the folders of sources do not answer for {PATIENCE:g} s; they are waited for")
            self._since = None
