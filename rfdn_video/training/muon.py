"""Muon: momentum whose matrix is made orthogonal before it is taken as a step (Jordan et al. 2024).

torch's own takes matrices only and computes in bfloat16, which most CPUs emulate; this one takes convolutions.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn

__all__ = ["Muon", "orthogonalized"]

NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)
"""Jordan's quintic: steep at 0, so that five rounds bring singular values from 0.01 on to between 0.7 and 1.2."""
ROUNDS = 5
ADAM_RMS = 0.2
"""The root mean square of Adam's steps, as a share of its learning rate (Liu et al. 2025, arXiv 2502.16982,
section 2.2): scaled to it, Muon takes learning rates of Adam's kind."""


class Muon(torch.optim.Optimizer):
    """Steps that are as long in every direction of a weight's matrix.

    A convolution's weight is the matrix of its filters, [out, in * height * width]. Adam weighs each value alone; here
    directions of small gradients, which a few strong ones hide, are learnt as fast as those.

    Args:
        params: weights of two dimensions or more; biases are Adam's.
        lr: the root mean square of a step is 0.2 of it.
        momentum: of Nesterov's kind.
    """

    def __init__(self, params: Iterable[nn.Parameter], lr: float = 1e-3, momentum: float = 0.95) -> None:
        super().__init__(params, {"lr": lr, "momentum": momentum})

    @torch.no_grad()
    def step(self) -> None:  # type: ignore[override]
        """Takes one step along the gradients that are there."""
        for group in self.param_groups:
            for weight in group["params"]:
                if weight.grad is not None:
                    self._step(weight, group["lr"], group["momentum"])

    def _step(self, weight: nn.Parameter, lr: float, momentum: float) -> None:
        assert weight.grad is not None
        state = self.state[weight]
        if "momentum" not in state:
            state["momentum"] = torch.zeros_like(weight)
        mean = state["momentum"].lerp_(weight.grad, 1 - momentum)
        direction = orthogonalized(weight.grad.lerp(mean, momentum).flatten(1))
        rms = max(direction.shape) ** -0.5  # of an orthogonal matrix
        weight.add_(direction.reshape(weight.shape), alpha=-lr * ADAM_RMS / rms)


def orthogonalized(matrix: Tensor) -> Tensor:
    """About the nearest matrix whose rows (or columns, whichever are fewer) are orthonormal, by Newton-Schulz.

    Args:
        matrix: [N, M], floats.

    Returns:
        [N, M], of the singular vectors of ``matrix`` and singular values of 0.7 to 1.2; those of less than about
        a hundredth of its norm come out smaller.
    """
    tall = matrix.shape[0] > matrix.shape[1]
    x = matrix.T if tall else matrix
    x = x / (x.norm() + 1e-12)
    linear, cubic, quintic = NEWTON_SCHULZ
    for _ in range(ROUNDS):
        square = x @ x.T
        x = torch.addmm(x, torch.addmm(square, square, square, beta=cubic, alpha=quintic), x, beta=linear)
    return x.T if tall else x
