"""The model of cluster.py against real work: a film by the bundled network on Ray clusters of 1 and 2 workers here.

    python benchmarks/cluster_run.py [--rounds N] [--workers N ...]

Each worker has one processor. What the model goes by is measured before and after each run, by the workers' clocks
while they do a shorter film; the median of --rounds must be within 15 %. It says little while the machine does
something else.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import astuple, dataclass
from pathlib import Path
from statistics import mean, median

import ray
from cluster import Costs, simulate

from rfdn_video.cluster.connect import Share
from rfdn_video.cluster.film import enlarge_on_cluster, plan_on_cluster
from rfdn_video.cluster.order import Order
from rfdn_video.cluster.scheduling import Crew
from rfdn_video.cluster.segment import make_segment
from rfdn_video.cluster.spans import Span
from rfdn_video.settings import Settings

WIDTH, HEIGHT = 160, 96  # of the film
SEGMENTS, LENGTH = 10, 16  # of it, and pictures in each


@dataclass(frozen=True)
class Measured:
    """Seconds: of a segment beside its pictures, of its pictures, of the driver for a film, of joining a picture."""

    begin: float
    pictures: float
    film: float
    join: float


def check(folder: Path, workers: int, rounds: int) -> float:
    """Does the film on so many workers; the median of how far the model is off, as a share."""
    ray.init("local", num_cpus=workers, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    film = _clip(folder, SEGMENTS * LENGTH)
    _stages(_clip(folder, 2 * workers * LENGTH), workers)  # each loads its libraries
    errors = []
    for _ in range(rounds):
        before = measure(folder, workers)
        took = sum(_stages(film, workers).values())
        costs = _mean(before, measure(folder, workers))
        work = [([costs.begin + costs.pictures] * SEGMENTS, costs.film + SEGMENTS * LENGTH * costs.join)]
        predicted, _ = simulate(work, workers, 1, Costs.dispatch)
        errors.append(predicted / took - 1)
        print(
            f"{workers} workers, {SEGMENTS} segments of {LENGTH} pictures: measured {took:.2f} s, simulated "
            f"{predicted:.2f} s ({errors[-1]:+.1%}), "
            f"{LENGTH * WIDTH * HEIGHT / costs.pictures:.3g} source pixels a second and worker; a film costs "
            f"{costs.film:.2f} s, a segment {costs.begin:.2f} s beside its pictures, joining a picture "
            f"{costs.join * 1e6:.0f} us",
            flush=True,
        )
    ray.shutdown()
    return median(errors)


def measure(folder: Path, workers: int) -> Measured:
    """By the clocks of workers that make two segments each of a shorter film; what else it takes is the driver's."""
    film = _clip(folder, 2 * workers * LENGTH)
    stages = _stages(film, workers)
    times = [json.loads(path.read_text()) for path in folder.glob("*.seconds")]
    begin, pictures = (mean(column) for column in zip(*times, strict=True))
    driver = stages["segments"] - 2 * (begin + pictures)
    join = stages["join"] / (2 * workers * LENGTH)
    return Measured(begin, pictures, max(0.0, driver), join)


def _clocked(order: Order, span: Span, report: Callable[[int, int], None]) -> None:
    """A worker that leaves beside the output how long its segment took: all but its pictures, and them."""
    start, marks = time.monotonic(), list[float]()

    def note(frames: int, skipped: int) -> None:
        if frames:
            marks.append(time.monotonic())
        report(frames, skipped)

    make_segment(order, span, note)
    pictures = (marks[-1] - marks[0]) * len(marks) / (len(marks) - 1)
    path = order.output.with_name(f"{span.number}.seconds")
    path.write_text(json.dumps([time.monotonic() - start - pictures, pictures]))


def _mean(one: Measured, other: Measured) -> Measured:
    """What is measured before and after a run stands for the time of the run."""
    return Measured(*(mean(pair) for pair in zip(astuple(one), astuple(other), strict=True)))


def _clip(folder: Path, pictures: int) -> Path:
    path = folder / f"{pictures}.mkv"
    if not path.exists():
        lavfi = ["-f", "lavfi", "-i", f"testsrc2=size={WIDTH}x{HEIGHT}:rate=25", "-frames:v", str(pictures)]
        subprocess.run(["ffmpeg", "-v", "error", *lavfi, "-c:v", "libx264", "-g", "12", path], check=True)
    return path


def _stages(source: Path, workers: int) -> dict[str, float]:
    """Seconds in which segments were made, and joined."""
    settings = Settings(
        device="cpu", engine="torch", encoder="ffv1", reuse="off", segment_frames=LENGTH, overwrite=True
    )
    for path in source.parent.glob("*.seconds"):
        path.unlink()
    files = plan_on_cluster(source, f"{source.with_suffix('')}_x2.mkv", settings)
    crew = Crew(Share(1, 0, "cpu", workers), 0, make=_clocked)
    summary = enlarge_on_cluster(files, settings, "cpu", crew, lambda _: None)
    return {stage.name: stage.worked for stage in summary.stages if stage.name != "verify"}


def main() -> None:
    """Prints all.

    Raises:
        SystemExit: the model is more than 15 % off.
    """
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=1, metavar="N", help="runs, whose median counts (default 1)")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2], metavar="N", help="default: 1 2")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        errors = {workers: check(Path(folder), workers, args.rounds) for workers in args.workers}
    if any(abs(error) > 0.15 for error in errors.values()):
        raise SystemExit("the model is not within 15 % of the runs; is the machine doing something else?")


if __name__ == "__main__":
    main()
