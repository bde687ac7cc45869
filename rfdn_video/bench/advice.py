"""Which settings to suggest. Nothing is suggested that was not measured to be faster, beyond the spread."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from rfdn_video.bench.choices import Choice
from rfdn_video.bench.rounds import Speed

__all__ = ["Advice", "Reason", "advise", "faster_at_another_precision", "is_faster"]

MARGIN = 1.03  # less is not worth a word


@dataclass(frozen=True)
class Reason:
    """Why something is suggested.

    Attributes:
        choice, against: what was compared; they differ in one thing.
        ratio: of the medians of the bare network's speed.
    """

    choice: Choice
    against: Choice
    ratio: float


@dataclass(frozen=True)
class Advice:
    """What to use.

    Attributes:
        choice: at the precision of the base.
        reasons: one for each thing in which it differs from the base.
    """

    choice: Choice
    reasons: tuple[Reason, ...]


def advise(speeds: Mapping[Choice, Speed], base: Choice) -> Advice:
    """The fastest choice that differs from ``base`` by steps of which each was measured to be one forward."""
    best, reasons = base, list[Reason]()
    for what in ("engine", "tile", "threads"):
        rivals = [choice for choice in speeds if replace(choice, **{what: getattr(best, what)}) == best]
        fastest = max(rivals, key=lambda choice: speeds[choice].median)
        if is_faster(speeds[fastest], speeds[best]):
            reasons.append(Reason(fastest, best, speeds[fastest].median / speeds[best].median))
            best = fastest
    return Advice(best, tuple(reasons))


def faster_at_another_precision(speeds: Mapping[Choice, Speed], best: Choice) -> list[Reason]:
    """Choices that beat the best one, but give other pictures."""
    return [
        Reason(choice, best, speeds[choice].median / speeds[best].median)
        for choice in speeds
        if choice.precision != best.precision and is_faster(speeds[choice], speeds[best])
    ]


def is_faster(one: Speed, other: Speed) -> bool:
    """Worth mentioning, and even at its slowest; a single run proves nothing."""
    return one.certain and other.certain and one.median >= MARGIN * other.median and min(one.runs) > other.median
