"""What happens to one picture on the device: planes to RGB, network, RGB to planes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from rfdn_video.errors import ModelError
from rfdn_video.frame import Color, Frame, PixelFormat
from rfdn_video.inference.alpha import AlphaResizer
from rfdn_video.inference.colorspace import PlanesToRGB, RGBToPlanes
from rfdn_video.inference.device import report_device_errors
from rfdn_video.inference.enlarge import Enlarger
from rfdn_video.inference.fit import FittingEnlarger
from rfdn_video.settings import Dither

__all__ = ["PictureProgram", "PictureShape", "all_finite", "not_finite"]


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
        enlarger: does it.
        exact_enlarger: gives one that computes in float32, for pictures that half precision cannot do.
        weights_file: where the network comes from, for messages.
        result_format, result_color: of the enlarged pictures; None keeps the source's.
        dither: how they are rounded.

    Attributes:
        shape, plan: as given.
        result_format, result_color: as decided.
        half: the network computes in half precision.
    """

    def __init__(
        self,
        shape: PictureShape,
        enlarger: FittingEnlarger,
        exact_enlarger: Callable[[], FittingEnlarger],
        weights_file: Path,
        result_format: PixelFormat | None = None,
        result_color: Color | None = None,
        dither: Dither = "none",
    ) -> None:
        self.shape, self.plan = shape, enlarger.plan
        self.result_format, self.result_color = result_format or shape.format, result_color or shape.color
        self.half = enlarger.engine.precision is not torch.float32
        self._enlarger, self._exact_enlarger, self._weights_file = enlarger, exact_enlarger, weights_file
        device = enlarger.engine.device
        self._to_rgb = PlanesToRGB(shape.format, shape.color, *self.plan.source, device)
        self._to_planes = RGBToPlanes(self.result_format, self.result_color, *self.plan.target, device, dither)
        self._to_alpha = None
        if self.result_format.alpha:
            self._to_alpha = AlphaResizer(shape.format, self.result_format, self.plan.source, self.plan.target, device)

    @property
    def retries(self) -> int:
        """Pictures that were done again in smaller bands."""
        return self._enlarger.retries

    def run(self, inputs: Sequence[Tensor], outputs: Sequence[Tensor], finite: Tensor, *, exact: bool = False) -> None:
        """Queues the work on the current stream.

        Args:
            inputs: planes of the source picture, [height, width] each.
            outputs: planes that take the result.
            finite: scalar bool; whether the result holds no NaN or infinity.
            exact: use the float32 engine.
        """
        enlarger = self._exact_enlarger() if exact else self._enlarger
        with report_device_errors(f"frames of {self.shape.width}x{self.shape.height}"):
            enlarger.attempt(lambda enlarge: self._strips(enlarge, inputs, outputs, finite))

    def _strips(self, enlarge: Enlarger, inputs: Sequence[Tensor], outputs: Sequence[Tensor], finite: Tensor) -> None:
        """Source planes to result planes, strip by strip, so that no picture in RGB is ever whole in memory."""
        finite.fill_(True)
        read = enlarge.open(lambda rows: self._to_rgb(inputs, rows), range(self.plan.target[1]))
        for rows in enlarge.strips:
            rgb = read(self._to_planes.needed(rows))
            parts = self._to_planes(rgb, rows)
            if self._to_alpha is not None:
                parts.append(self._to_alpha(inputs, rows))
            for output, part in zip(outputs, parts, strict=True):
                top = rows.start * output.shape[0] // outputs[0].shape[0]
                output[top : top + part.shape[0]] = part
            finite &= all_finite(rgb)

    def not_finite(self, what: str) -> ModelError:
        """The error that the result for ``what`` is no picture."""
        return not_finite(self._weights_file, what)


def not_finite(weights_file: Path, what: str) -> ModelError:
    """The error that the result for ``what`` is no picture."""
    return ModelError(
        f"{weights_file}: gives NaN or infinity for {what}, in float32 too; "
        "the training went wrong or the weights are not meant for such pictures: give others with --weights"
    )


def all_finite(values: Tensor) -> Tensor:
    """Whether all values are numbers, as a scalar on their device. Reads them once and needs no memory."""
    low, high = torch.aminmax(values)  # NaN is the smallest and the largest where there is one
    return torch.isfinite(low + high)
