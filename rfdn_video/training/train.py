"""The training loop: batches in, a report a step out, checkpoints and validation on the way."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from rfdn_video.errors import InputError, ModelError
from rfdn_video.training.checkpoint import load_checkpoint, save_checkpoint, save_weights
from rfdn_video.training.data import PairCache, Prefetcher
from rfdn_video.training.distributed import Process
from rfdn_video.training.evaluate import Pair, evaluate, network_enlarger
from rfdn_video.training.learner import Learner
from rfdn_video.training.recipe import parse_recipe

__all__ = ["BEST", "CHECKPOINT", "LAST", "Report", "Trainer"]

CHECKPOINT, LAST, BEST = "checkpoint.pt", "last.safetensors", "best.safetensors"


@dataclass(frozen=True)
class Report:
    """What is known after a step.

    Attributes:
        step: steps done.
        loss: mean over the steps since the last report that had one; None in between.
        lr: the step's learning rate.
        waiting: share of the time so far that was spent waiting for patches, 0..1.
        psnr_y: of the averaged weights on the validation images, in dB, where they were just tried.
    """

    step: int
    loss: float | None
    lr: float
    waiting: float
    psnr_y: float | None


class Trainer:
    """Runs a recipe from wherever its folder stands.

    Iterate over it to train. Between two reports everything is consistent: stop there and call
    :meth:`save` to go on exactly from there another time. So it is where a report failed.

    Attributes:
        step: steps done.
        reported: the last of them that was reported. A checkpoint is written before the report of
            its step: where that one was cut short, it comes first when the training goes on.
        best: highest PSNR so far, in dB.

    Args:
        learner: with the recipe; it is brought up to the folder's checkpoint if ``resume``.
        cache: what to learn from.
        folder: takes checkpoints and weights.
        validation: images to try the averaged weights on; may be empty.
        origin: texts for the weights' metadata, such as where the training started from.

    Raises:
        InputError: ``resume`` and no usable checkpoint, or one of another recipe.
    """

    def __init__(
        self,
        learner: Learner,
        cache: PairCache,
        folder: Path,
        *,
        validation: Sequence[Pair] = (),
        origin: str = "",
        process: Process | None = None,
        resume: bool = False,
    ) -> None:
        self.learner, self.cache, self.folder = learner, cache, folder
        self.validation, self.origin = validation, origin
        self.process = process or Process()
        self.step = self.reported = 0
        self.best = -math.inf
        self._losses: list[torch.Tensor] = []
        if resume:
            self._resume()

    def __iter__(self) -> Iterator[Report]:
        recipe = self.learner.recipe
        batches = Prefetcher(
            self.cache,
            recipe.seed,
            recipe.batch,
            recipe.patch,
            self.step,
            self.process.rank,
            self.process.world,
        )
        waited, began = 0.0, time.perf_counter()
        try:
            if self.reported < self.step:
                yield self._report(0.0)
            while self.step < recipe.steps:
                asked = time.perf_counter()
                low, high = next(batches)
                waited += time.perf_counter() - asked
                # Of all processes, so that the checkpoint that one of them writes has what the others need.
                self._losses.append(self.process.mean(self.learner.step(low, high, self.step)))
                self.step += 1
                if self.step == recipe.steps or self.step % recipe.checkpoint_every == 0:
                    self.save()
                yield self._report(waited / (time.perf_counter() - began))
        finally:
            batches.close()
        self.save()

    def _report(self, waiting: float) -> Report:
        recipe, done = self.learner.recipe, self.step == self.learner.recipe.steps
        loss = self._mean_loss() if done or self.step % recipe.log_every == 0 else None
        psnr = self.validate() if done or self.step % recipe.validate_every == 0 else None
        if loss is not None:
            self._losses.clear()
        self.reported = self.step
        stage, inner = recipe.stage_at(self.step - 1)
        return Report(self.step, loss, stage.lr_at(inner), waiting, psnr)

    def _mean_loss(self) -> float:
        loss = float(torch.stack(self._losses).mean())
        if not math.isfinite(loss):
            raise self._diverged("loss is")
        return loss

    def _diverged(self, what: str) -> ModelError:
        last = self.folder / LAST
        start = f" from {last} (--start)" if last.exists() else ""
        return ModelError(
            f"the training diverged before step {self.step} ({what} not finite); "
            f"begin another one{start} with a lower learning rate"
        )

    def validate(self) -> float | None:
        """Tries the averaged weights; keeps them as ``best.safetensors`` where they are the best so far.

        Raises:
            InputError: an image cannot be read.
            ModelError: the training diverged.
            OutputError: the weights cannot be written.
        """
        if not self.validation or self.process.rank:
            return None
        self._check_weights()
        network = self.learner.averaged()
        enlarge = network_enlarger(network, self.learner.pixel_range, self.learner.device)
        psnr = evaluate("validation", enlarge, self.validation, self.learner.recipe.scale).mean.psnr_y
        if psnr > self.best:
            self.best = psnr
            self._save_weights(BEST)
        return psnr

    def save(self) -> None:
        """Writes the checkpoint and, once something is learnt, the averaged weights as ``last.safetensors``.

        Raises:
            ModelError: the training diverged; what was saved before stays.
            OutputError: they cannot be written.
        """
        if self.process.rank:
            return
        self._check_weights()
        content = {
            "step": self.step,
            "reported": self.reported,
            "losses": [float(loss) for loss in self._losses],
            "best": self.best,
            "recipe": self.learner.recipe.as_dict(),
            "cache": self.cache.name,
            "learner": self.learner.state_dict(),
        }
        save_checkpoint(self.folder / CHECKPOINT, content)
        if self.step:
            self._save_weights(LAST)

    def _check_weights(self) -> None:
        if not self.learner.is_finite():
            raise self._diverged("weights are")

    def _save_weights(self, name: str) -> None:
        recipe = self.learner.recipe
        metadata = {
            "network": recipe.network,
            "scale": str(recipe.scale),
            "pixel_range": str(self.learner.pixel_range),
            "tune": recipe.tune,
            "training": f"step {self.step} of {recipe.steps}, seed {recipe.seed}, {recipe.degradation}; {self.origin}",
        }
        save_weights(self.folder / name, self.learner.averaged(), metadata)

    def _resume(self) -> None:
        path = self.folder / CHECKPOINT
        content = load_checkpoint(path)
        before = parse_recipe(content["recipe"], str(path)).as_dict()
        wanted = self.learner.recipe.as_dict()
        if before != wanted:
            different = [key for key in wanted if before[key] != wanted[key]]
            raise InputError(f"{path}: was made by another recipe (other {', '.join(different)}); use that one")
        try:
            self.learner.load_state_dict(content["learner"])
        except KeyError:
            how = f"begin another training from {self.folder / LAST} (--start)"
            raise InputError(f"{path}: was made by an older rfdn-video; {how}") from None
        self.step, self.best = content["step"], content["best"]
        # Checkpoints of older versions were written after the report, and without the losses since the last one.
        self.reported = content.get("reported", self.step)
        self._losses = [torch.tensor(loss, device=self.learner.device) for loss in content.get("losses", [])]
