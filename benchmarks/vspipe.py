"""Throughput of the VapourSynth filter through vspipe, against the command line's on the same clip.

Both write y4m into nothing. Each is run over few and over many frames, and the difference counts, so
that neither start-up nor the loading of weights does; in turn, medians. 1.00 is parity.

    python benchmarks/vspipe.py [CLIP] [--frames 16] [--rounds 3] [--streams N]
                                [--peer SCRIPT --peer-vspipe PROGRAM]

--peer compares with another filter too, such as vs-mlrt's, perhaps of another environment: a script that
takes ``source`` and ``frames`` as arguments.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

DEMO_CLIP = Path(__file__).parents[1] / "demo" / "clip.mp4"
FEW = 2

FILTER = """
import vapoursynth as vs
from vsrfdn import rfdn
clip = vs.core.bs.VideoSource(source, cachemode=0)[: int(frames)]
rfdn(clip, scale=2, num_streams=int(streams) or None).set_output()
"""


def main() -> None:
    """Prints the speeds and their ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clip", nargs="?", type=Path, default=DEMO_CLIP)
    parser.add_argument("--frames", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--streams", type=int, default=0, help="num_streams (default: the filter's own)")
    parser.add_argument("--peer", type=Path, help="script of another filter")
    parser.add_argument("--peer-vspipe", default="vspipe", help="vspipe of the environment that has it")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "filter.vpy"
        script.write_text(FILTER, encoding="utf-8")
        own_vspipe = str(Path(sys.executable).with_name("vspipe"))
        sides: dict[str, Callable[[int], list[str]]] = {
            "rfdn-video": lambda n: command_line(args.clip, n),
            "vspipe": lambda n: vspipe(own_vspipe, script, args.clip, n, f"streams={args.streams}"),
        }
        if args.peer is not None:
            sides["peer"] = lambda n: vspipe(args.peer_vspipe, args.peer, args.clip, n)
        speeds = measure(sides, args.frames, args.rounds)
    print(f"{args.clip.name}, {args.frames} frames, medians of {args.rounds}")
    for name, speed in speeds.items():
        print(f"{name:<12} {speed:8.2f} frames/s   vspipe is {speeds['vspipe'] / speed:.2f} of it")


def measure(sides: dict[str, Callable[[int], list[str]]], frames: int, rounds: int) -> dict[str, float]:
    """Frames a second of each, start-up left out."""
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(rounds):
        for name, command in sides.items():
            few, many = (run(command(n)) for n in (FEW, FEW + frames))
            seconds[name].append(many - few)
    return {name: frames / statistics.median(times) for name, times in seconds.items()}


def command_line(clip: Path, frames: int) -> list[str]:
    """The main job into standard output."""
    options = ["-s", "2", "--tune", "video", "-o", "-", "--container", "y4m", "--frames", str(frames)]
    return [sys.executable, "-m", "rfdn_video", str(clip), *options]


def vspipe(program: str, script: Path, clip: Path, frames: int, *arguments: str) -> list[str]:
    """A script into standard output."""
    given = [f"source={clip.absolute()}", f"frames={frames}", *arguments]
    return [program, "-c", "y4m", *(word for value in given for word in ("-a", value)), str(script), "-"]


def run(command: list[str]) -> float:
    """Seconds that it takes."""
    path = os.pathsep.join([str(Path(command[0]).parent), os.environ["PATH"]])
    begin = time.perf_counter()
    done = subprocess.run(
        command, env=os.environ | {"PATH": path}, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    if done.returncode:
        sys.exit(f"{' '.join(command)}\n{done.stderr}")
    return time.perf_counter() - begin


if __name__ == "__main__":
    main()
