"""The engine that is always there: PyTorch, channels last."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from rfdn_video.inference.fusion import fuse
from rfdn_video.models.weights import Weights

__all__ = ["TorchEngine"]


class TorchEngine:
    """See :class:`rfdn_video.inference.engines.engine.Engine`."""

    name = "torch"

    def __init__(self, weights: Weights, device: torch.device, precision: torch.dtype) -> None:
        self.device, self.precision = device, precision
        network = fuse(weights).build()
        self._network: nn.Module = network.to(device, precision, memory_format=torch.channels_last)  # type: ignore[call-overload]

    def __call__(self, image: Tensor) -> Tensor:
        enlarged: Tensor = self._network(image.to(self.precision, memory_format=torch.channels_last))
        return enlarged.float()
