"""What reuse gains where pictures stand still, and what it costs where nothing does.

Every source is enlarged with ``reuse`` off and exact in turn; medians, one machine, the time a frame.
Made sources: *screen*, a still 1280x720 desktop of which a corner of 100x100 pixels changes in every
frame; *twos*, an animation whose drawings all stand for two frames; *still*, one picture; *moving*,
noise. Files go through the whole job, decoder, encoder and check included.

    python benchmarks/reuse.py [screen twos still moving FILE ...] [--frames 12] [--rounds 3] [--engine torch]

``--frames OFF:EXACT`` takes fewer frames for the slow side, where a still picture would take an hour.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Literal

import numpy as np

from rfdn_video import Color, Frame, PixelFormat, Upscaler, upscale_video
from rfdn_video.frame import Matrix

WIDTH, HEIGHT, CORNER = 1280, 720, 100
LAYOUT = PixelFormat("yuv", 8, 1, 1)

type Reuse = Literal["exact", "off"]


def main() -> None:
    """Prints a line a source."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sources", nargs="*", default=[*SCENES])
    parser.add_argument("--frames", default="12", metavar="N|OFF:EXACT")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--engine", default="torch")
    args = parser.parse_args()
    off, _, exact = args.frames.partition(":")
    counts: dict[Reuse, int] = {"off": int(off), "exact": int(exact or off)}
    for source in args.sources:
        times: dict[Reuse, list[float]] = {"off": [], "exact": []}
        for _ in range(args.rounds):
            for reuse, taken in times.items():
                seconds, share = _measure(source, reuse, counts[reuse], args.engine)
                taken.append(seconds / counts[reuse])
        without, with_it = (statistics.median(taken) for taken in times.values())
        print(
            f"{Path(source).name:>28}  off {without:7.3f}  exact {with_it:7.3f} s a frame  "
            f"{without / with_it:6.2f} times as fast, {share:.0%} of the rows copied",
            flush=True,
        )


def _measure(source: str, reuse: Reuse, count: int, engine: str) -> tuple[float, float]:
    """Seconds, and the share of rows that were copied."""
    if source not in SCENES:
        with tempfile.TemporaryDirectory() as folder:
            output = Path(folder) / "out.mkv"
            done = upscale_video(source, output, frames=count, scale=2, reuse=reuse, engine=engine, audio="none")
        return done.seconds, done.copied_share
    upscaler = Upscaler(scale=2, reuse=reuse, engine=engine)
    frames = list(SCENES[source](count))
    begin = time.perf_counter()
    for _ in upscaler.stream(frames):
        pass
    return time.perf_counter() - begin, upscaler.tally.copied_share


def _screen(count: int) -> Iterator[Frame]:
    planes = _drawing(0)
    for index in range(count):
        planes[0][:CORNER, :CORNER] = np.random.default_rng(index).integers(16, 236, (CORNER, CORNER))
        yield _frame(planes, index)


def _twos(count: int) -> Iterator[Frame]:
    for index in range(count):
        yield _frame(_drawing(index // 2), index)


def _still(count: int) -> Iterator[Frame]:
    for index in range(count):
        yield _frame(_drawing(0), index)


def _moving(count: int) -> Iterator[Frame]:
    for index in range(count):
        yield _frame(_drawing(index), index)


SCENES: dict[str, Callable[[int], Iterator[Frame]]] = {
    "screen": _screen,
    "twos": _twos,
    "still": _still,
    "moving": _moving,
}


def _drawing(seed: int) -> list[np.ndarray]:
    """Lines and areas: blocks of one value each."""
    generator = np.random.default_rng(seed)
    blocks = (generator.integers(16, 236, (h // 4, w // 4)) for h, w in LAYOUT.plane_sizes(WIDTH, HEIGHT))
    return [block.astype(np.uint8).repeat(4, 0).repeat(4, 1) for block in blocks]


def _frame(planes: list[np.ndarray], index: int) -> Frame:
    copies = tuple(plane.copy() for plane in planes)
    return Frame(copies, LAYOUT, Color(Matrix.BT709), index, 1, Fraction(1, 25))


if __name__ == "__main__":
    main()
