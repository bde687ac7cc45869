"""What a network costs, counted as in the AIM 2020 report (arXiv 2009.06943) and the paper.

Nothing is computed: the network runs on tensors that have a shape and no data.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from rfdn_video.models.rfdn import RFDN, RFDNConfig

__all__ = ["Complexity", "measure_complexity"]


@dataclass(frozen=True)
class Complexity:
    """Of one image of a given size.

    Attributes:
        parameters: weights and biases.
        multiply_adds: of all convolutions, biases not counted.
        activations: values in the outputs of all convolutions.
    """

    parameters: int
    multiply_adds: int
    activations: int


def measure_complexity(config: RFDNConfig, width: int, height: int) -> Complexity:
    """Counts for an *input* of ``width`` x ``height`` pixels."""
    with torch.device("meta"):
        network = RFDN(config)
        image = torch.empty(1, 3, height, width)
    multiply_adds = activations = 0

    def count(conv: nn.Module, _inputs: tuple[Tensor, ...], output: Tensor) -> None:
        nonlocal multiply_adds, activations
        assert isinstance(conv, nn.Conv2d)
        activations += output.numel()
        multiply_adds += output.numel() * (conv.weight.numel() // conv.out_channels)

    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            module.register_forward_hook(count)
    with torch.no_grad():
        network(image)
    return Complexity(sum(p.numel() for p in network.parameters()), multiply_adds, activations)
