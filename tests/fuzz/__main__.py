"""``make fuzz``: harmed files until time or count is over; failures are saved, ``--replay NAME`` does one again."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.fuzz.case import make_case
from tests.fuzz.samples import make_samples
from tests.fuzz.worker import Worker


def main() -> int:
    """Gives 1 where a case failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--count", type=int, default=1 << 62)
    parser.add_argument("--seed", default=str(int.from_bytes(os.urandom(4))))
    parser.add_argument("--first", type=int, default=0, help="number of the first case")
    parser.add_argument("--save", type=Path, default=Path("fuzz-failures"), help="folder for files that fail")
    parser.add_argument("--replay", metavar="SEED:NUMBER", help="run this case only")
    args = parser.parse_args()
    if args.replay:
        args.seed, _, number = args.replay.rpartition(":")
        args.first, args.count = int(number), 1
    print(f"seed {args.seed}, up to {args.seconds:g} s; one case again: --replay {args.seed}:NUMBER", flush=True)
    with tempfile.TemporaryDirectory(prefix="rfdn-fuzz-") as folder:
        return _fuzz(args, Path(folder))


def _fuzz(args: argparse.Namespace, folder: Path) -> int:
    samples = make_samples(folder / "samples")
    worker, place = Worker(folder / "work", samples), folder / "work"
    codes: Counter[int] = Counter()
    failures, highest, slowest, started = 0, 0, 0.0, time.monotonic()
    for number in range(args.first, args.first + args.count):
        if time.monotonic() - started > args.seconds:
            break
        case = make_case(samples, f"{args.seed}:{number}", place)
        verdict = worker.run(case)
        codes[verdict.code] += 1
        highest, slowest = max(highest, verdict.memory), max(slowest, verdict.seconds)
        if verdict.failure or args.replay:
            failures += bool(verdict.failure)
            args.save.mkdir(parents=True, exist_ok=True)
            saved = args.save / f"{args.seed}-{number}-{case.name}"
            saved.write_bytes(case.harmed)
            print(f"{args.seed}:{number} {case.name} {' '.join(case.arguments)}: code {verdict.code} {verdict.failure}")
            print(f"  saved as {saved}", flush=True)
    worker.close()
    print(
        f"{sum(codes.values())} cases, {failures} failures; exit codes {dict(sorted(codes.items()))}; "
        f"at most {highest >> 20} MiB and {slowest:.1f} s"
    )
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
