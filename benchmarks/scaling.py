"""Time a pixel and memory of the network, whole frames against bands, over frame sizes.

Every measurement has a process of its own, so that its peak memory is its own: the resident set at
its peak less that after importing torch. Whole frames and bands take turns; medians.

    python benchmarks/scaling.py [--sizes 320x180 1280x720] [--tiles off auto 16 64] [--rounds 3] [--engine torch]
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time

MEGABYTE = 1 << 20


def main() -> None:
    """Prints a table and the ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", nargs="+", default=["160x90", "640x360", "1280x720"], metavar="WxH")
    parser.add_argument("--tiles", nargs="+", default=["off", "auto"], metavar="auto|off|ROWS")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--engine", default="torch")
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.one:
        print(json.dumps(_measure(args.sizes[0], args.tiles[0], args.engine)))
        return
    print(f"{'size':>10} {'tile':>6} {'us/pixel':>9} {'peak MB':>8}   against the first tile: time, memory")
    for size in args.sizes:
        figures: dict[str, list[dict[str, float]]] = {tile: [] for tile in args.tiles}
        for _ in range(args.rounds):
            for tile, found in figures.items():
                found.append(_in_a_process(size, tile, args.engine))
        base: dict[str, float] = {}
        for tile, found in figures.items():
            middle = {key: statistics.median(f[key] for f in found) for key in found[0]}
            base = base or middle
            print(
                f"{size:>10} {tile:>6} {middle['us']:9.2f} {middle['mb']:8.0f}   "
                f"{base['us'] / middle['us']:.2f} times as fast, {middle['mb'] / base['mb']:.2f} of the memory",
                flush=True,
            )


def _in_a_process(size: str, tile: str, engine: str) -> dict[str, float]:
    command = [sys.executable, __file__, "--one", "--sizes", size, "--tiles", tile, "--engine", engine]
    result: dict[str, float] = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    return result


def _measure(size: str, tile: str, engine: str) -> dict[str, float]:
    """One picture to warm up, the next is timed."""
    import torch

    from rfdn_video import Upscaler

    width, height = map(int, size.split("x"))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    upscaler = Upscaler(scale=2, tile=int(tile) if tile.isdecimal() else tile, engine=engine)  # type: ignore[arg-type]
    picture = torch.rand(3, height, width, device=upscaler.device)
    for _ in range(2):
        begin = time.perf_counter()
        upscaler(picture).mean().item()  # .item() waits for the device
        seconds = time.perf_counter() - begin
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {"us": seconds * 1e6 / (width * height), "mb": (peak - before) * 1024 / MEGABYTE}


if __name__ == "__main__":
    main()
