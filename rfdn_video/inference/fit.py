"""A picture that does not fit into memory is done again in smaller bands."""

from __future__ import annotations

from collections.abc import Callable

import torch

from rfdn_video.inference.device import is_out_of_memory
from rfdn_video.inference.engines.engine import Engine
from rfdn_video.inference.enlarge import Enlarger
from rfdn_video.inference.scaling import ScalePlan
from rfdn_video.inference.tiling import Tiling

__all__ = ["FittingEnlarger"]


class FittingEnlarger:
    """An :class:`Enlarger` whose bands are halved when the device runs out of memory.

    Args:
        engine, plan: as for :class:`Enlarger`.
        tiling: to begin with.
        fixed: keep it, whatever happens.

    Attributes:
        engine, plan: as given.
        tiling: in use.
        retries: how often it was halved, and a picture done again.
    """

    def __init__(self, engine: Engine, plan: ScalePlan, tiling: Tiling, *, fixed: bool = False) -> None:
        self.engine, self.plan = engine, plan
        self._fixed = fixed or not engine.runs_bands
        self.tiling, self.retries = tiling, 0
        self._enlarger: Enlarger | None = None

    def attempt[T](self, work: Callable[[Enlarger], T]) -> T:
        """Does ``work``, again and again as long as there are smaller bands to do it in.

        Raises:
            RuntimeError: out of memory in the smallest bands too.
        """
        while True:
            smaller = None if self._fixed else self.tiling.halved(self.plan)
            try:
                if self._enlarger is None:
                    self._enlarger = Enlarger(self.engine, self.plan, self.tiling)
                return work(self._enlarger)
            except RuntimeError as error:
                if smaller is None or not is_out_of_memory(error):
                    raise
            # Not before here is what the failed try held free.
            self._enlarger, self.tiling, self.retries = None, smaller, self.retries + 1
            if self.engine.device.type == "cuda":
                torch.cuda.empty_cache()
