"""The whole measurement, within a time: stages and networks in turn, then what is suggested against the default."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from rfdn_video.bench.advice import Advice, Reason, advise, faster_at_another_precision
from rfdn_video.bench.choices import Choice, Opened, threads_of_torch
from rfdn_video.bench.rounds import Run, Speed, in_turn
from rfdn_video.bench.stages import decoded, enlarged_frames, network_alone, stages_alone, whole
from rfdn_video.pipeline import Job
from rfdn_video.summary import Summary

__all__ = ["NETWORK", "WHOLE", "Report", "measure"]

NETWORK, WHOLE = "network", "whole"
SMALL = 96  # pixels a side: enough to see what is hopeless
HOPELESS = 4  # times as slow as the fastest on a small picture
FRAMES = range(4, 25)
"""Of the whole: fewer would not fill the queues, more tell nothing new."""

SHARE = 0.7  # of the time, for the first part


@dataclass(frozen=True)
class Report:
    """What was found.

    Attributes:
        frames: that the stages and the whole had.
        stages: speed of each stage alone and of the whole.
        networks: speed of the bare network by choice, the base first.
        left_out: choices that were not measured, and why.
        advice: what to use.
        suggested: the whole with it, and the ratio to the whole by default, measured in turn; None where it is
            the default.
        other_precisions: faster choices that give other pictures, and by how many code values of 8 bit at most.
        summary: of the last run of the whole by default.
        seconds: that all this took.
    """

    frames: int
    stages: Mapping[str, Speed]
    networks: Mapping[Choice, Speed]
    left_out: Mapping[Choice, str]
    advice: Advice
    suggested: tuple[Speed, float] | None
    other_precisions: Sequence[tuple[Reason, float]]
    summary: Summary
    seconds: float


def measure(job: Job, opened: Sequence[Opened], seconds: float, on_step: Callable[[str], None]) -> Report:
    """Measures a job.

    Args:
        job: the base: its network is the first of ``opened``.
        opened: networks to compare.
        seconds: that it may take, about; every contestant is run once in any case.
        on_step: is told what comes next.
    """
    begin = time.perf_counter()
    on_step("warming up")
    picture = _picture(decoded(job, 1)[0].width, job.files.info.video.height)
    opened, left_out, each = _warm_up(opened, picture)
    budget = SHARE * (seconds - (time.perf_counter() - begin))
    frames = decoded(job, _count(budget, each))
    summaries: list[Summary] = []
    stages = stages_alone(job, frames, enlarged_frames(job, frames))
    stages[WHOLE] = whole(job, len(frames), summaries.append)
    networks = {str(one.choice): network_alone(one.upscaler, one.choice.threads, picture) for one in opened}
    on_step(f"{len(stages)} stages and {len(networks)} networks in turn, {len(frames)} frames")
    speeds = in_turn(stages | networks, SHARE * (seconds - (time.perf_counter() - begin)))
    by_choice = {one.choice: speeds[str(one.choice)] for one in opened}
    advice = advise(by_choice, opened[0].choice)
    best = next(one for one in opened if one.choice == advice.choice)
    suggested = None
    if advice.reasons:
        on_step("what is suggested, against the default")
        rivals = {"default": stages[WHOLE], "suggested": _limited(job, best, len(frames))}
        last = in_turn(rivals, seconds - (time.perf_counter() - begin))
        suggested = last["suggested"], last["suggested"].median / last["default"].median
    return Report(
        frames=len(frames),
        stages=_in_order({name: speeds[name] for name in stages} | {NETWORK: by_choice[opened[0].choice]}),
        networks=by_choice,
        left_out=left_out,
        advice=advice,
        suggested=suggested,
        other_precisions=[
            (reason, _deviation(opened, best, reason.choice, picture))
            for reason in faster_at_another_precision(by_choice, advice.choice)
        ],
        summary=summaries[-1],
        seconds=time.perf_counter() - begin,
    )


def _warm_up(opened: Sequence[Opened], picture: Tensor) -> tuple[list[Opened], dict[Choice, str], list[float]]:
    """Who is worth measuring, why the others are not, and the seconds that a picture takes each of those that are."""
    small = picture[:, :SMALL, :SMALL]
    paces = [_second_try(one, small) for one in opened]
    left_out, kept, each = dict[Choice, str](), list[Opened](), list[float]()
    for one, pace in zip(opened, paces, strict=True):
        if one is not opened[0] and pace > HOPELESS * min(paces):
            left_out[one.choice] = f"{pace / min(paces):.0f} times as slow as the fastest on a small picture"
            continue
        kept.append(one)
        each.append(_timed(one, picture))
    return kept, left_out, each


def _second_try(one: Opened, picture: Tensor) -> float:
    _timed(one, picture)
    return _timed(one, picture)


def _timed(one: Opened, picture: Tensor) -> float:
    return 1 / network_alone(one.upscaler, one.choice.threads, picture)()


def _count(budget: float, each: Sequence[float]) -> int:
    """So many frames for the whole that three rounds of everything fit."""
    return min(max(int((budget / 3 - sum(each)) / each[0]), FRAMES.start), FRAMES.stop - 1)


def _limited(job: Job, one: Opened, count: int) -> Run:
    run = whole(replace(job, upscaler=one.upscaler), count, lambda _: None)

    def run_limited() -> float:
        with threads_of_torch(one.choice.threads):
            return run()

    return run_limited


def _deviation(opened: Sequence[Opened], best: Opened, choice: Choice, picture: Tensor) -> float:
    """In code values of 8 bit, at most, on one picture."""
    other = next(one for one in opened if one.choice == choice)
    results = [one.upscaler(picture.to(one.upscaler.device)).float().cpu() for one in (best, other)]
    return float((results[0] - results[1]).abs().max()) * 255


def _picture(width: int, height: int) -> Tensor:
    return torch.rand(3, height, width, generator=torch.Generator().manual_seed(0))


def _in_order(stages: Mapping[str, Speed]) -> dict[str, Speed]:
    return {name: stages[name] for name in ("decode", "colour in", NETWORK, "colour out", "encode", WHOLE)}
