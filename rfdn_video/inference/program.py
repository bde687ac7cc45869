"""What happens to one picture on the device: planes to RGB, network, RGB to planes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from rfdn_video.frame import Color, Frame, PixelFormat
from rfdn_video.inference.colorspace import PlanesToRGB, RGBToPlanes
from rfdn_video.inference.device import report_out_of_memory
from rfdn_video.inference.engines.engine import Engine
from rfdn_video.inference.enlarge import Enlarger
from rfdn_video.inference.scaling import ScalePlan

__all__ = ["PictureProgram", "PictureShape"]


@dataclass(frozen=True)
class PictureShape:
    """What a program and its buffers are made for."""

    width: int
    height: int
    format: PixelFormat
    color: Color

    @classmethod
    def of(cls, frame: Frame) -> PictureShape:
        """The shape of a frame."""
        return cls(frame.width, frame.height, frame.format, frame.color)


class PictureProgram:
    """Enlarges pictures of one shape.

    Args:
        shape: of the pictures.
        plan: passes and sizes.
        engine: runs the network.
        exact_engine: gives one that computes in float32, for pictures that half precision cannot do.
        result_format, result_color: of the enlarged pictures; None keeps the source's.

    Attributes:
        shape, plan: as given.
        result_format, result_color: as decided.
        half: the network computes in half precision.
    """

    def __init__(
        self,
        shape: PictureShape,
        plan: ScalePlan,
        engine: Engine,
        exact_engine: Callable[[], Engine],
        result_format: PixelFormat | None = None,
        result_color: Color | None = None,
    ) -> None:
        self.shape, self.plan = shape, plan
        self.result_format, self.result_color = result_format or shape.format, result_color or shape.color
        self.half = engine.precision is not torch.float32
        self._exact_engine = exact_engine
        self._to_rgb = PlanesToRGB(shape.format, shape.color, *plan.source, engine.device)
        self._to_planes = RGBToPlanes(self.result_format, self.result_color, *plan.target, engine.device)
        self._enlarge = Enlarger(engine, plan)

    def run(self, inputs: Sequence[Tensor], outputs: Sequence[Tensor], finite: Tensor, *, exact: bool = False) -> None:
        """Queues the work on the current stream.

        Args:
            inputs: planes of the source picture, [height, width] each.
            outputs: planes that take the result.
            finite: scalar bool; becomes False where half precision gave NaN or infinity.
            exact: use the float32 engine.
        """
        enlarge = Enlarger(self._exact_engine(), self.plan) if exact else self._enlarge
        with report_out_of_memory(self.shape.width, self.shape.height):
            rgb = enlarge(self._to_rgb(inputs))
            for output, plane in zip(outputs, self._to_planes(rgb), strict=True):
                output.copy_(plane)
            if self.half:
                finite.copy_(torch.isfinite(rgb).all())
