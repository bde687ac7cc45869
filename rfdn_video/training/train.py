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
    :meth:`save` to go on exactly from there another time.

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
        self.step = 0
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
            while self.step < recipe.steps:
                asked = time.perf_counter()
                low, high = next(batches)
                waited += time.perf_counter() - asked
                self._losses.append(self.learner.step(low, high, self.step))
                self.step += 1
                yield self._after_step(waited / (time.perf_counter() - began))
        finally:
            batches.close()
        self.save()

    def _after_step(self, waiting: float) -> Report:
        recipe, done = self.learner.recipe, self.step == self.learner.recipe.steps
        loss = self._mean_loss() if done or self.step % recipe.log_every == 0 else None
        psnr = self.validate() if done or self.step % recipe.validate_every == 0 else None
        if self.step % recipe.checkpoint_every == 0:
            self.save()
        stage, inner = recipe.stage_at(self.step - 1)
        return Report(self.step, loss, stage.lr_at(inner), waiting, psnr)

    def _mean_loss(self) -> float:
        losses = self.process.mean(torch.stack(self._losses))
        self._losses.clear()
        if not torch.isfinite(losses).all():
            raise ModelError(
                f"the training diverged before step {self.step} (loss is not finite); "
                "begin another one from its last.safetensors (--start) with a lower learning rate"
            )
        return float(losses.mean())

    def validate(self) -> float | None:
        """Tries the averaged weights; keeps them as ``best.safetensors`` where they are the best so far."""
        if not self.validation or self.process.rank:
            return None
        network = self.learner.averaged()
        enlarge = network_enlarger(network, self.learner.pixel_range, self.learner.device)
        psnr = evaluate("validation", enlarge, self.validation, self.learner.recipe.scale).mean.psnr_y
        if psnr > self.best:
            self.best = psnr
            self._save_weights(BEST)
        return psnr

    def save(self) -> None:
        """Writes the checkpoint and, once something is learnt, the averaged weights as ``last.safetensors``."""
        if self.process.rank:
            return
        content = {"step": self.step, "best": self.best, "recipe": self.learner.recipe.as_dict()}
        save_checkpoint(self.folder / CHECKPOINT, {**content, "learner": self.learner.state_dict()})
        if self.step:
            self._save_weights(LAST)

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
