"""How long an archive, or one film, takes on how many machines, and what comes in the way next: a simulation.

    python benchmarks/cluster.py [--plot cluster.png]
    python benchmarks/cluster.py --pixels-per-second 2.1e7      of one worker, as `rfdn-video bench` measures it

The model knows workers that do segments one after another, a driver that deals them one at a time, and the joining of
each film, which is serial. What a source pixel costs this machine's network is measured here, unless it is given; the
rest is assumed, see Costs. cluster_run.py compares the model with real work on a Ray cluster.
"""

from __future__ import annotations

import argparse
import heapq
import random
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rfdn_video.inference.upscaler import Upscaler
from rfdn_video.media.reading.decode import SEEK_MARGIN

WORKERS = (1, 8, 64, 512)
ASSUMED_GPU = 3e7  # source pixels a second of a GPU: not measured, see docs/cluster.md
GOP, WORK = 250, 60.0  # pictures and seconds of a segment, as rfdn_video/resume.py has them


@dataclass(frozen=True)
class Costs:
    """Seconds, unless said otherwise. Those marked so are assumed."""

    pixel: float  # of the source, on a worker
    begin: float = 3.0  # assumed: a worker loads the network and finds its place
    dispatch: float = 0.005  # assumed: the driver, for a task
    join: float = 2e-4  # measured by cluster_run.py: the driver, for a picture, but for what storage takes
    decode: float = 4e-9  # assumed: for a pixel of what lies before a segment
    storage: float = 1e9  # assumed: bytes a second of the shared folder
    lane: float = 5e8  # assumed: bytes a second of the driver's machine


