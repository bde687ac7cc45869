"""RGB in, larger RGB out: the network's passes and the final resampling."""

from __future__ import annotations

from torch import Tensor

from rfdn_video.inference.engines.engine import Engine
from rfdn_video.inference.resample import resample, resize_taps
from rfdn_video.inference.scaling import ScalePlan

__all__ = ["Enlarger"]


class Enlarger:
    """Runs one network as a :class:`ScalePlan` says.

    Calling it takes and gives [N, 3, H, W] float32 on the 0..1 scale, on the engine's device, not clamped.
    """

    def __init__(self, engine: Engine, plan: ScalePlan) -> None:
        self._engine, self._plan = engine, plan
        self._taps = None
        if plan.resamples:
            (wide, high), (new_wide, new_high) = plan.enlarged, plan.target
            self._taps = resize_taps(high, new_high).to(engine.device), resize_taps(wide, new_wide).to(engine.device)

    def __call__(self, rgb: Tensor) -> Tensor:
        for _ in range(self._plan.passes):
            rgb = self._engine(rgb)
        return resample(rgb, *self._taps) if self._taps is not None else rgb
