"""Training: it learns, goes on exactly after a kill, and several processes learn as one."""

from __future__ import annotations

import csv
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors import safe_open

from rfdn_video.cli import train as train_command
from rfdn_video.errors import InputError, ModelError, OutputError, RFDNError, UsageError
from rfdn_video.models.catalog import load_bundled
from rfdn_video.models.weights import load_weights
from rfdn_video.training.checkpoint import load_checkpoint
from rfdn_video.training.data import PairCache
from rfdn_video.training.learner import Learner
from rfdn_video.training.recipe import Recipe, Stage
from tests.training.command import parse

CPU = torch.device("cpu")
COMMAND = """
import sys
from argparse import ArgumentParser
from rfdn_video.cli import train
from rfdn_video.errors import RFDNError
parser = ArgumentParser()
train.add_arguments(parser)
try:
    sys.exit(train.execute(parser.parse_args()))
except RFDNError as error:
    print(error, file=sys.stderr)
    sys.exit(error.exit_code)
"""


def losses(folder: Path) -> list[tuple[str, str]]:
    with (folder / "log.csv").open(newline="") as file:
        return [(row["step"], row["loss"]) for row in csv.DictReader(file)]


def test_it_over_fits_a_few_images(cache: PairCache, recipe: Recipe) -> None:
    learner = Learner(replace(recipe, stages=(Stage(steps=1000, lr=2e-3, schedule="constant"),)), CPU)
    low, high = cache.batch(0, 0, 2, 16)
    course = [float(learner.step(low, high, step)) for step in range(120)]
    assert course[-1] < 0.15 * course[0]
    with torch.inference_mode():
        output = learner.network.eval()(low.float() / 255)
    assert float((output - high.float() / 255).abs().mean()) < 0.05


