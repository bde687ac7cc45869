"""RGB in, larger RGB out: the network's passes and the final resampling."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from rfdn_video.inference.resample import resample, resize_taps
from rfdn_video.inference.scaling import ScalePlan

__all__ = ["Enlarger"]


class Enlarger:
    """Runs one network as a :class:`ScalePlan` says.

    Args:
        network: float32, on the device, in the pixel range given.
        plan: passes and sizes.
        pixel_range: largest pixel value the network takes, 1.0 or 255.0.

    Calling it takes and gives [N, 3, H, W] float32 on the 0..1 scale, not clamped; the network
    itself runs in its own number format.
    """

    def __init__(self, network: nn.Module, plan: ScalePlan, pixel_range: float) -> None:
        self._network, self._plan, self._pixel_range = network, plan, pixel_range
        parameter = next(network.parameters())
        self._dtype = parameter.dtype
        self._taps = None
        if plan.resamples:
            (wide, high), (new_wide, new_high) = plan.enlarged, plan.target
            device = parameter.device
            self._taps = resize_taps(high, new_high).to(device), resize_taps(wide, new_wide).to(device)

    def __call__(self, rgb: Tensor) -> Tensor:
        x = (rgb * self._pixel_range).to(self._dtype, memory_format=torch.channels_last)
        for _ in range(self._plan.passes):
            x = self._network(x)
        enlarged = x.float() / self._pixel_range
        return resample(enlarged, *self._taps) if self._taps is not None else enlarged
