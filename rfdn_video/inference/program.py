"""What happens to one picture on the device: planes to RGB, network, RGB to planes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from rfdn_video.frame import Color, Frame, PixelFormat
from rfdn_video.inference.colorspace import PlanesToRGB, RGBToPlanes
from rfdn_video.inference.device import report_out_of_memory
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
        network: on the device, in its number format.
        exact_network: gives the same network in float32, for pictures that half precision cannot do.
        pixel_range: largest pixel value the network takes.
        device: where it runs.
    """

    def __init__(
        self,
        shape: PictureShape,
        plan: ScalePlan,
        network: nn.Module,
        exact_network: Callable[[], nn.Module],
        pixel_range: float,
        device: torch.device,
    ) -> None:
        self.shape, self.plan = shape, plan
        self.half = next(network.parameters()).dtype is not torch.float32
        self._exact_network, self._pixel_range = exact_network, pixel_range
        self._to_rgb = PlanesToRGB(shape.format, shape.color, *plan.source, device)
        self._to_planes = RGBToPlanes(shape.format, shape.color, *plan.target, device)
        self._enlarge = Enlarger(network, plan, pixel_range)

    def run(self, inputs: Sequence[Tensor], outputs: Sequence[Tensor], finite: Tensor, *, exact: bool = False) -> None:
        """Queues the work on the current stream.

        Args:
            inputs: planes of the source picture, [height, width] each.
            outputs: planes that take the result.
            finite: scalar bool; becomes False where half precision gave NaN or infinity.
            exact: use the float32 network.
        """
        enlarge = Enlarger(self._exact_network(), self.plan, self._pixel_range) if exact else self._enlarge
        with report_out_of_memory(self.shape.width, self.shape.height):
            rgb = enlarge(self._to_rgb(inputs))
            for output, plane in zip(outputs, self._to_planes(rgb), strict=True):
                output.copy_(plane)
            if self.half:
                finite.copy_(torch.isfinite(rgb).all())
