"""Recipes: the bundled ones are the paper's, and a mistake is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from rfdn_video.errors import ModelError, UsageError
from rfdn_video.training.recipe import Stage, load_recipe, parse_recipe, recipe_names


@pytest.mark.parametrize("name", recipe_names())
def test_every_bundled_recipe_loads(name: str) -> None:
    recipe = load_recipe(name)
    assert recipe.description
    assert parse_recipe(recipe.as_dict(), "again") == recipe


def test_rfdn_is_trained_as_in_the_paper() -> None:
    recipe = load_recipe("rfdn")
    assert (recipe.batch, recipe.patch, recipe.stages[0].loss) == (64, 64, "l1")
    rates = [recipe.stage_at(step)[0].lr_at(step) for step in (0, 199_999, 200_000, 400_000)]
    assert rates == [5e-4, 5e-4, 2.5e-4, 1.25e-4]
    assert not recipe.needs_start
    assert load_recipe("rfdn", {"scale": 4}).needs_start


def test_e_rfdn_is_fine_tuned_with_l2() -> None:
    recipe = load_recipe("e-rfdn")
    assert recipe.patch * recipe.scale == 256
    stage, inner = recipe.stage_at(1_000_000)
    assert (stage.loss, stage.lr_at(inner), inner) == ("l2", 1e-5, 0)


def test_cosine_falls_from_the_rate_to_nothing() -> None:
    stage = Stage(steps=100, lr=1e-3, schedule="cosine")
    assert [stage.lr_at(step) for step in (0, 50, 100)] == pytest.approx([1e-3, 5e-4, 0])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"color": 1}, "unknown key 'color'"),
        ({"batch": 0}, "batch 0"),
        ({"batch": "8"}, "batch '8'"),
        ({"ema": 1.0}, "ema 1.0"),
        ({"least_crf": 36}, "most_crf 35"),
        ({"most_crf": 52}, "most_crf 52"),
        ({"dark_edges": 1.5}, "dark_edges 1.5"),
        ({"degradation": "vhs"}, "degradation 'vhs'"),
        ({"stages": []}, "at least one"),
        ({"stages": 3}, "must be"),
        ({"stages": [{"lr": 0.1}]}, "steps"),
        ({"stages": [{"steps": 3, "loss": "l3"}]}, "loss 'l3'"),
        ({"stages": [{"steps": 3, "lr": 0.0}]}, "lr 0.0"),
        ({"stages": [{"steps": 3, "precision": "fp8"}]}, "precision 'fp8'"),
        ({"stages": [{"steps": 3, "momentum": 1}]}, "unknown key 'momentum'"),
    ],
)
def test_a_mistake_is_named(change: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        load_recipe("rfdn", change)


def test_an_unknown_network_recipe_or_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="srcnn"):
        load_recipe("rfdn", {"network": "srcnn"})
    with pytest.raises(UsageError, match="bundled"):
        load_recipe("nonsense")
    (tmp_path / "broken.toml").write_text("network = ")
    with pytest.raises(UsageError, match=r"broken\.toml"):
        load_recipe(str(tmp_path / "broken.toml"))
