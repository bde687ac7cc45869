"""A small training: a network of few channels would do, but the catalogue's smallest is small enough."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from rfdn_video.training.data import PairCache
from rfdn_video.training.recipe import Recipe, Stage
from rfdn_video.training.sources import find_sources, prepare_cache


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Patches this small are slower on several threads, many times so on a busy machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def photographs(tmp_path: Path) -> Path:
    """Four pictures of 64x48 with edges and slopes, made from random boxes."""
    folder = tmp_path / "photographs"
    folder.mkdir()
    random = np.random.default_rng(5)
    for i in range(4):
        image = np.zeros((48, 64, 3))
        for _ in range(12):
            top, left = random.integers(48), random.integers(64)
            image[top : top + 20, left : left + 20] = random.uniform(0, 255, 3)
        Image.fromarray(image.astype(np.uint8)).save(folder / f"{i}.png")
    return folder


@pytest.fixture
def recipe() -> Recipe:
    """E-RFDN x2, a few steps of two small patches."""
    return Recipe(
        network="e-rfdn",
        scale=2,
        batch=2,
        patch=16,
        ema=0.9,
        log_every=1,
        validate_every=4,
        checkpoint_every=3,
        stages=(Stage(steps=6, lr=1e-3), Stage(steps=4, loss="l2", lr=1e-4, schedule="cosine")),
    )


@pytest.fixture
def cache(photographs: Path, recipe: Recipe, tmp_path: Path) -> PairCache:
    """Of the photographs, as the recipe wants it."""
    return prepare_cache(find_sources([photographs]), recipe, tmp_path / "cache", lambda _: None)


@pytest.fixture
def recipe_file(recipe: Recipe, tmp_path: Path) -> Path:
    """The recipe as a file that ``-r`` takes."""
    path = tmp_path / "short.toml"
    values = recipe.as_dict()
    lines = [f"{key} = {json.dumps(value)}" for key, value in values.items() if key != "stages"]
    for stage in values["stages"]:
        lines += ["[[stages]]", *(f"{key} = {json.dumps(value)}" for key, value in stage.items())]
    path.write_text("\n".join(lines))
    return path
