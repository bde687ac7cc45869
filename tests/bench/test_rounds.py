"""Rounds, medians, and advice, on speeds that are known."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable

import pytest
import torch

from rfdn_video.bench.advice import advise, faster_at_another_precision
from rfdn_video.bench.choices import Choice, threads_of_torch, variations
from rfdn_video.bench.rounds import MAX_ROUNDS, Speed, in_turn, repeated

BASE = Choice("openvino", "fp32")
TORCH = Choice("torch", "fp32")


def test_contestants_take_turns_and_all_have_as_many_runs() -> None:
    order: list[str] = []

    def contestant(name: str, fps: float) -> Callable[[], float]:
        return lambda: (order.append(name), fps + len(order))[1]

    speeds = in_turn({"a": contestant("a", 10), "b": contestant("b", 20)}, 3600)
    assert order == ["a", "b"] * MAX_ROUNDS
    assert speeds["a"].runs == tuple(10.0 + n for n in range(1, 2 * MAX_ROUNDS, 2))


def test_one_round_in_any_case_and_none_that_does_not_fit() -> None:
    assert len(in_turn({"a": lambda: 1.0}, 0)["a"].runs) == 1

    def slow() -> float:
        time.sleep(0.05)
        return 20.0

    assert len(in_turn({"slow": slow}, 0.09)["slow"].runs) == 1  # a second one would end after it


def test_short_work_is_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = itertools.count()
    monkeypatch.setattr(time, "perf_counter", lambda: next(clock) / 1024)
    done: list[int] = []
    assert repeated(lambda: done.append(1))() == 1024
    assert len(done) == 103  # the first beyond a tenth of a second


def test_median_and_spread() -> None:
    speed = Speed((4.0, 2.0, 1.0))
    assert (speed.median, speed.spread, speed.certain) == (2.0, 1.5, True)
    assert not Speed((4.0,)).certain


def test_one_thing_at_a_time_differs() -> None:
    found = variations(BASE, ("torch", "openvino"), ("fp32", "bf16"), ("off",), (1,))
    assert found[0] == BASE
    assert len(set(found)) == len(found)
    assert TORCH in found
    for choice in found:
        plain = Choice(choice.engine, "fp32")
        assert sum(getattr(choice, what) != getattr(plain, what) for what in ("precision", "tile", "threads")) <= 1
        assert choice.threads is None or choice.engine == "torch"


def test_the_fastest_is_advised_step_by_step() -> None:
    tiled, fewer, other = Choice("torch", "fp32", 32), Choice("torch", "fp32", 32, 1), Choice("torch", "bf16")
    speeds = {BASE: 1.0, TORCH: 2.0, tiled: 3.0, Choice("torch", "fp32", "off"): 1.5, fewer: 6.0, other: 9.0}
    advice = advise({choice: Speed((fps, fps)) for choice, fps in speeds.items()}, BASE)
    assert advice.choice == fewer
    assert [(r.choice, r.against, r.ratio) for r in advice.reasons] == [
        (TORCH, BASE, 2.0),
        (tiled, TORCH, 1.5),
        (fewer, tiled, 2.0),
    ]


@pytest.mark.parametrize("faster", [(1.02, 1.02), (9.0,), (0.9, 3.0, 3.0)], ids=["little", "once", "not always"])
def test_what_may_be_chance_is_not_advised(faster: tuple[float, ...]) -> None:
    speeds = {BASE: Speed((1.0,) * len(faster)), TORCH: Speed(faster)}
    advice = advise(speeds, BASE)
    assert (advice.choice, advice.reasons) == (BASE, ())


def test_another_precision_is_never_advised_but_named() -> None:
    half = Choice("openvino", "bf16")
    speeds = {BASE: Speed((1.0, 1.0)), half: Speed((2.0, 2.1))}
    assert advise(speeds, BASE).choice == BASE
    [reason] = faster_at_another_precision(speeds, BASE)
    assert (reason.choice, reason.against, reason.ratio) == (half, BASE, pytest.approx(2.05))


def test_threads_are_given_back() -> None:
    before = torch.get_num_threads()
    with pytest.raises(KeyError), threads_of_torch(1):
        assert torch.get_num_threads() == 1
        raise KeyError
    assert torch.get_num_threads() == before