def test_training_writes_everything_and_the_weights_describe_themselves(
    photographs: Path, recipe_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    folder = tmp_path / "run"
    arguments = (photographs, "-o", folder, "-r", recipe_file, "--validate", photographs, "--threads", 1)
    assert train_command.execute(parse(*arguments)) == 0
    assert "last.safetensors: 10 steps" in capsys.readouterr().out
    weights = load_weights(folder / "last.safetensors")
    assert (weights.network, weights.scale, weights.pixel_range, weights.tune) == ("e-rfdn", 2, 1.0, "clean")
    with safe_open(folder / "last.safetensors", framework="pt") as file:
        assert file.metadata()["training"] == "step 10 of 10, seed 0, bicubic; from scratch"
    assert load_weights(folder / "best.safetensors").network == "e-rfdn"
    for name in ("loss.png", "psnr.png"):
        assert (folder / name).read_bytes().startswith(b"\x89PNG")
    events = EventAccumulator(str(folder / "tensorboard")).Reload().Tags()
    assert set(events["scalars"]) == {"loss", "lr", "waiting", "psnr_y"}
    assert events["images"] == ["bicubic, network, original"]
    rows = losses(folder)
    assert [step for step, _ in rows] == [str(step) for step in range(1, 11)]
    with pytest.raises(OutputError, match="holds a training"):
        train_command.execute(parse(*arguments))


def test_what_is_not_there_is_found_before_the_folder_is_begun(
    photographs: Path, recipe_file: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    wrong: list[tuple[object, ...]] = [
        (tmp_path / "nothing", "-o", folder),
        (photographs, "-o", folder, "--validate", tmp_path / "nothing"),
        (photographs, "-o", folder, "--start", tmp_path / "nothing.safetensors"),
    ]
    for arguments in wrong:
        with pytest.raises(RFDNError, match="nothing"):
            train_command.execute(parse(*arguments, "-r", recipe_file))
        assert not folder.exists()


@pytest.mark.parametrize("kill", [signal.SIGKILL, signal.SIGTERM])
def test_killed_and_resumed_it_gives_the_same_losses(
    kill: signal.Signals,
    photographs: Path,
    recipe_file: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    common = ("--threads", 1, "--no-plots")
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    train_command.execute(parse(photographs, "-o", whole, "-r", recipe_file, *common))
    start = [sys.executable, "-c", COMMAND, photographs, "-o", cut, "-r", recipe_file, *common]
    process = subprocess.Popen([str(word) for word in start], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    while process.poll() is None and not ((cut / "log.csv").exists() and len(losses(cut)) >= 5):
        time.sleep(0.005)
    process.send_signal(kill)
    _, said = process.communicate()
    assert len(losses(cut)) < 10, "it was done before it was killed"
    if kill == signal.SIGTERM:
        assert process.returncode == 143, said.decode()
    done = load_checkpoint(cut / "checkpoint.pt")["step"]
    taken: list[int] = []
    step = Learner.step
    monkeypatch.setattr(Learner, "step", lambda *a: (taken.append(a[3]), step(*a))[1])
    assert train_command.execute(parse("--resume", cut, *common)) == 0
    assert taken == list(range(done, 10)), "what was saved is not done again"
    assert done >= 3
    assert losses(cut) == losses(whole)
    a, b = (load_weights(folder / "last.safetensors").state for folder in (whole, cut))
    for name, tensor in a.items():
        assert torch.equal(tensor, b[name]), name


SHARE = """
import sys
import torch
from pathlib import Path
from rfdn_video.training.data import Prefetcher, open_cache
from rfdn_video.training.distributed import join
from rfdn_video.training.learner import Learner
from rfdn_video.training.recipe import load_recipe
torch.set_num_threads(1)
recipe = load_recipe(sys.argv[1])
with join(torch.device("cpu"), recipe.batch) as (process, device):
    learner = Learner(recipe, device)
    cache = open_cache(Path(sys.argv[2]), recipe.scale)
    loader = Prefetcher(cache, recipe.seed, recipe.batch, recipe.patch, 0, process.rank, process.world)
    loss = process.mean(learner.step(*next(loader), 0))
    loader.close()
    if process.rank == 0:
        gradients = {name: p.grad for name, p in learner.network.named_parameters()}
        torch.save({"loss": loss, "gradients": gradients}, sys.argv[3])
"""


@pytest.mark.slow
def test_two_processes_have_the_gradients_of_one_with_the_doubled_batch(
    cache: PairCache, recipe: Recipe, recipe_file: Path, tmp_path: Path
) -> None:
    script = tmp_path / "share.py"
    script.write_text(SHARE)
    folder = next((tmp_path / "cache").iterdir())
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    command = [*torchrun, script, recipe_file, folder, tmp_path / "shared.pt"]
    subprocess.run([str(word) for word in command], check=True, capture_output=True)
    both = torch.load(tmp_path / "shared.pt", weights_only=True)

    alone = Learner(recipe, CPU)
    loss = alone.step(*cache.batch(recipe.seed, 0, recipe.batch, recipe.patch), 0)
    torch.testing.assert_close(both["loss"], loss)
    for name, parameter in alone.network.named_parameters():
        torch.testing.assert_close(both["gradients"][name], parameter.grad, rtol=1e-4, atol=1e-7)


@pytest.mark.cuda
def test_on_cuda_half_precision_learns_what_the_cpu_learns(cache: PairCache, recipe: Recipe) -> None:
    def course(learner: Learner) -> list[float]:
        return [float(learner.step(*cache.batch(0, step, 2, 16), step)) for step in range(6)]

    half, full = (course(Learner(recipe, torch.device(name))) for name in ("cuda", "cpu"))
    assert half == pytest.approx(full, rel=0.02)


def test_bf16_learns_what_fp32_learns_and_a_later_stage_may_be_fp32(cache: PairCache, recipe: Recipe) -> None:
    def course(*stages: Stage) -> list[float]:
        learner = Learner(replace(recipe, stages=stages), CPU)
        return [float(learner.step(*cache.batch(0, step, 2, 16), step)) for step in range(8)]

    full = course(Stage(steps=8, precision="fp32"))
    both = course(Stage(steps=4, precision="bf16"), Stage(steps=4, precision="fp32"))
    assert both == pytest.approx(full, rel=0.05)
    assert both[0] != full[0]  # it was bf16


def test_another_scale_starts_from_the_enlargement_that_was_learnt(recipe: Recipe) -> None:
    start = load_bundled("e-rfdn", "clean", 2)
    learner = Learner(replace(recipe, scale=4), CPU, start)
    image = torch.rand(1, 3, 16, 16)
    with torch.inference_mode():
        small, large = start.build()(image), learner.network(image)
    torch.testing.assert_close(large, small.repeat_interleave(2, 2).repeat_interleave(2, 3))


def test_weights_of_another_network_are_no_start(recipe: Recipe) -> None:
    with pytest.raises(ModelError, match="4 rfdb blocks of 50 channels, 25 distilled; the recipe wants 6"):
        Learner(replace(recipe, network="rfdn"), CPU, load_bundled("e-rfdn", "clean", 2))


def test_a_training_that_diverges_says_so(cache: PairCache, recipe: Recipe, tmp_path: Path) -> None:
    from rfdn_video.training.train import Trainer

    learner = Learner(recipe, CPU)
    with torch.no_grad():
        learner.network.fea_conv.weight.fill_(float("nan"))
    with pytest.raises(ModelError, match="diverged"):
        list(Trainer(learner, cache, tmp_path / "run"))
    assert not (tmp_path / "run").exists()


def test_a_checkpoint_of_another_recipe_is_refused(cache: PairCache, recipe: Recipe, tmp_path: Path) -> None:
    from rfdn_video.training.train import Trainer

    Trainer(Learner(recipe, CPU), cache, tmp_path).save()
    other = Learner(replace(recipe, seed=9), CPU)
    with pytest.raises(InputError, match="other seed"):
        Trainer(other, cache, tmp_path, resume=True)


def test_a_checkpoint_of_an_older_version_is_refused(cache: PairCache, recipe: Recipe, tmp_path: Path) -> None:
    from rfdn_video.training.train import Trainer

    Trainer(Learner(recipe, CPU), cache, tmp_path).save()
    content = torch.load(tmp_path / "checkpoint.pt", weights_only=True)
    content["learner"]["optimizer"] = content["learner"].pop("optimizers")["adam"]
    torch.save(content, tmp_path / "checkpoint.pt")
    with pytest.raises(InputError, match=r"older rfdn-video; begin another training from .*last.safetensors"):
        Trainer(Learner(recipe, CPU), cache, tmp_path, resume=True)


def test_a_batch_that_cannot_be_shared_is_refused(recipe: Recipe, monkeypatch: pytest.MonkeyPatch) -> None:
    from rfdn_video.training.distributed import join

    monkeypatch.setenv("WORLD_SIZE", "3")
    with pytest.raises(UsageError, match="batch 2"), join(CPU, recipe.batch):
        pass


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "-o"),
        (("data",), "-o"),
        (("data", "--resume", "run"), "--resume"),
        (("data", "-o", "run", "-s", "4"), "--start FILE"),
        (("data", "-o", "run", "--device", "tpu"), "tpu"),
        (("data", "-o", "run", "--threads", "0"), "threads 0"),
        (("data", "-o", "run", "--seed", "-1"), "seed -1"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    arguments: tuple[str, ...], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    with pytest.raises(UsageError, match=message):
        train_command.execute(parse(*arguments))
    assert not (tmp_path / "run" / "checkpoint.pt").exists()


def test_a_training_whose_checkpoint_is_gone_does_not_begin_again_in_silence(
    photographs: Path, recipe_file: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    train_command.execute(parse(photographs, "-o", folder, "-r", recipe_file, "--no-plots"))
    (folder / "checkpoint.pt").rename(folder / "elsewhere.pt")
    log = (folder / "log.csv").read_bytes()
    with pytest.raises(InputError, match=r"checkpoint\.pt is missing"):
        train_command.execute(parse("--resume", folder, "--no-plots"))
    assert (folder / "log.csv").read_bytes() == log


def test_a_training_begun_on_a_cpu_goes_on_where_gradients_are_scaled(recipe: Recipe) -> None:
    """As on CUDA."""
    state = Learner(recipe, CPU).state_dict()
    learner = Learner(recipe, CPU)
    learner._scaler = torch.amp.GradScaler("cpu", enabled=True)
    learner.load_state_dict(state)


def test_a_folder_without_a_training_cannot_be_resumed(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no training"):
        train_command.execute(parse("--resume", tmp_path))
