"""What happens to one picture on the device: planes to RGB, network, RGB to planes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from weakref import ReferenceType, ref

import numpy as np
import torch
from torch import Tensor

from rfdn_video.errors import ModelError, UsageError
from rfdn_video.frame import ChromaLocation, Color, Frame, Matrix, PixelFormat
from rfdn_video.inference.alpha import AlphaResizer
from rfdn_video.inference.colorspace import PlanesToRGB, RGBToPlanes
from rfdn_video.inference.device import report_device_errors
from rfdn_video.inference.enlarge import Enlarger
from rfdn_video.inference.fit import FittingEnlarger
from rfdn_video.inference.reuse import Strips
from rfdn_video.inference.rows import grow, meet
from rfdn_video.settings import Dither

__all__ = ["Earlier", "Made", "PictureProgram", "PictureShape", "all_finite", "check_color", "not_finite"]

NEAR = 48
"""Rows of the source around a strip that matter to ``--reuse near``, see docs/reuse.md for what it costs."""


@dataclass(frozen=True)
class PictureShape:
    """What a program and its buffers are made for."""

    width: int
    height: int
    format: PixelFormat
    color: Color

    @classmethod
    def of(cls, frame: Frame) -> PictureShape:
        """The shape of a frame.

        Raises:
            UsageError: its planes are not what its format says, or its colour leaves something open.
        """
        layout, color = frame.format, frame.color
        planes = [(plane.shape, plane.dtype) for plane in frame.planes]
        wanted = [(size, np.dtype(layout.dtype)) for size in layout.plane_sizes(frame.width, frame.height)]
        if planes != wanted:
            raise UsageError(f"planes of {_listed(planes)} are no {layout}: that has {_listed(wanted)}")
        check_color(layout, color)
        return cls(frame.width, frame.height, layout, color)


def check_color(layout: PixelFormat, color: Color) -> None:
    """Refuses a colour that leaves something open which the format needs.

    Raises:
        UsageError: with what it is.
    """
    if layout.family != "rgb" and color.matrix in (Matrix.RGB, Matrix.UNSPECIFIED):
        raise UsageError(f"matrix {color.matrix.name} of a frame in {layout}: another one is needed")
    if (layout.sub_w or layout.sub_h) and color.chroma_location is ChromaLocation.UNSPECIFIED:
        raise UsageError("the chroma of a frame is subsampled, but its chroma_location is UNSPECIFIED")


def _listed(planes: Sequence[tuple[tuple[int, ...], np.dtype[Any]]]) -> str:
    return ", ".join(f"{'x'.join(map(str, reversed(shape)))} {dtype}" for shape, dtype in planes)


@dataclass(frozen=True)
class Made:
    """How a picture was made.

    Attributes:
        enlarger: that did it, as long as it is in use: one whose bands were too large must not hold their memory.
        copied: share of its rows that were taken from an earlier picture.
    """

    enlarger: ReferenceType[Enlarger]
    copied: float


@dataclass(frozen=True)
class Earlier:
    """An earlier picture's result, and where the source has changed since.

    Attributes:
        outputs, finite: as :meth:`PictureProgram.run` filled them; they may be those of the new picture.
        enlarger: that did it: one of other bands, or of float32, rounds otherwise.
        changed: rows of the source.
    """

    outputs: Sequence[Tensor]
    finite: Tensor
    enlarger: ReferenceType[Enlarger]
    changed: Sequence[range]


class PictureProgram:
    """Enlarges pictures of one shape.

    Args:
        shape: of the pictures.
        enlarger: does it.
        exact_enlarger: gives one that computes in float32, for pictures that half precision cannot do.
        weights_file: where the network comes from, for messages.
        result_format, result_color: of the enlarged pictures; None keeps the source's.
        dither: how they are rounded.
        near: strips of which only something far away has changed are not done again.

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
        *,
        near: bool = False,
    ) -> None:
        self.shape, self.plan, self._near = shape, enlarger.plan, near
        self.result_format, self.result_color = result_format or shape.format, result_color or shape.color
        self.half = enlarger.engine.precision is not torch.float32
        self._enlarger, self._exact_enlarger, self._weights_file = enlarger, exact_enlarger, weights_file
        device = enlarger.engine.device
        self._to_rgb = PlanesToRGB(shape.format, shape.color, *self.plan.source, device)
        self._to_planes = RGBToPlanes(self.result_format, self.result_color, *self.plan.target, device, dither)
        self._to_alpha = None
        if self.result_format.alpha:
            self._to_alpha = AlphaResizer(shape.format, self.result_format, self.plan.source, self.plan.target, device)
        self._exact: FittingEnlarger | None = None
        self._known: tuple[ReferenceType[Enlarger], Strips] | None = None

    @property
    def retries(self) -> int:
        """Pictures that were done again in smaller bands."""
        return self._enlarger.retries + (self._exact.retries if self._exact else 0)

    @property
    def in_strips(self) -> bool:
        """A part of a picture can be done without the rest, and gets the same bits."""
        return any(self._enlarger.tiling.bands) and self._enlarger.engine.repeats_rows

    def run(
        self,
        inputs: Sequence[Tensor],
        outputs: Sequence[Tensor],
        finite: Tensor,
        *,
        earlier: Earlier | None = None,
        exact: bool = False,
    ) -> Made:
        """Queues the work on the current stream.

        Args:
            inputs: planes of the source picture, [height, width] each.
            outputs: planes that take the result.
            finite: scalar bool; whether the result holds no NaN or infinity.
            earlier: what of it did not change is copied.
            exact: use the float32 engine.
        """
        enlarger = self._enlarger
        if exact:
            enlarger = self._exact = self._exact or self._exact_enlarger()
        with report_device_errors(f"frames of {self.shape.width}x{self.shape.height}"):
            return enlarger.attempt(lambda enlarge: self._picture(enlarge, inputs, outputs, finite, earlier))

    def _picture(
        self,
        enlarge: Enlarger,
        inputs: Sequence[Tensor],
        outputs: Sequence[Tensor],
        finite: Tensor,
        earlier: Earlier | None,
    ) -> Made:
        runs, copied = [enlarge.strips], 0.0
        if earlier is not None and earlier.enlarger() is enlarge:
            runs = self._strips_of(enlarge).to_redo(earlier.changed)
            copied = 1 - sum(len(rows) for run in runs for rows in run) / self.plan.target[1]
        if copied and earlier is not None:
            for target, source in zip((*outputs, finite), (*earlier.outputs, earlier.finite), strict=True):
                target.copy_(source)
        else:
            finite.fill_(True)
        for run in runs:
            self._run_of_strips(enlarge, run, inputs, outputs, finite)
        return Made(ref(enlarge), copied)

    def _run_of_strips(
        self,
        enlarge: Enlarger,
        strips: Sequence[range],
        inputs: Sequence[Tensor],
        outputs: Sequence[Tensor],
        finite: Tensor,
    ) -> None:
        """Source planes to result planes, strip by strip, so that no picture in RGB is ever whole in memory."""
        wanted = range(strips[0].start, strips[-1].stop)
        read = enlarge.open(lambda rows: self._to_rgb(inputs, rows), self._to_planes.needed(wanted))
        for rows in strips:
            rgb = read(self._to_planes.needed(rows))
            parts = self._to_planes(rgb, rows)
            if self._to_alpha is not None:
                parts.append(self._to_alpha(inputs, rows))
            for output, part in zip(outputs, parts, strict=True):
                top = rows.start * output.shape[0] // outputs[0].shape[0]
                output[top : top + part.shape[0]] = part
            finite &= all_finite(rgb)

    def _strips_of(self, enlarge: Enlarger) -> Strips:
        """Worked out once an enlarger."""
        if self._known is None or self._known[0]() is not enlarge:
            (_, source), (_, target) = self.plan.source, self.plan.target
            rows = enlarge.strips  # alpha depends on two rows around, fewer than the network does
            needed = [self._to_rgb.needed(enlarge.needed(self._to_planes.needed(strip))) for strip in rows]
            matter = needed
            if self._near:
                places = [range(r.start * source // target, -(-r.stop * source // target)) for r in rows]
                matter = [meet(grow(p, NEAR, source), n) for p, n in zip(places, needed, strict=True)]
            self._known = ref(enlarge), Strips(rows, needed, matter, (source, target))
        return self._known[1]

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
