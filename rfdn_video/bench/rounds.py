"""Contestants run in turn, round after round, so that what disturbs the machine disturbs all; medians count."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

__all__ = ["Run", "Speed", "in_turn", "repeated"]

MAX_ROUNDS = 9
LEAST_SECONDS = 0.1  # shorter work is repeated: a clock and a scheduler have their grain

type Run = Callable[[], float]
"""Does something once; gives frames a second."""


@dataclass(frozen=True)
class Speed:
    """Frames a second of one contestant.

    Attributes:
        runs: every result, in the order of the rounds; one or more.
    """

    runs: tuple[float, ...]

    @property
    def median(self) -> float:
        """The result that counts."""
        return statistics.median(self.runs)

    @property
    def certain(self) -> bool:
        """There is more than one run to tell a difference from chance."""
        return len(self.runs) > 1

    @property
    def spread(self) -> float:
        """From the slowest to the fastest run, as a share of the median."""
        return (max(self.runs) - min(self.runs)) / self.median


def in_turn(contestants: Mapping[str, Run], seconds: float) -> dict[str, Speed]:
    """Runs all, again and again as long as a further round fits into ``seconds``; at least one round."""
    results: dict[str, list[float]] = {name: [] for name in contestants}
    begin = time.perf_counter()
    for number in range(1, MAX_ROUNDS + 1):
        for name, run in contestants.items():
            results[name].append(run())
        spent = time.perf_counter() - begin
        if spent * (number + 1) / number > seconds:
            break
    return {name: Speed(tuple(runs)) for name, runs in results.items()}


def repeated(work: Callable[[], object]) -> Run:
    """A run that does ``work``, which is one frame, as often as it takes for a time that can be measured."""

    def run() -> float:
        count, begin = 0, time.perf_counter()
        while True:
            work()
            count += 1
            if (spent := time.perf_counter() - begin) >= LEAST_SECONDS:
                return count / spent

    return run
