"""What a training does, as data: a recipe is a TOML file of stages, validated when it is read."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Literal, get_args

from rfdn_video.errors import UsageError
from rfdn_video.models.networks import network_config
from rfdn_video.models.rfdn import RFDNConfig
from rfdn_video.settings import read_toml

__all__ = [
    "Degradation",
    "Loss",
    "OptimizerKind",
    "Precision",
    "Recipe",
    "Stage",
    "load_recipe",
    "parse_recipe",
    "recipe_names",
]

type Loss = Literal["l1", "l2"]
type OptimizerKind = Literal["adam", "muon"]
type Schedule = Literal["constant", "halve", "cosine"]
type Precision = Literal["auto", "fp32", "bf16"]
type Degradation = Literal["bicubic", "video"]

MAX_CRF = 51  # of x264 and x265
_FOLDER = Path(__file__).parent / "recipes"


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A stretch of a training with one loss and one course of the learning rate; the optimizer starts anew.

    Attributes:
        steps: how many.
        loss: ``"l1"`` or ``"l2"``, means over all values of a batch.
        optimizer: ``"adam"``, or ``"muon"`` for the weights and Adam for the biases.
        lr: the learning rate at the stage's beginning; Muon wants about three times Adam's.
        schedule: ``"constant"``, ``"halve"`` every ``halve_every`` steps, or ``"cosine"`` to nothing.
        precision: of the network's passes; weights, loss and optimizer are fp32 in any case. ``"auto"``: fp16
            on CUDA, else fp32. ``"bf16"``: about twice as fast on a CPU that multiplies it (AVX-512 BF16, AMX);
            its 8 bits of mantissa are fewer than a pixel's, so let a stage of fp32 follow.
    """

    steps: int
    loss: Loss = "l1"
    optimizer: OptimizerKind = "adam"
    lr: float = 5e-4
    schedule: Schedule = "halve"
    precision: Precision = "auto"
    halve_every: int = 200_000

    def __post_init__(self) -> None:
        _check_at_least("steps", self.steps, 1)
        _check_at_least("halve_every", self.halve_every, 1)
        _check_choice("loss", self.loss, get_args(Loss.__value__))
        _check_choice("optimizer", self.optimizer, get_args(OptimizerKind.__value__))
        _check_choice("schedule", self.schedule, get_args(Schedule.__value__))
        _check_choice("precision", self.precision, get_args(Precision.__value__))
        if not (isinstance(self.lr, float) and 0 < self.lr < 1):
            raise UsageError(f"lr {self.lr}: above 0 and below 1 is allowed")

    def lr_at(self, step: int) -> float:
        """The learning rate of the stage's step, counted from 0."""
        if self.schedule == "halve":
            return float(self.lr * 0.5 ** (step // self.halve_every))
        if self.schedule == "cosine":
            return self.lr * (1 + math.cos(math.pi * step / self.steps)) / 2
        return self.lr


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """A whole training.

    Attributes:
        network, scale, ratio: as ``network_config`` takes them; ``ratio`` 0 is the network's own.
        degradation: how low-resolution images are made: ``"bicubic"``, or ``"video"``: bicubic,
            then a real H.264 or H.265 encode.
        batch: patches a step, over all processes together.
        patch: side of a low-resolution patch in pixels.
        ema: decay of the moving average of the weights, which is what is validated and kept.
        starts_from: a scale; networks of another scale start from trained weights of that one. 0: none.
        fine_tunes: start from trained weights whatever the scale.
        log_every, validate_every, checkpoint_every: in steps.
        clips: for ``"video"``: how many clips are made and encoded.
        least_crf, most_crf: of these clips, 0 to 51: 16 is hardly visible, 35 is poor.
        dark_edges: for ``"video"`` made of stills: how likely a side of a clip is to have a black edge, 0 to 1.
        stages: what is done, in order.
    """

    description: str = ""
    network: str
    scale: int
    ratio: float = 0.0
    degradation: Degradation = "bicubic"
    batch: int = 64
    patch: int = 64
    ema: float = 0.999
    seed: int = 0
    starts_from: int = 0
    fine_tunes: bool = False
    log_every: int = 100
    validate_every: int = 5_000
    checkpoint_every: int = 1_000
    clips: int = 1_500
    least_crf: int = 16
    most_crf: int = 35
    dark_edges: float = 0.0
    stages: tuple[Stage, ...]

    def __post_init__(self) -> None:
        _ = self.config
        _check_choice("degradation", self.degradation, get_args(Degradation.__value__))
        for name in ("batch", "log_every", "validate_every", "checkpoint_every", "clips"):
            _check_at_least(name, getattr(self, name), 1)
        _check_at_least("patch", self.patch, 8)
        _check_at_least("seed", self.seed, 0)
        _check_at_least("least_crf", self.least_crf, 0)
        _check_at_least("most_crf", self.most_crf, self.least_crf)
        if self.most_crf > MAX_CRF:
            raise UsageError(f"most_crf {self.most_crf}: up to {MAX_CRF} is allowed")
        if not 0 <= self.dark_edges <= 1:
            raise UsageError(f"dark_edges {self.dark_edges}: 0 up to 1 is allowed")
        if not 0 <= self.ema < 1:
            raise UsageError(f"ema {self.ema}: 0 (none) up to, not including, 1 is allowed")
        if not self.stages:
            raise UsageError("a recipe needs at least one [[stages]] table")

    @property
    def config(self) -> RFDNConfig:
        """The shape of the network."""
        return network_config(self.network, self.scale, self.ratio or None)

    @property
    def needs_start(self) -> bool:
        """Whether trained weights must be given to start from."""
        return self.fine_tunes or bool(self.starts_from and self.starts_from != self.scale)

    @property
    def tune(self) -> str:
        """What the weights are for: ``"clean"`` or ``"video"``."""
        return "video" if self.degradation == "video" else "clean"

    @property
    def steps(self) -> int:
        """Of all stages together."""
        return sum(stage.steps for stage in self.stages)

    def stage_at(self, step: int) -> tuple[Stage, int]:
        """The stage that a step (counted from 0) belongs to, and the step's number in it."""
        for stage in self.stages:
            if step < stage.steps:
                return stage, step
            step -= stage.steps
        raise IndexError(step)

    def as_dict(self) -> dict[str, Any]:
        """Plain data that :func:`parse_recipe` takes back."""
        return {**asdict(self), "stages": [asdict(stage) for stage in self.stages]}


def recipe_names() -> list[str]:
    """Names of the bundled recipes."""
    return sorted(path.stem for path in _FOLDER.glob("*.toml"))


def load_recipe(name: str, overrides: Mapping[str, Any] | None = None) -> Recipe:
    """Reads a bundled recipe by its name, or a TOML file (it ends in ``.toml``).

    Args:
        overrides: values that take the place of the file's.

    Raises:
        UsageError: it does not exist, is no TOML, or has a key or value that is not allowed.
        ModelError: no such network, or no such scale or ratio for it.
    """
    path = Path(name) if name.endswith(".toml") else _FOLDER / f"{name}.toml"
    try:
        values = read_toml(path)
    except FileNotFoundError:
        known = ", ".join(recipe_names())
        raise UsageError(f"no recipe {name!r}; bundled: {known}; or give a .toml file") from None
    except (OSError, ValueError) as error:
        raise UsageError(f"recipe {name}: {error}") from None
    return parse_recipe({**values, **(overrides or {})}, name)


def parse_recipe(values: Mapping[str, Any], name: str) -> Recipe:
    """Builds a recipe from plain data; raises as :func:`load_recipe`."""
    stages = values.get("stages", [])
    if not isinstance(stages, list) or not all(isinstance(stage, dict) for stage in stages):
        raise UsageError(f"recipe {name}: stages must be [[stages]] tables")
    _check_keys(name, values, Recipe)
    for stage in stages:
        _check_keys(f"{name}, [[stages]]", stage, Stage)
    try:
        return Recipe(**{**values, "stages": tuple(Stage(**stage) for stage in stages)})
    except TypeError as error:  # a key left out, or a text where a number belongs
        raise UsageError(f"recipe {name}: {str(error).removeprefix('Recipe.__init__() ')}") from None
    except UsageError as error:
        raise UsageError(f"recipe {name}: {error}") from None


def _check_keys(name: str, values: Mapping[str, Any], kind: type[Recipe | Stage]) -> None:
    allowed = [field.name for field in fields(kind)]
    if unknown := sorted(set(values) - set(allowed)):
        raise UsageError(f"recipe {name}: unknown key {unknown[0]!r}; allowed: {', '.join(allowed)}")


def _check_at_least(name: str, value: object, least: int) -> None:
    if not isinstance(value, int) or value < least:
        raise UsageError(f"{name} {value!r}: a whole number of {least} or more is allowed")


def _check_choice(name: str, value: object, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise UsageError(f"{name} {value!r}: allowed are {', '.join(allowed)}")
