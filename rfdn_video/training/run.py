"""A training as the user asks for it: recipe, data and folder, kept in the folder to go on from."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from rfdn_video.errors import InputError, ModelError, OutputError, UsageError
from rfdn_video.folder_lock import sole_user
from rfdn_video.models.catalog import BUNDLED
from rfdn_video.models.weights import Weights, load_weights
from rfdn_video.training.checkpoint import load_checkpoint, write_json
from rfdn_video.training.data import PairCache
from rfdn_video.training.distributed import Process, join
from rfdn_video.training.evaluate import find_pairs
from rfdn_video.training.journal import LOG
from rfdn_video.training.learner import Learner, check_start
from rfdn_video.training.recipe import Recipe, parse_recipe
from rfdn_video.training.sources import cache_name, find_sources, prepare_cache
from rfdn_video.training.train import CHECKPOINT, LAST, Trainer

__all__ = ["RUN", "Run", "check_validation", "load_run", "open_trainer", "sole_trainer"]

RUN = "run.json"


@dataclass(frozen=True)
class Run:
    """Everything about one training.

    Attributes:
        recipe: what is done.
        data: images, videos, and folders of them.
        validation: a folder of images to try the weights on, or None.
        start: a weights file to start from, ``"bundled"``, or None.
        cache: folder for prepared pairs; several trainings may share it.
    """

    recipe: Recipe
    data: tuple[Path, ...]
    validation: Path | None
    start: str | None
    cache: Path

    def save(self, folder: Path) -> None:
        """Begins a folder for this training, if all that it was given is there.

        Raises:
            UsageError: the recipe needs weights to start from, and none are given.
            InputError, ModelError: the data, the images to validate on or the weights to start from cannot be used.
            OutputError: the folder holds a training already, or cannot be written.
        """
        if self.recipe.needs_start and self.start is None:
            raise UsageError(
                f"this recipe starts x{self.recipe.scale} from trained weights; give --start FILE, "
                "or --from-scratch to do without"
            )
        _check_free(folder)
        find_sources(self.data)
        if self.validation is not None:
            check_validation(self.validation, self.recipe.scale)
        if self.start is not None:
            check_start(_load_start(self), self.recipe.config)
        with sole_trainer(folder):
            _check_free(folder)  # another process may have begun there in the meantime
            write_json(folder / RUN, self._as_dict())

    def _as_dict(self) -> dict[str, Any]:
        """With absolute paths: it may be gone on with from elsewhere."""
        is_file = self.start not in (None, "bundled")
        return {
            "recipe": self.recipe.as_dict(),
            "data": [str(path.absolute()) for path in self.data],
            "validation": str(self.validation.absolute()) if self.validation else None,
            "start": str(Path(str(self.start)).absolute()) if is_file else self.start,
            "cache": str(self.cache.absolute()),
        }


def sole_trainer(folder: Path) -> AbstractContextManager[None]:
    """Makes a training's folder and holds it for this process.

    Raises:
        OutputError: on entering, where it cannot be made, or another process trains there.
    """
    taken = f"{folder}: is being trained by another process; wait, or give another folder"
    return sole_user(folder, "training.lock", taken)


def _check_free(folder: Path) -> None:
    if (folder / RUN).exists():
        raise OutputError(f"{folder}: holds a training; go on with --resume, or give another folder")


def check_validation(folder: Path, scale: int) -> None:
    """Loads every pair once: a bad one would end the training at its first validation, hours later.

    Raises:
        InputError: no image is there, or one cannot be read or scored.
    """
    for pair in find_pairs(folder, scale):
        pair.load(scale)


def load_run(folder: Path) -> Run:
    """Reads what :meth:`Run.save` wrote.

    Raises:
        InputError: the folder holds no training.
    """
    try:
        values = json.loads((folder / RUN).read_text(encoding="utf-8"))
        return Run(
            recipe=parse_recipe(values["recipe"], str(folder / RUN)),
            data=tuple(Path(path) for path in values["data"]),
            validation=Path(values["validation"]) if values["validation"] else None,
            start=values["start"],
            cache=Path(values["cache"]),
        )
    except (OSError, ValueError, KeyError, TypeError):
        raise InputError(f"{folder}: holds no training to go on with ({RUN} is missing or damaged)") from None


@contextmanager
def open_trainer(run: Run, folder: Path, device: torch.device, report: Callable[[int], None]) -> Iterator[Trainer]:
    """Makes ready to train, from the folder's checkpoint where there is one.

    Args:
        report: told how many training pairs were prepared so far.

    Raises:
        InputError: the folder's checkpoint is gone, so that going on would be beginning again; or it
            learnt from other data.
        OutputError: another process trains in the folder.
    """
    pairs = find_pairs(run.validation, run.recipe.scale) if run.validation else []
    with join(device, run.recipe.batch) as (process, own_device), _owned(folder, process):
        resume = (folder / CHECKPOINT).exists()
        if not resume and (folder / LOG).exists():
            raise InputError(f"{folder}: {CHECKPOINT} is missing, the training cannot go on; use another folder")
        sources = find_sources(run.data)
        if resume:
            _check_data(folder, cache_name(sources, run.recipe))
        cache = _shared_cache(sources, run, process, report)
        start = None if resume or run.start is None else _load_start(run)
        learner = Learner(run.recipe, own_device, start)
        yield Trainer(learner, cache, folder, validation=pairs, origin=_origin(run), process=process, resume=resume)


def _owned(folder: Path, process: Process) -> AbstractContextManager[None]:
    return nullcontext() if process.rank else sole_trainer(folder)


def _check_data(folder: Path, name: str) -> None:
    """Checkpoints of older versions do not say what they learnt from."""
    if load_checkpoint(folder / CHECKPOINT).get("cache", name) != name:
        raise InputError(
            f"{folder / CHECKPOINT}: learnt from other data, files were added, removed or changed since; "
            f"put them back, or begin another training from {folder / LAST} (--start)"
        )


def _shared_cache(sources: Sequence[Path], run: Run, process: Process, report: Callable[[int], None]) -> PairCache:
    if process.rank == 0:
        prepare_cache(sources, run.recipe, run.cache, report)
    process.wait()
    return prepare_cache(sources, run.recipe, run.cache, report)


def _origin(run: Run) -> str:
    """For people to read: a file's name may be any bytes, metadata are UTF-8."""
    if run.start is None:
        return "from scratch"
    return f"from {Path(run.start).name.encode(errors='backslashreplace').decode()}"


def _load_start(run: Run) -> Weights:
    if run.start != "bundled":
        return load_weights(Path(str(run.start)))
    scale = run.recipe.starts_from or run.recipe.scale
    for weights in BUNDLED:
        if (weights.network, weights.tune, weights.scale) == (run.recipe.network, "clean", scale):
            return load_weights(weights.path, sha256=weights.sha256)
    raise ModelError(f"no weights of {run.recipe.network} x{scale} are bundled; give a file with --start")
