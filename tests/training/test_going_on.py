"""Trainings that are stopped, fail or diverge: what they learnt is kept, and what they go on with is what it was."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from rfdn_video.cli import train as train_command
from rfdn_video.errors import InputError, ModelError, OutputError, UsageError
from rfdn_video.models.networks import network_config
from rfdn_video.models.rfdn import RFDN
from rfdn_video.models.weights import load_weights
from rfdn_video.training.checkpoint import load_checkpoint
from rfdn_video.training.data import PairCache
from rfdn_video.training.journal import Journal
from rfdn_video.training.learner import Learner
from rfdn_video.training.recipe import Recipe, Stage
from rfdn_video.training.run import Run, load_run, open_trainer, sole_trainer
from rfdn_video.training.train import Report, Trainer
from tests.training.command import parse

CPU = torch.device("cpu")
QUICK = ("--threads", 1, "--device", "cpu", "--no-plots")


@pytest.fixture
def run(photographs: Path, recipe: Recipe, tmp_path: Path) -> Run:
    return Run(recipe=recipe, data=(photographs,), validation=None, start=None, cache=tmp_path / "cache")


@pytest.fixture
def short(recipe: Recipe) -> Recipe:
    """Five steps; a loss every second one, and a checkpoint every third."""
    return replace(recipe, log_every=2, validate_every=3, checkpoint_every=3, stages=(Stage(steps=5, lr=1e-3),))


def small_picture(folder: Path, side: int) -> Path:
    folder.mkdir(exist_ok=True)
    Image.new("RGB", (side, side)).save(folder / "small.png")
    return folder


@pytest.mark.parametrize("spoilt", ["network", "average"])
def test_weights_that_are_not_finite_are_not_saved(
    spoilt: str, cache: PairCache, recipe: Recipe, tmp_path: Path
) -> None:
    learner = Learner(recipe, CPU)
    trainer = Trainer(learner, cache, tmp_path / "run")
    trainer.step = 1
    trainer.save()
    before = {path.name: path.read_bytes() for path in (tmp_path / "run").iterdir()}
    network = learner.network if spoilt == "network" else learner.average.module
    with torch.no_grad():
        network.fea_conv.weight.fill_(float("nan"))
    trainer.step = 2
    with pytest.raises(ModelError, match=r"diverged before step 2 .*from .*last\.safetensors \(--start\)"):
        trainer.save()
    assert {path.name: path.read_bytes() for path in (tmp_path / "run").iterdir()} == before


def test_weights_that_are_not_finite_are_never_the_best(
    cache: PairCache, recipe: Recipe, photographs: Path, tmp_path: Path
) -> None:
    from rfdn_video.training.evaluate import find_pairs

    trainer = Trainer(Learner(recipe, CPU), cache, tmp_path / "run", validation=find_pairs(photographs, 2))
    with torch.no_grad():
        trainer.learner.average.module.fea_conv.weight.fill_(float("nan"))
    with pytest.raises(ModelError, match="diverged"):
        trainer.validate()
    assert not (tmp_path / "run").exists()


def test_images_that_cannot_be_validated_on_are_found_before_the_folder_is_begun(
    photographs: Path, recipe_file: Path, tmp_path: Path
) -> None:
    broken, small = tmp_path / "broken", small_picture(tmp_path / "small", 14)
    broken.mkdir()
    (broken / "half.png").write_bytes((photographs / "0.png").read_bytes()[:200])
    for folder, name in ((broken, r"half\.png"), (small, r"small\.png: 14x14 pixels; 1[56] or more")):
        with pytest.raises(InputError, match=name):
            train_command.execute(parse(photographs, "-o", tmp_path / "run", "-r", recipe_file, "--validate", folder))
        assert not (tmp_path / "run").exists()


def test_a_validation_that_fails_loses_nothing(
    cache: PairCache, short: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: Trainer) -> None:
        raise InputError("gone.png: not a readable image")

    whole = [(r.step, r.loss) for r in Trainer(Learner(short, CPU), cache, tmp_path / "whole")]
    monkeypatch.setattr(Trainer, "validate", fail)
    cut = []
    with pytest.raises(InputError, match=r"gone\.png"):
        cut += [(r.step, r.loss) for r in Trainer(Learner(short, CPU), cache, tmp_path / "cut")]
    assert load_checkpoint(tmp_path / "cut" / "checkpoint.pt")["step"] == 3
    monkeypatch.undo()
    again = Trainer(Learner(short, CPU), cache, tmp_path / "cut", resume=True)
    assert again.reported == 2
    cut = [(2, whole[1][1]), *((r.step, r.loss) for r in again)]
    assert cut == whole[1:], "the report that was cut short comes first, with the loss it would have had"


def test_losses_are_those_of_an_uninterrupted_training_wherever_it_was_stopped(
    cache: PairCache, short: Recipe, tmp_path: Path
) -> None:
    recipe = replace(short, log_every=5, checkpoint_every=100)
    whole = [report.loss for report in Trainer(Learner(recipe, CPU), cache, tmp_path / "whole")]
    stopped = Trainer(Learner(recipe, CPU), cache, tmp_path / "cut")
    for report in stopped:
        if report.step == 3:
            break
    stopped.save()
    again = [report.loss for report in Trainer(Learner(recipe, CPU), cache, tmp_path / "cut", resume=True)]
    assert again == whole[3:]
    assert again[-1] is not None


def test_a_checkpoint_of_an_older_version_is_gone_on_with(cache: PairCache, short: Recipe, tmp_path: Path) -> None:
    trainer = Trainer(Learner(short, CPU), cache, tmp_path)
    trainer.step = 3
    trainer.save()
    content = load_checkpoint(tmp_path / "checkpoint.pt")
    torch.save({key: content[key] for key in ("step", "best", "recipe", "learner")}, tmp_path / "checkpoint.pt")
    again = Trainer(Learner(short, CPU), cache, tmp_path, resume=True)
    assert (again.step, again.reported) == (3, 3)


def test_a_log_that_cannot_be_written_loses_no_step(
    photographs: Path, recipe_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: Journal, report: Report) -> None:
        if report.step == 2:
            raise OutputError("log.csv: cannot be written: No space left on device")

    monkeypatch.setattr(Journal, "add", full)
    with pytest.raises(OutputError, match="No space"):
        train_command.execute(parse(photographs, "-o", tmp_path / "run", "-r", recipe_file, *QUICK))
    assert load_checkpoint(tmp_path / "run" / "checkpoint.pt")["step"] == 2


def test_a_folder_is_trained_in_by_one_process_at_a_time(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    run.save(folder)
    with (
        sole_trainer(folder),
        pytest.raises(OutputError, match="is being trained by another process"),
        open_trainer(run, folder, CPU, lambda _: None),
    ):
        pass
    with open_trainer(run, folder, CPU, lambda _: None):
        pass


def test_what_was_given_relative_is_what_it_is_gone_on_with(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    start = {**RFDN(run.recipe.config).state_dict()}
    save_file(start, tmp_path / "start.safetensors", metadata={"pixel_range": "1.0"})
    relative = replace(run, data=(Path("photographs"),), start="start.safetensors")
    relative.save(tmp_path / "run")
    made: list[int] = []
    with open_trainer(relative, tmp_path / "run", CPU, made.append):
        assert len(made) == 4
    again = load_run(tmp_path / "run")
    assert again.start == str(tmp_path / "start.safetensors")
    with open_trainer(again, tmp_path / "run", CPU, made.append):
        assert len(made) == 4, "nothing is prepared twice"


def test_bundled_weights_stay_bundled(run: Run, tmp_path: Path) -> None:
    replace(run, start="bundled").save(tmp_path / "run")
    assert load_run(tmp_path / "run").start == "bundled"


def test_data_that_changed_are_not_gone_on_with(run: Run, photographs: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    with open_trainer(run, folder, CPU, lambda _: None) as trainer:
        trainer.save()
    (photographs / "new.png").write_bytes((photographs / "0.png").read_bytes())
    with pytest.raises(InputError, match="learnt from other data"), open_trainer(run, folder, CPU, pytest.fail):
        pass
    content = load_checkpoint(folder / "checkpoint.pt")
    del content["cache"]
    torch.save(content, folder / "checkpoint.pt")
    with open_trainer(run, folder, CPU, lambda _: None):
        pass  # one of an older version, which does not say


def test_options_that_the_training_has_decided_are_refused(tmp_path: Path) -> None:
    decided = ("-r", "rfdn", "-m", "rfdn", "-s", 3, "--ratio", 0.25, "--seed", 0, "--start", "x", "--validate", "y")
    names = "--recipe, --model, --scale, --ratio, --seed, --start, --validate from"
    with pytest.raises(UsageError, match=names):
        train_command.execute(parse("--resume", tmp_path, *decided))
    with pytest.raises(UsageError, match="--from-scratch, --cache"):
        train_command.execute(parse("--resume", tmp_path, "--from-scratch", "--cache", "z"))


def test_a_missing_extra_is_found_before_the_folder_is_begun(
    photographs: Path, recipe_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(UsageError, match="matplotlib is missing"):
        train_command.execute(parse(photographs, "-o", tmp_path / "run", "-r", recipe_file))
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("ratio", ["nan", "inf", "0.05"])
def test_a_ratio_that_no_network_can_have_is_refused_first(ratio: str, photographs: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=f"ratio {ratio}"):
        train_command.execute(parse(photographs, "-o", tmp_path / "run", "-m", "rfdn", "--ratio", ratio, *QUICK))
    assert not (tmp_path / "run").exists()


def test_a_start_of_another_network_with_the_same_tensors_is_refused(run: Run, tmp_path: Path) -> None:
    state = RFDN(network_config("rfdn", 2)).state_dict()
    save_file(state, tmp_path / "rfdn.safetensors", metadata={"network": "rfdn", "pixel_range": "1.0"})
    recipe = replace(run.recipe, network="rfdn-fdc")
    with pytest.raises(ModelError, match=r"6 rfdb blocks .* the recipe wants 6 fdc blocks"):
        Learner(recipe, CPU, load_weights(tmp_path / "rfdn.safetensors"))
    with pytest.raises(ModelError, match="the recipe wants 6 fdc blocks"):
        replace(run, recipe=recipe, start=str(tmp_path / "rfdn.safetensors")).save(tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_damaged_checkpoint_is_said(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.pt"
    path.write_bytes(b"\x80\x02.")  # a pickle of nothing
    with pytest.raises(InputError, match="no checkpoint to go on from"):
        load_checkpoint(path)
    torch.save({"step": 3}, path)
    with pytest.raises(InputError, match="not a checkpoint"):
        load_checkpoint(path)


SIGNALLED = """
import signal, sys
from rfdn_video.cli import train
from rfdn_video.cli.main import main
train.show_prepared = lambda _: signal.raise_signal(signal.SIGTERM)
sys.exit(main(sys.argv[1:]))
"""


def test_a_signal_while_data_are_prepared_leaves_what_can_be_gone_on_with(
    photographs: Path, recipe_file: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    words = ["train", photographs, "-o", folder, "-r", recipe_file, *QUICK]
    command = [sys.executable, "-c", SIGNALLED, *map(str, words)]
    stopped = subprocess.run(command, capture_output=True, text=True, check=False)
    assert stopped.returncode == 143
    assert f"go on with: rfdn-video train --resume {folder}" in stopped.stderr
    assert list((folder / "cache").iterdir()) == []
    with open_trainer(load_run(folder), folder, CPU, lambda _: None) as trainer:
        assert trainer.step == 0


def test_a_start_whose_name_is_no_text_can_be_saved_from(run: Run, tmp_path: Path) -> None:
    start = tmp_path / os.fsdecode(b"caf\xe9.safetensors")
    save_file(RFDN(run.recipe.config).state_dict(), tmp_path / "plain", metadata={"pixel_range": "1.0"})
    (tmp_path / "plain").rename(start)
    run = replace(run, start=str(start))
    run.save(tmp_path / "run")
    assert json.loads((tmp_path / "run" / "run.json").read_text())["start"] == str(start)
    with open_trainer(load_run(tmp_path / "run"), tmp_path / "run", CPU, lambda _: None) as trainer:
        trainer.step = 1
        trainer.save()
    assert load_weights(tmp_path / "run" / "last.safetensors").network == "e-rfdn"
