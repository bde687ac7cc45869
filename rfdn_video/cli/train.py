"""``rfdn-video train``: trains a network of the paper on images and videos."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from rfdn_video.cli.console import warn
from rfdn_video.cli.signals import interruptible
from rfdn_video.errors import InputError, Interrupted, OutputError, UsageError

if TYPE_CHECKING:
    from rfdn_video.training.distributed import Process
    from rfdn_video.training.journal import Journal
    from rfdn_video.training.run import Run
    from rfdn_video.training.train import Trainer

__all__ = ["add_arguments", "execute", "run_trainer", "show_prepared"]

RECIPE = "e-rfdn-cpu"
DECIDED = {
    "data": "the data",
    "output": "-o",
    "recipe": "--recipe",
    "model": "--model",
    "scale": "--scale",
    "ratio": "--ratio",
    "seed": "--seed",
    "start": "--start",
    "from_scratch": "--from-scratch",
    "validate": "--validate",
    "cache": "--cache",
}
"""What a training that is gone on with has from its folder: argument -> its name in messages."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the options of the command."""
    parser.add_argument("data", nargs="*", type=Path, help="images, videos, and folders of them")
    parser.add_argument("-o", "--output", type=Path, metavar="FOLDER", help="takes checkpoints, weights and plots")
    parser.add_argument("--resume", type=Path, metavar="FOLDER", help="go on with the training in this folder")
    parser.add_argument("-r", "--recipe", help=f"a bundled recipe, or a .toml file (default: {RECIPE})")
    parser.add_argument("-m", "--model", help="a network other than the recipe's")
    parser.add_argument("-s", "--scale", type=int, choices=(2, 3, 4), help="a scale other than the recipe's")
    parser.add_argument("--ratio", type=float, help="distilled channels over channels")
    parser.add_argument("--seed", type=int, help="another seed than the recipe's")
    start = parser.add_mutually_exclusive_group()
    start.add_argument("--start", metavar="FILE", help='weights to start from, or "bundled"')
    start.add_argument(
        "--from-scratch", action="store_true", default=None, help="start from random weights in any case"
    )
    parser.add_argument("--validate", type=Path, metavar="FOLDER", help="images to measure PSNR on now and then")
    parser.add_argument("--cache", type=Path, metavar="FOLDER", help="keeps prepared data (default: OUTPUT/cache)")
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda")
    parser.add_argument("--threads", type=int, help="CPU threads for the network")
    parser.add_argument("--no-plots", action="store_true", help="no TensorBoard events and no PNG plots")


def execute(args: argparse.Namespace) -> int:
    """Trains to the recipe's end; a signal stops it where it can go on exactly."""
    from rfdn_video.training.device import pick_device
    from rfdn_video.training.journal import check_plots
    from rfdn_video.training.run import load_run, open_trainer

    folder = _check(args)
    device = pick_device(args.device, args.threads)
    if not args.no_plots:
        check_plots()
    if args.resume:
        run = load_run(folder)
    else:
        run = _new_run(args, folder)
        if _is_first():
            run.save(folder)
    resume = f"rfdn-video train --resume {folder}"
    with interruptible(f"go on with: {resume}"), open_trainer(run, folder, device, show_prepared) as trainer:
        run_trainer(trainer, folder, resume, plots=not args.no_plots)
    return 0


def _check(args: argparse.Namespace) -> Path:
    if args.resume:
        if given := [option for name, option in DECIDED.items() if getattr(args, name) not in (None, [])]:
            raise UsageError(f"--resume takes {', '.join(given)} from the training itself; leave them away")
        return Path(args.resume)
    if not args.data or not args.output:
        raise UsageError("give what to train on and a folder with -o, or --resume FOLDER to go on with a training")
    return Path(args.output)


def _new_run(args: argparse.Namespace, folder: Path) -> Run:
    from rfdn_video.training.recipe import load_recipe
    from rfdn_video.training.run import Run

    given = {"network": args.model, "scale": args.scale, "ratio": args.ratio, "seed": args.seed}
    overrides: dict[str, Any] = {key: value for key, value in given.items() if value is not None}
    if args.from_scratch:
        overrides |= {"starts_from": 0, "fine_tunes": False}
    return Run(
        recipe=load_recipe(args.recipe or RECIPE, overrides),
        data=tuple(args.data),
        validation=args.validate,
        start=args.start,
        cache=args.cache or folder / "cache",
    )


def _is_first() -> bool:
    return int(os.environ.get("RANK", "0")) == 0


def show_prepared(count: int) -> None:
    """Shows how many pairs there are so far."""
    if count % 50 == 0:
        print(f"\rpreparing training pairs: {count}", end="", file=sys.stderr, flush=True)


def run_trainer(trainer: Trainer, folder: Path, resume: str, plots: bool) -> None:
    """Trains to the end, with a progress bar, a log and plots.

    Args:
        resume: the command line that goes on after a stop.

    Raises:
        Interrupted: a signal came; the checkpoint is written.
        InputError, OutputError: an image to validate on cannot be read any more, or something cannot be
            written. So is the checkpoint then, if it can.
        ModelError: the training diverged.
    """
    if trainer.process.rank:
        with _stop_signals(trainer.process) as stopped:
            any(stopped(report.step) for report in trainer)
        return
    from rfdn_video.training.journal import Journal

    if trainer.step == 0:
        trainer.save()  # from now on there is something to go on from
    with Journal(folder, trainer.reported, plots, warn) as journal, _stop_signals(trainer.process) as stopped:
        try:
            code = _follow(trainer, journal, stopped)
        except (InputError, OutputError):
            trainer.save()  # what was learnt since the last checkpoint
            raise
        if code:
            trainer.save()
            raise Interrupted(f"stopped after step {trainer.step}; go on with: {resume}", code)
    best = f", best {trainer.best:.2f} dB" if trainer.validation else ""
    print(f"{folder / 'last.safetensors'}: {trainer.step} steps{best}")


def _follow(trainer: Trainer, journal: Journal, stopped: Callable[[int], int]) -> int:
    """Trains until the end (gives 0) or a signal (gives its exit code)."""
    from tqdm import tqdm

    from rfdn_video.training.evaluate import network_enlarger

    recipe = trainer.learner.recipe
    shown: dict[str, str] = {}
    with tqdm(total=recipe.steps, initial=trainer.reported, unit="step", dynamic_ncols=True) as bar:
        for report in trainer:
            bar.update()
            journal.add(report)
            if report.loss is not None:
                shown |= {"loss": f"{report.loss:.4f}", "waiting": f"{report.waiting:.1%}"}
            if report.psnr_y is not None:
                shown["psnr"] = f"{report.psnr_y:.2f}"
                network = network_enlarger(
                    trainer.learner.averaged(), trainer.learner.pixel_range, trainer.learner.device
                )
                journal.show(trainer.validation[0], recipe.scale, network, report.step)
            bar.set_postfix(shown, refresh=False)
            if code := stopped(report.step):
                return code
    return 0


@contextmanager
def _stop_signals(process: Process) -> Iterator[Callable[[int], int]]:
    """Yields a function that tells, after a step, the exit code of the signal that came, or 0.

    A step is not cut short: what is saved must be what a training without a stop would have had.
    Several processes stop at the same step, or one would wait for the others forever.
    """
    code = 0

    def note(number: int, _frame: FrameType | None) -> None:
        nonlocal code
        code = 128 + number

    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}

    def stopped(step: int) -> int:
        if process.world == 1:
            return code
        return process.maximum(code) if step % 10 == 0 else 0

    try:
        yield stopped
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
