"""The protocol of all engines, and which one is opened."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor

from rfdn_video.inference.engines.pytorch import TorchEngine
from rfdn_video.models.weights import Weights

__all__ = ["Engine", "open_engine"]


class Engine(Protocol):
    """One network, ready to run on one device. Several threads may run it at the same time.

    Attributes:
        name: as :class:`rfdn_video.Settings` names it.
        device: where images lie before and after.
        precision: number format in which the network computes.
    """

    name: str
    device: torch.device
    precision: torch.dtype

    def __call__(self, image: Tensor) -> Tensor:
        """Runs the network once.

        Args:
            image: [N, 3, H, W] float32 on ``device``, 0..1, any H, W >= 1.

        Returns:
            [N, 3, s*H, s*W] float32 on ``device``, 0..1, not clamped.
        """


def open_engine(weights: Weights, device: torch.device, precision: torch.dtype) -> Engine:
    """The network of ``weights`` on ``device``.

    Raises:
        DeviceError: out of memory.
    """
    return TorchEngine(weights, device, precision)