@dataclass(frozen=True)
class Film:
    """Pictures of a size; bits a picture at 0.08 a pixel before, and 0.05 after (assumed)."""

    pictures: int
    width: int = 1920
    height: int = 1080
    rate: int = 24

    @property
    def pixels(self) -> int:
        return self.width * self.height

    @property
    def bytes_in(self) -> float:
        return self.pixels * 0.01

    @property
    def bytes_out(self) -> float:
        return 4 * self.pixels * 0.00625

    def segments(self, costs: Costs) -> list[float]:
        """Seconds of each."""
        length = GOP * max(1, int(WORK / costs.pixel / self.pixels / GOP))
        margin = costs.begin + SEEK_MARGIN * self.rate * self.pixels * costs.decode
        counts = [length] * (self.pictures // length) + ([self.pictures % length] if self.pictures % length else [])
        return [margin + count * self.pixels * costs.pixel for count in counts]

    def joining(self, costs: Costs) -> float:
        """Packets are read, written, and read back."""
        return self.pictures * (costs.join + 3 * self.bytes_out / costs.lane)


@dataclass(frozen=True)
class Outcome:
    """Seconds, and shares of the whole time (0..1) of what may bound it."""

    makespan: float
    idle: float
    storage: float
    driver: float
    join: float
    piece: float

    @property
    def next(self) -> str:
        """What comes in the way when workers become more."""
        shares = {"storage": self.storage, "driver": self.driver, "join": self.join, "few segments": self.piece}
        return max(shares, key=lambda name: shares[name])


def simulate(
    films: Sequence[tuple[list[float], float]], workers: int, jobs: int, dispatch: float
) -> tuple[float, float]:
    """List scheduling: films in order, ``jobs`` at a time, whose segments go to whoever is free.

    Args:
        films: (seconds of each segment, seconds of the joining).
        workers, jobs, dispatch: see the module.

    Returns:
        (makespan, busy seconds of all workers).
    """
    waiting, ready, left = deque(enumerate(films)), deque[tuple[int, float]](), {}
    events: list[tuple[float, int, str]] = []
    free, now, dealt, open_, busy = workers, 0.0, 0.0, 0, 0.0
    while waiting or events or ready:
        while waiting and open_ < jobs:
            number, (segments, _) = waiting.popleft()
            ready.extend((number, seconds) for seconds in segments)
            left[number], open_ = len(segments), open_ + 1
        while ready and free:
            number, seconds = ready.popleft()
            dealt, free, busy = max(dealt, now) + dispatch, free - 1, busy + seconds
            heapq.heappush(events, (dealt + seconds, number, "segment"))
        now, number, kind = heapq.heappop(events)
        if kind == "joined":
            open_ -= 1
            continue
        free += 1
        left[number] -= 1
        if not left[number]:
            heapq.heappush(events, (now + films[number][1], number, "joined"))
    return now, busy


def outcome(films: Sequence[Film], workers: int, costs: Costs, jobs: int) -> Outcome:
    """What the films take."""
    work = [(film.segments(costs), film.joining(costs)) for film in films]
    seconds, busy = simulate(work, workers, jobs, costs.dispatch)
    moved = sum(film.pictures * (film.bytes_in * 1.2 + 4 * film.bytes_out) for film in films)
    makespan = max(seconds, moved / costs.storage)
    return Outcome(
        makespan=makespan,
        idle=1 - busy / workers / makespan,
        storage=moved / costs.storage / makespan,
        driver=sum(len(segments) for segments, _ in work) * costs.dispatch / makespan,
        join=sum(join for _, join in work) / min(jobs, len(films)) / makespan,
        piece=max(max(segments) for segments, _ in work) / makespan,
    )


def archive() -> list[Film]:
    """A thousand films of 2 to 40 minutes, always the same."""
    lengths = random.Random(1)  # noqa: S311 (no secret)
    return [Film(24 * 60 * lengths.randint(2, 40), 1280, 720) for _ in range(1000)]


def print_table(title: str, films: Sequence[Film], costs: Costs, jobs: int) -> list[Outcome]:
    """One line for each number of workers."""
    print(f"\n{title}, {1 / costs.pixel:.3g} source pixels a second and worker")
    print("workers     makespan   speed-up   idle   storage   driver    join  1 segment  worker-hours   next")
    found = [outcome(films, workers, costs, jobs) for workers in WORKERS]
    for workers, o in zip(WORKERS, found, strict=True):
        shares = f"{o.idle:6.1%} {o.storage:8.1%} {o.driver:8.2%} {o.join:8.2%} {o.piece:8.2%}"
        print(
            f"{workers:7} {o.makespan / 3600:10.2f} h {found[0].makespan / o.makespan:9.1f} {shares} "
            f"{workers * o.makespan / 3600:13.1f}   {o.next}"
        )
    return found


def plot(path: Path, tables: dict[str, list[Outcome]]) -> None:
    """Makespan over workers."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.add_subplot()
    for title, found in tables.items():
        axes.loglog(WORKERS, [o.makespan / 3600 for o in found], "o-", label=title)
    axes.set(xlabel="workers", ylabel="hours", xticks=WORKERS, xticklabels=map(str, WORKERS))
    axes.grid(alpha=0.3)
    axes.legend(fontsize="small")
    figure.savefig(path, dpi=120)
    print(f"wrote {path}")


def cost_of_a_pixel() -> float:
    """Of the bundled network here, x2."""
    upscaler = Upscaler(scale=2)
    plan = upscaler.plan(640, 360)
    return upscaler.estimate_seconds(plan) / (640 * 360)


def main() -> None:
    """Prints all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pixels-per-second", type=float, metavar="N", help="of one worker; default: measured here")
    parser.add_argument("--jobs", type=int, default=64, help="films at a time, as of batch --jobs (default 64)")
    parser.add_argument("--plot", type=Path, metavar="PNG")
    args = parser.parse_args()
    here = 1 / args.pixels_per_second if args.pixels_per_second else cost_of_a_pixel()
    kinds = {"given" if args.pixels_per_second else "this machine": here, "GPU (assumed)": 1 / ASSUMED_GPU}
    tables = {}
    for kind, pixel in kinds.items():
        for what, films in {"1,000 files": archive(), "one 2-hour film": [Film(24 * 7200)]}.items():
            tables[f"{what}, {kind}"] = print_table(f"{what}, {kind}", films, Costs(pixel), args.jobs)
    if args.plot:
        plot(args.plot, tables)


if __name__ == "__main__":
    main()
