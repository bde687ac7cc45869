"""The paper's studies: which networks are compared, and the tables and figures that come of it.

Table 1 compares the four blocks, table 2 the distillation ratios, table 4 RFDN with IMDN (arXiv
2009.11551, section 4). All are trained from scratch under one schedule.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from rfdn_video.errors import OutputError
from rfdn_video.models.complexity import Complexity, measure_complexity
from rfdn_video.models.networks import network_config
from rfdn_video.quality.metrics import Scores
from rfdn_video.training.checkpoint import write_json, write_text
from rfdn_video.training.plots import plot_tradeoff
from rfdn_video.training.published import PUBLISHED, SETS
from rfdn_video.training.recipe import Recipe
from rfdn_video.training.run import RUN, Run, load_run

__all__ = ["TRIALS", "Finding", "Trial", "open_run", "trial_recipe", "write_study"]


@dataclass(frozen=True)
class Trial:
    """One network of the study; ``ratio`` 0 is the network's own."""

    name: str
    network: str
    ratio: float = 0.0


TRIALS = (
    Trial("base", "rfdn-base"),
    Trial("srb", "rfdn-srb"),
    Trial("fdc", "rfdn-fdc"),
    Trial("rfdn", "rfdn"),
    Trial("rfdn-0.25", "rfdn", 0.25),
    Trial("rfdn-0.75", "rfdn", 0.75),
    Trial("imdn", "imdn"),
)

# RFDN is the block with both ideas of table 1, and the ratio 0.5 of table 2.
TABLES = (
    ("Table 1: blocks", {"Base": "base", "SRB": "srb", "FDC": "fdc", "RFDB": "rfdn"}),
    ("Table 2: distillation ratio", {"0.25": "rfdn-0.25", "0.5": "rfdn", "0.75": "rfdn-0.75"}),
    ("Table 4: RFDN and IMDN", {"IMDN": "imdn", "RFDN": "rfdn"}),
)


@dataclass(frozen=True)
class Finding:
    """What a trial reached: scores by the test set's name."""

    trial: Trial
    scores: Mapping[str, Scores]


def trial_recipe(trial: Trial, recipe: Recipe) -> Recipe:
    """The study's schedule for one network."""
    return replace(recipe, network=trial.network, ratio=trial.ratio, starts_from=0, fine_tunes=False)


def open_run(run: Run, folder: Path) -> Run:
    """Begins a trial's folder, or goes on with what is there; it may be validated on other images.

    Raises:
        OutputError: the folder holds a training with another recipe or other data.
    """
    if not (folder / RUN).exists():
        run.save(folder)
        return run
    before = load_run(folder)
    if (before.recipe, before.data) != (run.recipe, tuple(path.absolute() for path in run.data)):
        raise OutputError(f"{folder}: holds a training with other settings or data; give another folder with -o")
    return run


def write_study(folder: Path, findings: Sequence[Finding], recipe: Recipe, plots: bool) -> list[Path]:
    """Writes ``tables.md``, ``results.json`` and, with ``plots``, both figures; gives what it wrote.

    Args:
        findings: of all of ``TRIALS``, on the same test sets.
        recipe: of the study, for the label.

    Raises:
        OutputError: a file cannot be written.
        UsageError: ``plots``, and matplotlib is not installed.
    """
    by_name = {finding.trial.name: finding for finding in findings}
    label = _label(recipe)
    blocks = [f"# Studies of the paper at x{recipe.scale}\n\n{label}.\n"]
    blocks += [_table(title, rows, by_name, recipe.scale) for title, rows in TABLES]
    write_text(folder / "tables.md", "\n".join(blocks))
    results = [{**asdict(f.trial), **asdict(_cost(f.trial, recipe.scale)), "scores": _plain(f)} for f in findings]
    write_json(folder / "results.json", {"schedule": label, "scale": recipe.scale, "results": results})
    written = [folder / "tables.md", folder / "results.json"]
    return written + (_figures(folder, by_name, recipe.scale, label) if plots else [])


def _label(recipe: Recipe) -> str:
    return (
        f"Shortened schedule: {recipe.steps:,} steps of {recipe.batch} patches of {recipe.patch}x{recipe.patch} "
        "(the paper: 64 patches of 64x64, the rate halved every 200,000 steps)"
    )


def _plain(finding: Finding) -> dict[str, dict[str, float]]:
    return {test_set: asdict(scores) for test_set, scores in finding.scores.items()}


def _cost(trial: Trial, scale: int) -> Complexity:
    """For an output of 1280x720, as in the paper."""
    config = network_config(trial.network, scale, trial.ratio or None)
    return measure_complexity(config, 1280 // scale, 720 // scale)


def _table(title: str, rows: Mapping[str, str], findings: Mapping[str, Finding], scale: int) -> str:
    sets = list(next(iter(findings.values())).scores)
    head = ("", "parameters", "multiply-adds", *sets)
    lines = [f"## {title}\n", f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    for label, name in rows.items():
        cost, scores = _cost(findings[name].trial, scale), findings[name].scores
        cells = [label, f"{cost.parameters / 1000:.0f}K", f"{cost.multiply_adds / 1e9:.1f}G"]
        cells += [f"{scores[test_set].psnr_y:.2f}/{scores[test_set].ssim_y:.4f}" for test_set in sets]
        lines.append(f"| {' | '.join(cells)} |")
        if "IMDN" in rows:
            lines.append(f"| {label} (published) | | | {' | '.join(_published(name, scale, s) for s in sets)} |")
    return "\n".join(lines) + "\n"


def _published(network: str, scale: int, test_set: str) -> str:
    if test_set not in SETS:
        return "-"
    psnr, ssim = PUBLISHED[network, scale][SETS.index(test_set)]
    return f"{psnr:.2f}/{ssim:.4f}"


def _figures(folder: Path, findings: Mapping[str, Finding], scale: int, label: str) -> list[Path]:
    """Figures 4 and 5: PSNR on the first test set against parameters and against multiply-adds."""
    test_set = next(iter(next(iter(findings.values())).scores))
    own = {name: (_cost(f.trial, scale), f.scores[test_set].psnr_y) for name, f in findings.items()}
    known = {
        network: (_cost(Trial(network, network), scale), scores[SETS.index(test_set)][0])
        for (network, published_scale), scores in PUBLISHED.items()
        if published_scale == scale and test_set in SETS
    }
    figures = (
        ("psnr_parameters.png", "parameters (thousands)", "parameters", 1e3),
        ("psnr_multiply_adds.png", "multiply-adds for 1280x720 (G)", "multiply_adds", 1e9),
    )
    for file, axis, field, unit in figures:
        points = [
            {name: (getattr(cost, field) / unit, psnr) for name, (cost, psnr) in group.items()}
            for group in (own, known)
        ]
        plot_tradeoff(folder / file, axis, points[0], points[1], f"{test_set} x{scale}. {label}")
    return [folder / file for file, *_ in figures]
