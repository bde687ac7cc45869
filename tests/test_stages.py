"""The threads around the inference: bounded, ordered, and never left hanging."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from rfdn_video.stages import Drain, Prefetch


def test_prefetch_keeps_order_and_stays_within_its_depth() -> None:
    produced: list[int] = []

    def numbers() -> Iterator[int]:
        for n in range(50):
            produced.append(n)
            yield n

    taken = []
    with Prefetch(numbers(), 4, "numbers") as items:
        for item in items:
            taken.append(item)
            time.sleep(0.001)
            assert len(produced) <= len(taken) + 4 + 1  # the one in the producer's hand
    assert taken == list(range(50))


def test_prefetch_hands_errors_on_after_what_came_before() -> None:
    def broken() -> Iterator[int]:
        yield 1
        yield 2
        raise ValueError("broken")

    taken = []
    with pytest.raises(ValueError, match="broken"), Prefetch(broken(), 4, "broken") as items:
        for item in items:
            taken.append(item)  # noqa: PERF402
    assert taken == [1, 2]


def test_leaving_prefetch_early_ends_an_endless_producer() -> None:
    def endless() -> Iterator[int]:
        while True:
            yield 0

    with Prefetch(endless(), 2, "endless") as items:
        next(items)
    assert "endless" not in [t.name for t in threading.enumerate()]


def test_drain_consumes_everything_before_it_ends() -> None:
    consumed: list[int] = []

    def slow(n: int) -> None:
        time.sleep(0.001)
        consumed.append(n)

    with Drain(slow, 3, "slow") as drain:
        for n in range(30):
            drain.put(n)
    assert consumed == list(range(30))


def test_drain_raises_what_its_consumer_raised() -> None:
    def fails(n: int) -> None:
        if n == 2:
            raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"), Drain(fails, 2, "fails") as drain:
        for n in range(1000):
            drain.put(n)
    with pytest.raises(OSError, match="disk full"), Drain(fails, 8, "fails") as drain:
        drain.put(2)


def test_an_error_outside_drops_what_waits() -> None:
    consumed: list[int] = []
    gate = threading.Event()

    def waits(n: int) -> None:
        gate.wait(5)
        consumed.append(n)

    with pytest.raises(KeyError), Drain(waits, 8, "waits") as drain:
        for n in range(5):
            drain.put(n)
        threading.Timer(0.05, gate.set).start()
        raise KeyError
    assert len(consumed) <= 1
