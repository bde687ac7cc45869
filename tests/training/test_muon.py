"""Muon against torch's own, which takes matrices only, and against what an orthogonal step is."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from rfdn_video.training.learner import Learner
from rfdn_video.training.muon import Muon, orthogonalized
from rfdn_video.training.recipe import Recipe, Stage

CPU = torch.device("cpu")


@pytest.mark.parametrize("shape", [(48, 432), (13, 468), (300, 20)])
def test_all_directions_come_out_about_as_long_and_none_is_turned(shape: tuple[int, int]) -> None:
    matrix = torch.randn(shape, generator=torch.Generator().manual_seed(3))
    left, _, right = torch.linalg.svd(matrix, full_matrices=False)
    turned = left.T @ orthogonalized(matrix) @ right.T
    assert float((turned - turned.diag().diag()).abs().max()) < 1e-4
    assert 0.65 < float(turned.diag().min()) <= float(turned.diag().max()) < 1.25


def test_steps_are_those_of_torchs_own_muon() -> None:
    if not hasattr(torch.optim, "Muon"):
        pytest.skip("this torch has no Muon")
    generator = torch.Generator().manual_seed(5)
    convolution = torch.nn.Parameter(torch.zeros(24, 8, 3, 3))
    matrix = torch.nn.Parameter(torch.zeros(24, 72))
    ours = Muon([convolution], lr=1e-2)
    theirs = torch.optim.Muon([matrix], lr=1e-2, weight_decay=0, adjust_lr_fn="match_rms_adamw")
    for _ in range(4):
        gradient = torch.randn(24, 72, generator=generator)
        convolution.grad, matrix.grad = gradient.reshape(24, 8, 3, 3), gradient.clone()
        ours.step()
        theirs.step()
    # Theirs computes in bfloat16, of 8 bits.
    torch.testing.assert_close(convolution.detach().flatten(1), matrix.detach(), rtol=0, atol=0.03 * 1e-2)


def test_a_step_is_as_long_as_adams_would_be() -> None:
    weight = torch.nn.Parameter(torch.zeros(48, 48, 3, 3))
    weight.grad = torch.randn(weight.shape, generator=torch.Generator().manual_seed(7)) * 1e-3
    Muon([weight], lr=1e-3).step()
    assert float(weight.detach().square().mean().sqrt()) == pytest.approx(0.2 * 1e-3, rel=0.15)


def test_what_has_no_gradient_stays() -> None:
    weight = torch.nn.Parameter(torch.ones(4, 4, 3, 3))
    Muon([weight]).step()
    assert bool((weight == 1).all())


def test_a_recipe_may_ask_for_it_stage_by_stage_and_goes_on_where_it_was(recipe: Recipe) -> None:
    stages = (Stage(steps=3, optimizer="adam"), Stage(steps=9, optimizer="muon", lr=1e-3, schedule="constant"))
    recipe = replace(recipe, stages=stages)
    generator = torch.Generator().manual_seed(9)
    low = torch.randint(0, 256, (2, 3, 16, 16), dtype=torch.uint8, generator=generator)
    high = low.repeat_interleave(2, 2).repeat_interleave(2, 3)
    whole, begun, resumed = (Learner(recipe, CPU) for _ in range(3))
    losses = [float(whole.step(low, high, step)) for step in range(12)]
    assert [float(begun.step(low, high, step)) for step in range(6)] == losses[:6]
    resumed.load_state_dict(begun.state_dict())
    assert [float(resumed.step(low, high, step)) for step in range(6, 12)] == losses[6:]
    assert losses[-1] < losses[3]
