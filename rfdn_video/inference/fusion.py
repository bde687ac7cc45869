"""Exact rewriting of networks: the same function in fewer operations.

- ``conv3x3(x) + x`` is one ``conv3x3`` with 1 added at the kernel's centre, so every SRB loses an
  addition (arXiv 2009.11551, figure 2c).
- A network that takes 0..255 is one that takes 0..1 with its first kernel multiplied and its last
  one divided by 255.

Measured and left out: channels padded to whole vectors are slower on a CPU; the last two
convolutions have nothing between them, but joined into one they differ at the frame's edges.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import torch
from torch import Tensor

from rfdn_video.models.rfdn import BlockKind
from rfdn_video.models.weights import Weights

__all__ = ["fuse"]

_WITHOUT_RESIDUAL: dict[BlockKind, BlockKind] = {"rfdb": "fdc", "srb": "base"}


def fuse(weights: Weights) -> Weights:
    """Weights of a network without SRBs that takes and gives 0..1, and computes the same.

    Args:
        weights: any; they stay as they are.
    """
    state = _fold_pixel_range(weights.state, weights.pixel_range)
    kind = weights.config.block
    if kind in _WITHOUT_RESIDUAL:
        state = {name: _fold_residual(name, tensor) for name, tensor in state.items()}
        kind = _WITHOUT_RESIDUAL[kind]
    return replace(weights, config=replace(weights.config, block=kind), state=state, pixel_range=1.0)


def _fold_residual(name: str, tensor: Tensor) -> Tensor:
    if not name.endswith("_r.weight"):
        return tensor
    channels = tensor.shape[0]
    identity = torch.zeros_like(tensor)
    identity[range(channels), range(channels), 1, 1] = 1
    return tensor + identity


def _fold_pixel_range(state: Mapping[str, Tensor], pixel_range: float) -> dict[str, Tensor]:
    factors = {
        "fea_conv.weight": pixel_range,
        "upsampler.0.weight": 1 / pixel_range,
        "upsampler.0.bias": 1 / pixel_range,
    }
    return {name: tensor * factors[name] if name in factors else tensor for name, tensor in state.items()}
