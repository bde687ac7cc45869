"""``rfdn-video bench``: frames a second of every stage and of the whole here, and the settings that suit."""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from dataclasses import replace
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from rfdn_video.cli.models import parse_size
from rfdn_video.cli.options import add_weights_arguments, parse_scale, parse_tile
from rfdn_video.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rfdn_video.bench.choices import Choice
    from rfdn_video.bench.measure import Report
    from rfdn_video.inference.upscaler import Upscaler
    from rfdn_video.pipeline import Job
    from rfdn_video.settings import Tile

__all__ = ["add_arguments", "execute"]

SIZE = "640x360"
CLIP_FRAMES = 24
PRECISIONS = ("fp32", "fp16", "bf16")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the options of the command."""
    parser.add_argument("input", nargs="?", type=Path, metavar="INPUT", help="a video (default: one is made)")
    parser.add_argument("--size", metavar="WxH", help=f"of the video that is made, even numbers (default: {SIZE})")
    parser.add_argument("--seconds", type=float, default=60.0, metavar="T", help="take about so long (default: 60)")
    parser.add_argument("-s", "--scale", type=parse_scale, metavar="S", help="factor (default: 2)")
    add_weights_arguments(parser)
    compared = parser.add_argument_group("compared; the first one given is the base")
    compared.add_argument("--engine", nargs="+", metavar="E", help="default: those that are installed")
    compared.add_argument("--precision", nargs="+", choices=PRECISIONS, help="default: all that the device can")
    compared.add_argument(
        "--tile", nargs="+", type=parse_tile, metavar="auto|off|ROWS", help="default: auto, off, half and twice of auto"
    )
    compared.add_argument("--threads", nargs="+", type=int, metavar="N", help="of torch on a CPU (default: all, half)")
    parser.add_argument("--json", action="store_true", help="as one JSON object")
    parser.add_argument("-v", "--verbose", action="store_true", help="tracebacks")


def execute(args: argparse.Namespace) -> int:
    """Measures and prints."""
    _check(args)
    from rfdn_video.bench.choices import open_choices
    from rfdn_video.bench.measure import measure
    from rfdn_video.cli.bench_report import as_record, as_text
    from rfdn_video.cli.signals import interruptible
    from rfdn_video.inference.vectors import suit_vectors

    narrow = suit_vectors(args.precision or ["fp32"])
    with interruptible(), tempfile.TemporaryDirectory() as folder:
        job = _prepare(args, Path(folder))
        video = job.files.info.video
        choices = list(_choices(job, args))
        size, scale = (video.width, video.height), args.scale or Fraction(2)
        make = partial(_upscaler, job, scale, choices[0], narrow)
        opened, refused = open_choices(choices, make, size)
        report = measure(job, opened, args.seconds, lambda step: print(step, file=sys.stderr, flush=True))
    report = replace(report, left_out={**refused, **report.left_out})
    record = as_record(job, report, args.input, _command(args, choices[0], report))
    print(json.dumps(record) if args.json else as_text(record))
    return 0


def _check(args: argparse.Namespace) -> None:
    if args.input is not None and args.size is not None:
        raise UsageError("--size is of the video that is made; leave it away with an INPUT")
    if args.input is not None and args.input.suffix.lower() == ".vpy":
        raise UsageError(f"{args.input}: a script's own work would be measured; give a video")
    if not 1 <= args.seconds <= 86400:
        raise UsageError(f"--seconds {args.seconds:g}: 1 or more are allowed")
    if any(not 1 <= count <= 1024 for count in args.threads or ()):
        raise UsageError("--threads: 1 to 1024 are allowed")


def _prepare(args: argparse.Namespace, folder: Path) -> Job:
    """The job as it would be without further options: the base."""
    from rfdn_video.bench.clip import make_clip
    from rfdn_video.pipeline import prepare
    from rfdn_video.settings import Settings

    names = ("scale", "model", "tune", "weights", "device")
    given = {name: value for name in names if (value := getattr(args, name)) is not None}
    given |= {name: values[0] for name in ("engine", "precision", "tile") if (values := getattr(args, name))}
    settings, source = Settings(**given), args.input
    if source is None:
        width, height = parse_size(args.size or SIZE)
        if width % 2 or height % 2:
            raise UsageError(f"size {width}x{height}: even numbers are needed for the video that is made")
        source = folder / "clip.mp4"
        make_clip(source, width, height, CLIP_FRAMES)
    return prepare(source, str(folder), settings)


def _choices(job: Job, args: argparse.Namespace) -> Iterator[Choice]:
    from rfdn_video.bench.choices import Choice, variations
    from rfdn_video.inference.device import PRECISIONS as FORMATS

    upscaler = job.upscaler
    precision = next(name for name, dtype in FORMATS.items() if dtype is upscaler.precision)
    base = Choice(upscaler.engine, precision, args.tile[0] if args.tile else "auto")
    on_cpu = upscaler.device.type == "cpu"
    engines = args.engine or (("torch", "winograd", "openvino") if on_cpu else ("torch",))
    threads = args.threads or (_half_of_the_cores() if on_cpu else ())
    yield from variations(base, engines, args.precision or PRECISIONS, args.tile or _tiles(job), threads)


def _half_of_the_cores() -> tuple[int, ...]:
    cores = os.cpu_count() or 1
    return (cores // 2,) if cores > 1 else ()


def _tiles(job: Job) -> tuple[Tile, ...]:
    """Around the bands that a job takes by itself."""
    from rfdn_video.bench.choices import automatic_band

    video = job.files.info.video
    band = automatic_band(job.upscaler, video.width, video.height)
    return ("off", band // 2, 2 * band) if band else ("off", max(1, video.height // 8))


def _upscaler(job: Job, scale: Fraction, base: Choice, narrow: bool, choice: Choice) -> Upscaler:
    from rfdn_video.inference.upscaler import Upscaler

    if replace(choice, threads=None) == base:
        return job.upscaler
    if narrow and choice.precision == "bf16":
        raise UsageError("needs wider vectors than suit fp32 on this CPU; measure it by itself: --precision bf16")
    return Upscaler(
        scale=scale,
        weights=job.upscaler.weights,
        device=str(job.upscaler.device),
        precision=choice.precision,
        engine=choice.engine,
        tile=choice.tile,
    )


def _command(args: argparse.Namespace, base: Choice, report: Report) -> list[str]:
    """What to type."""
    best = report.advice.choice
    words = [f"OMP_NUM_THREADS={best.threads}"] if best.threads else []
    words += ["rfdn-video", "INPUT.mp4" if args.input is None else str(args.input)]
    for name in ("scale", "model", "tune", "weights", "device"):
        if (value := getattr(args, name)) is not None:
            words += [f"--{name}", str(value)]
    for name in ("engine", "precision", "tile"):
        if getattr(args, name) or getattr(best, name) != getattr(base, name):
            words += [f"--{name}", str(getattr(best, name))]
    return words
