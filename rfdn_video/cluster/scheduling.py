"""Segments as Ray tasks: Ray places them and tries again, here is decided what is in flight and what is given up."""

from __future__ import annotations

import threading
import uuid
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import ray
from ray.exceptions import RayError, RayTaskError

from rfdn_video.cluster.board import Attempt, Board
from rfdn_video.cluster.connect import Share, letting_signals_pass
from rfdn_video.cluster.film import OnFrames
from rfdn_video.cluster.order import Order
from rfdn_video.cluster.segment import introduce, make_segment
from rfdn_video.cluster.spans import Span
from rfdn_video.errors import DeviceError, InputError, ModelError, OutputError, UsageError

__all__ = ["TRIES", "Crew", "MakeSegment"]

TRIES = 3
"""So often a segment is begun, whether its worker died or it failed."""

AHEAD = 2
"""Tasks in flight for each one that has room: enough to keep workers busy, and to ask an autoscaler for more."""

TICK = 0.5
"""Seconds between two looks at the workers."""

BEAT = 0.5
"""Seconds between two signs of life of a worker."""

type MakeSegment = Callable[[Order, Span, Callable[[int, int], None]], None]

# What may go better elsewhere, or another time. Not those of a machine of another kind: see handshake.
_RETRIED = [DeviceError, InputError, OutputError, OSError, MemoryError]
_FATAL = (UsageError, ModelError)


def _work(make: MakeSegment, order: Order, span: Span, board: Any) -> None:
    """A task: makes a segment, and shows that it is alive."""
    attempt, state, over = uuid.uuid4().hex, [(0, 0)], threading.Event()

    def beat() -> None:
        while True:
            board.write.remote(span.number, attempt, *state[-1])
            if over.wait(BEAT):
                return

    def report(frames: int, skipped: int) -> None:
        state[:] = [(frames, skipped)]

    thread = threading.Thread(target=beat, name="heartbeat", daemon=True)
    thread.start()
    try:
        make(order, span, report)
    finally:
        over.set()
        thread.join()


class Crew:
    """The workers of a cluster, for one film.

    Args:
        share: what each gets.
        silence: seconds without progress after which a segment is begun a second time; 0 is never.
        make: what a worker does.
    """

    def __init__(self, share: Share, silence: float, make: MakeSegment = make_segment) -> None:
        self._share, self._silence, self._make = share, silence, make
        self._options: dict[str, Any] = {"num_cpus": share.cpus, "num_gpus": share.gpus}
        self._options |= {"max_retries": TRIES - 1, "retry_exceptions": _RETRIED, "scheduling_strategy": "SPREAD"}
        self._board: Any = ray.remote(Board).options(num_cpus=0, max_restarts=-1).remote()
        self._waiting: deque[Span] = deque()
        self._running: dict[Any, Span] = {}
        self._begun: dict[int, int] = {}
        self.failed: dict[int, Exception] = {}

    def introduce(self, order: Order) -> dict[str, str]:
        """Asks a worker what it would do the film with.

        Raises:
            RFDNError: it could not do it.
        """
        task = ray.remote(introduce).options(**self._options, name=f"look at {order.source.name}")
        try:
            with letting_signals_pass():
                answer: dict[str, str] = ray.get(task.remote(order))
        except RayError as error:
            raise _cause(error) from None
        return answer

    def make(self, order: Order, spans: Sequence[Span], on_frames: OnFrames) -> None:
        """Makes segments; what failed after all tries is in ``failed``, by its number.

        Args:
            order: the film.
            spans: of the segments.
            on_frames: is told how many pictures of each that is not yet done have been, by its number.

        Raises:
            UsageError, ModelError: a worker cannot, or must not, do any segment of this film.
        """
        self._waiting.extend(spans)
        self._begun, self.failed = {}, {}
        try:
            with letting_signals_pass():
                while self._waiting or self._running:
                    self._turn(order, on_frames)
        finally:
            self._waiting.clear()
            self._cancel(list(self._running))

    def _turn(self, order: Order, on_frames: OnFrames) -> None:
        while self._waiting and len(self._running) < AHEAD * max(1, self._share.slots):
            self._begin(order, self._waiting.popleft())
        ready, _ = ray.wait(list(self._running), timeout=TICK)
        for task in ready:
            self._settle(task)
        self._look(order, on_frames)

    def _begin(self, order: Order, span: Span) -> None:
        number = span.number
        task = ray.remote(_work).options(**self._options, name=f"segment {number} of {order.source.name}")
        self._running[task.remote(self._make, order, span, self._board)] = span
        self._begun[number] = self._begun.get(number, 0) + 1

    def _settle(self, task: Any) -> None:
        span = self._running.pop(task, None)
        if span is None:  # its twin was faster, just now
            return
        twins = [other for other, its in self._running.items() if its.number == span.number]
        try:
            ray.get(task)
        except RayError as error:
            cause = _cause(error)
            if isinstance(cause, _FATAL):
                raise cause from None
            if not twins:
                self._give_up(span, cause)
            return
        self._cancel(twins)
        self._board.forget.remote(span.number)

    def _give_up(self, span: Span, cause: Exception) -> None:
        self.failed[span.number] = cause
        self._board.forget.remote(span.number)

    def _look(self, order: Order, on_frames: OnFrames) -> None:
        attempts: list[Attempt] = []
        with suppress(RayError):  # the board moves to another machine where its own one is lost
            attempts = ray.get(self._board.read.remote())
        running = {span.number: span for span in self._running.values()}
        frames = {
            number: max(a.frames for a in attempts if a.number == number) for number in {a.number for a in attempts}
        }
        on_frames({number: count for number, count in frames.items() if number in running})
        for number, span in running.items():
            silences = [attempt.silence for attempt in attempts if attempt.number == number]
            if self._silence and len(silences) >= self._begun[number] and min(silences) > self._silence:
                self._begin_again(order, span)

    def _begin_again(self, order: Order, span: Span) -> None:
        """A straggler gets a twin; what neither of TRIES moves is given up."""
        if self._begun[span.number] < TRIES:
            self._begin(order, span)
            return
        self._cancel([task for task, its in self._running.items() if its.number == span.number])
        self._give_up(span, DeviceError(f"no progress for {self._silence:g} seconds (--stall-timeout), on any worker"))

    def _cancel(self, tasks: list[Any]) -> None:
        for task in tasks:
            self._running.pop(task, None)
            ray.cancel(task, force=True)


def _cause(error: RayError) -> Exception:
    """What a worker raised; its death is a failure of the device."""
    if isinstance(error, RayTaskError) and isinstance(error.cause, Exception):
        return error.cause
    return DeviceError(f"its worker died: {str(error).strip().splitlines()[0]}")
