"""``rfdn-video study``: trains the paper's comparisons under one schedule; writes their tables and figures."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rfdn_video.cli.signals import interruptible
from rfdn_video.cli.train import run_trainer, show_prepared
from rfdn_video.errors import UsageError

if TYPE_CHECKING:
    import torch

    from rfdn_video.training.recipe import Recipe
    from rfdn_video.training.study import Finding, Trial

__all__ = ["add_arguments", "execute"]

RESUME = "the same command"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the options of the command."""
    parser.add_argument("data", nargs="+", type=Path, help="images, videos, and folders of them to train on")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FOLDER", help="tables, and the trainings")
    parser.add_argument(
        "--validate", type=Path, nargs="+", required=True, metavar="FOLDER", help="test sets for the tables"
    )
    parser.add_argument("-r", "--recipe", default="study", help="the schedule: a bundled recipe or a .toml file")
    parser.add_argument("-s", "--scale", type=int, choices=(2, 3, 4), help="a scale other than the recipe's")
    parser.add_argument("--steps", type=int, help="length of a one-stage schedule, instead of the recipe's")
    parser.add_argument("--cache", type=Path, metavar="FOLDER", help="keeps prepared data (default: OUTPUT/cache)")
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda")
    parser.add_argument("--threads", type=int, help="CPU threads for the networks")
    parser.add_argument("--no-plots", action="store_true", help="no TensorBoard events and no PNG plots")


def execute(args: argparse.Namespace) -> int:
    """Trains what is not trained yet, then writes everything."""
    from rfdn_video.training.device import pick_device
    from rfdn_video.training.journal import check_plots
    from rfdn_video.training.run import check_validation
    from rfdn_video.training.study import TRIALS, write_study

    recipe = _schedule(args)
    device = pick_device(args.device, args.threads)
    _check_names(args.validate)
    if not args.no_plots:
        check_plots()
    for test_set in args.validate:  # all of them, before the hours that the first network takes
        check_validation(test_set, recipe.scale)
    findings = []
    for trial in TRIALS:
        print(f"{trial.name}: {trial.network}, {recipe.steps} steps")
        findings.append(_try(trial, recipe, args, device))
    for path in write_study(args.output, findings, recipe, plots=not args.no_plots):
        print(path)
    return 0


def _check_names(test_sets: Sequence[Path]) -> None:
    """The tables have a column for each name."""
    from rfdn_video.training.tables import set_name

    named: dict[str, Path] = {}
    for test_set in test_sets:
        name = set_name(test_set)
        if name in named:
            raise UsageError(
                f"--validate: {named[name]} and {test_set} are both called {name!r} in the tables; "
                "rename one, or leave it out"
            )
        named[name] = test_set


def _schedule(args: argparse.Namespace) -> Recipe:
    from dataclasses import replace

    from rfdn_video.training.recipe import load_recipe

    recipe = load_recipe(args.recipe, {"scale": args.scale} if args.scale else None)
    if args.steps is None:
        return recipe
    if len(recipe.stages) != 1:
        raise UsageError(f"--steps {args.steps}: recipe {args.recipe} has several stages; change them in a .toml file")
    return replace(recipe, stages=(replace(recipe.stages[0], steps=args.steps),))


def _try(trial: Trial, recipe: Recipe, args: argparse.Namespace, device: torch.device) -> Finding:
    from rfdn_video.training.evaluate import evaluate, find_pairs, network_enlarger
    from rfdn_video.training.run import Run, open_trainer
    from rfdn_video.training.study import Finding, open_run, trial_recipe
    from rfdn_video.training.tables import set_name

    folder = args.output / trial.name
    run = Run(
        recipe=trial_recipe(trial, recipe),
        data=tuple(args.data),
        validation=args.validate[0],
        start=None,
        cache=args.cache or args.output / "cache",
    )
    run = open_run(run, folder)
    scale = run.recipe.scale
    with interruptible(f"go on with: {RESUME}"), open_trainer(run, folder, device, show_prepared) as trainer:
        if trainer.reported < run.recipe.steps:
            run_trainer(trainer, folder, RESUME, plots=not args.no_plots)
        network, pixel_range = trainer.learner.averaged(), trainer.learner.pixel_range
        enlarge = network_enlarger(network, pixel_range, device)
        scores = {
            set_name(test_set): evaluate(trial.name, enlarge, find_pairs(test_set, scale), scale).mean
            for test_set in args.validate
        }
    return Finding(trial, scores)
