"""Lanes made ready to work: each frame's shape meets its plan, its bands, an engine, and float32 where half fails."""

from __future__ import annotations

import threading
from functools import partial

import torch

from rfdn_video.errors import UsageError
from rfdn_video.frame import Color, PixelFormat
from rfdn_video.inference.device import Device, open_device
from rfdn_video.inference.engines.engine import Engine, open_engine
from rfdn_video.inference.fit import FittingEnlarger
from rfdn_video.inference.graphs import Recorder
from rfdn_video.inference.program import PictureProgram, PictureShape, check_color
from rfdn_video.inference.scaling import ScalePlan, plan_picture
from rfdn_video.inference.slots import Lane
from rfdn_video.inference.tiling import Place, Tiling, choose_tiling, memory_class
from rfdn_video.models.weights import Weights
from rfdn_video.settings import Dither, Settings

__all__ = ["LaneMaker"]


class LaneMaker:
    """Makes lanes for one network's engines.

    Args:
        weights: of the network.
        wanted: scale or size, bands, and what may be reused.
        engines: one a device.
    """

    def __init__(self, weights: Weights, wanted: Settings, engines: list[Engine]) -> None:
        self.weights, self.wanted, self.engines = weights, wanted, engines
        # Two thread pools would slow each other: where another engine works, torch's own has one thread.
        self._threads = None if engines[0].name == "torch" else 1
        self._exact_engines: dict[torch.device, Engine] = {}
        self._lock = threading.Lock()

    def lane(
        self,
        engine: Engine,
        slots: int,
        pixel_format: PixelFormat | None = None,
        color: Color | None = None,
        dither: Dither = "none",
        record: Recorder | None = None,
    ) -> Lane:
        """One, with its own device queues.

        Args:
            engine: one of ``engines``.
            slots: frames in flight.
            pixel_format, color, dither: see :meth:`rfdn_video.Upscaler.stream`.
            record: records the work on a frame, to repeat it.
        """

        def program(shape: PictureShape) -> PictureProgram:
            result = pixel_format or shape.format
            if color is None and (result.family == "rgb") != (shape.format.family == "rgb"):
                raise UsageError(f"frames in {shape.format.family} cannot become {result.family} without a color")
            check_color(result, color or shape.color)
            plan = plan_picture(self.wanted, self.weights.scale, (shape.width, shape.height), result)
            enlarger, exact = self.enlarger(engine, plan), partial(self.exact_enlarger, engine, plan)
            weights, near = self.weights.path, self.wanted.reuse == "near"
            return PictureProgram(shape, enlarger, exact, weights, pixel_format, color, dither, near=near)

        return Lane(self.open_device(engine.device), program, slots, record, reuse=self.wanted.reuse != "off")

    def open_device(self, place: torch.device) -> Device:
        """Opens one that an engine computes on."""
        return open_device(place, self._threads)

    def enlarger(self, engine: Engine, plan: ScalePlan) -> FittingEnlarger:
        """What enlarges a picture, in smaller bands where memory is short."""
        return FittingEnlarger(engine, plan, self.tiling(engine, plan), fixed=self.wanted.tile == "off")

    def exact_enlarger(self, engine: Engine, plan: ScalePlan) -> FittingEnlarger:
        """The same in float32; its engine is opened when it is first needed."""
        with self._lock:
            if engine.device not in self._exact_engines:
                exact = open_engine(engine.name, self.weights, engine.device, torch.float32)
                self._exact_engines[engine.device] = exact
            return self.enlarger(self._exact_engines[engine.device], plan)

    def tiling(self, engine: Engine, plan: ScalePlan) -> Tiling:
        """The bands of a picture, as long as the memory holds them."""
        on_cpu, itemsize = engine.device.type == "cpu", engine.precision.itemsize
        place = Place(engine.runs_bands, on_cpu, memory_class(engine.device), itemsize)
        return choose_tiling(self.wanted.tile, self.weights.config, plan, place)
