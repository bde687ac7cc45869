"""The study at a tiny budget: it trains all its networks and writes its tables and figures."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from pathlib import Path

import pytest

from rfdn_video.cli import study as study_command
from rfdn_video.errors import InputError, OutputError, UsageError
from rfdn_video.training.study import TRIALS


def run_study(*arguments: object) -> int:
    parser = ArgumentParser()
    study_command.add_arguments(parser)
    return study_command.execute(parser.parse_args([str(argument) for argument in arguments]))


@pytest.mark.slow
def test_a_tiny_budget_gives_tables_and_figures(photographs: Path, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    pytest.importorskip("tensorboard")
    validation = tmp_path / "Set5"
    validation.mkdir()
    (photographs / "3.png").rename(validation / "3.png")
    recipe = tmp_path / "tiny.toml"
    recipe.write_text('network="rfdn"\nscale=2\nbatch=1\npatch=8\n[[stages]]\nsteps=500\n')
    output = tmp_path / "study"
    arguments = (photographs, "-o", output, "--validate", validation, "-r", recipe)
    assert run_study(*arguments, "--steps", 2) == 0

    tables = (output / "tables.md").read_text()
    assert "Shortened schedule: 2 steps of 1 patches of 8x8" in tables
    for row in ("| Base | 556K", "| SRB | 556K", "| FDC | 534K", "| RFDB | 534K", "| 0.25 |", "| 0.75 |"):
        assert row in tables
    assert "| RFDN (published) | | | 38.05/0.9606 |" in tables
    assert "| IMDN (published) | | | 38.00/0.9605 |" in tables
    results = json.loads((output / "results.json").read_text())["results"]
    assert [result["name"] for result in results] == [trial.name for trial in TRIALS]
    assert all(0 < result["scores"]["Set5"]["psnr_y"] < 60 for result in results)
    for figure in ("psnr_parameters.png", "psnr_multiply_adds.png"):
        assert (output / figure).read_bytes().startswith(b"\x89PNG")

    before = (output / "results.json").read_bytes()
    assert run_study(*arguments, "--steps", 2) == 0, "what is trained is not trained again"
    assert (output / "results.json").read_bytes() == before
    with pytest.raises(OutputError, match="other settings"):
        run_study(*arguments, "--steps", 3)


def test_every_test_set_is_looked_at_before_the_first_network(photographs: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nothing"):
        run_study(photographs, "-o", tmp_path / "study", "--validate", photographs, tmp_path / "nothing")
    assert not (tmp_path / "study").exists()


def test_test_sets_of_one_name_in_the_tables_are_refused(photographs: Path, tmp_path: Path) -> None:
    one, other = tmp_path / "portraits" / "held-out", tmp_path / "streets" / "held-out"
    with pytest.raises(UsageError, match="both called 'held-out'"):
        run_study(photographs, "-o", tmp_path / "study", "--validate", one, other)
    assert not (tmp_path / "study").exists()
