"""The core that all faces share: frames or tensors in, larger ones out."""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future
from contextlib import ExitStack
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import torch
from torch import Tensor

from rfdn_video.errors import DeviceError, UsageError
from rfdn_video.frame import Color, Frame, PixelFormat
from rfdn_video.inference.device import report_device_errors, resolve_devices, resolve_precision
from rfdn_video.inference.engines.automatic import automatic_engine
from rfdn_video.inference.engines.engine import open_engine
from rfdn_video.inference.enlarge import Enlarger
from rfdn_video.inference.graphs import CudaRecorder
from rfdn_video.inference.lanes import LaneMaker
from rfdn_video.inference.pipe import FramePipe
from rfdn_video.inference.pool import Pool
from rfdn_video.inference.program import all_finite, not_finite
from rfdn_video.inference.scaling import ScalePlan, plan_picture
from rfdn_video.inference.slots import QUEUES, Lane
from rfdn_video.inference.tally import Tally
from rfdn_video.inference.tiling import Tiling
from rfdn_video.models.catalog import load_bundled
from rfdn_video.models.weights import Weights, load_weights
from rfdn_video.settings import Dither, Reuse, Settings, Tile, exact_scale

__all__ = ["Upscaler"]

SLOTS = 3
ESTIMATE_SIDE = 128  # pixels; large enough to fill a CPU, small enough to be quick


class Upscaler:
    """Enlarges frames or RGB tensors with one network on one device.

    Args:
        scale: factor, above 1; a fraction is reached by the next larger network and resampling.
        width, height: instead of ``scale``, the target in pixels.
        model: name of the network whose bundled weights are used.
        tune: which of them, ``"video"`` for compressed, ``"light"`` for hardly compressed or ``"clean"`` for pristine
            sources.
        weights: a file, or what :func:`rfdn_video.load_weights` gave, instead of the bundled ones.
        device: ``"auto"``, ``"cpu"``, ``"cuda"``, ``"cuda:N"``, ``"mps"`` or ``"xpu"``; with several,
            as in ``"cuda:0,1"``, the frames of a stream are dealt to them in turn.
        precision: ``"auto"``, ``"fp32"``, ``"fp16"`` or ``"bf16"``.
        engine: ``"auto"``, ``"torch"``, ``"winograd"``, ``"openvino"`` or ``"openvino:GPU"``, see
            :class:`rfdn_video.Settings`.
        tile: rows of the bands in which a picture is done, ``"off"`` for whole pictures, or ``"auto"``.
        reuse: what did not change since the frame before is taken from there: ``"exact"`` where that gives the
            same bits, ``"near"`` also where only something far away changed, ``"off"`` nowhere.
        slots: frames in flight on each device, at least 2; an engine that computes several at once has 2 or more
            for each of those.
        cuda_graphs: :meth:`stream` records the work on each frame as a CUDA graph, see
            :mod:`rfdn_video.inference.graphs`. Not measured on hardware yet.
        size: (width, height) of the pictures that will come, where it is known: engine ``"auto"`` then
            takes no engine that does only whole pictures for those that are too large for that, and ``width``
            or ``height`` the bundled weights whose scale suits them; they are those of x2 otherwise.
        many: they will come many at a time, to :meth:`stream` or from several threads; engine ``"auto"`` then
            may take one that computes several at once.

    Attributes:
        weights: those in use.
        device: where it runs, the first of several.
        precision: number format of the network.
        engine: name of the engine that was taken.
        reuse: as given.
        at_once: pictures that :meth:`stream` computes at the same time on a device.
        worked: how long ``"upload"``, ``"network"`` (colour included) and ``"download"`` took in
            :meth:`stream`, in seconds; the mean of several devices.
        waited: how long :meth:`stream` waited for them.

    Raises:
        UsageError, ModelError, DeviceError: a value that is not allowed, weights that cannot be
            used, a device that is absent.

    Any number of threads may use one upscaler at the same time: they share the network, and each call
    has queues (CUDA streams) of its own.
    """

    def __init__(
        self,
        *,
        scale: float | Fraction | None = None,
        width: int | None = None,
        height: int | None = None,
        model: str = "e-rfdn",
        tune: str = "video",
        weights: Weights | str | Path | None = None,
        device: str = "auto",
        precision: str = "auto",
        engine: str = "auto",
        tile: Tile = "auto",
        reuse: Reuse = "exact",
        slots: int = SLOTS,
        cuda_graphs: bool = False,
        size: tuple[int, int] | None = None,
        many: bool = False,
    ) -> None:
        if slots < 2:
            raise UsageError(f"slots {slots}: at least 2 are needed, so that copies and work overlap")
        exact = None if scale is None else exact_scale(scale)
        # Settings knows what is allowed.
        self._wanted = Settings(
            scale=exact,
            width=width,
            height=height,
            precision=precision,  # type: ignore[arg-type]
            engine=engine,
            tile=tile,
            reuse=reuse,
        )
        devices = resolve_devices(device)
        self.device = devices[0]
        if cuda_graphs and self.device.type != "cuda":
            raise DeviceError(f"CUDA graphs need a CUDA device, not {self.device}; leave --cuda-graphs away")
        self._cuda_graphs = cuda_graphs
        self.precision = resolve_precision(precision, self.device)
        if isinstance(weights, Weights):
            self.weights = weights
        elif weights is not None:
            self.weights = load_weights(weights)
        else:
            self.weights = load_bundled(model, tune, self._wanted_scale(size))
        self.reuse, self._slots, self._tally = reuse, slots, Tally()
        self.worked, self.waited = dict.fromkeys(QUEUES, 0.0), 0.0
        if engine == "auto":
            saves_rows = reuse == "near"  # which winograd cannot, many at a time
            known = None if size is None else self.plan(*size)
            engine = automatic_engine(
                self.weights.config,
                known,
                self.device,
                self.precision,
                many=many and not saves_rows,
                bands=saves_rows or isinstance(tile, int),
            )
        gc.collect()  # upscalers that are no more lie in circles with their pools, and hold the memory of their engines
        engines = [open_engine(engine, self.weights, place, self.precision) for place in devices]
        self._maker = LaneMaker(self.weights, self._wanted, engines)
        self.engine, self.at_once = engines[0].name, engines[0].at_once
        self._lock = threading.Lock()
        with report_device_errors("the network"):
            opened = self._maker.open_device(self.device)
            opened.settle()
        self._queues = Pool(opened.queue)
        self._pipes = Pool(lambda: FramePipe([self._maker.lane(self._maker.engines[0], 1)]))

    @property
    def tally(self) -> Tally:
        """What has been done so far, of streams that have ended, in whatever way."""
        return self._tally

    def output_size(self, width: int, height: int, layout: PixelFormat | None = None) -> tuple[int, int]:
        """(width, height) of the result of a picture of this size; even where ``layout`` subsamples chroma."""
        return self.plan(width, height, layout).target

    def plan(self, width: int, height: int, layout: PixelFormat | None = None) -> ScalePlan:
        """How a picture of this size is enlarged.

        Raises:
            UsageError: the wanted size is not larger.
        """
        return plan_picture(self._wanted, self.weights.scale, (width, height), layout)

    def tiling(self, width: int, height: int, layout: PixelFormat | None = None) -> Tiling:
        """In which bands a picture of this size is done, as long as the memory holds them."""
        return self._maker.tiling(self._maker.engines[0], self.plan(width, height, layout))

    def __call__(self, image: Tensor) -> Tensor:
        """Enlarges RGB images.

        Args:
            image: [3, H, W] or [N, 3, H, W], floating point, 0..1; on any device.

        Returns:
            The same kind of tensor, larger, of the same dtype on the same device; not clamped, without gradients.

        Raises:
            UsageError: another shape or dtype, or NaN or infinity in it.
            DeviceError: out of memory.
        """
        if not isinstance(image, Tensor):
            raise UsageError(f"an image that is a {type(image).__name__}: a torch.Tensor is allowed")
        if image.ndim not in (3, 4) or image.shape[-3] != 3 or not image.is_floating_point() or not image.numel():
            raise UsageError(
                f"an image of shape {tuple(image.shape)}, {image.dtype}: "
                "[3, H, W] or [N, 3, H, W], floating point, not empty, is allowed"
            )
        batch = image.detach() if image.ndim == 4 else image.detach()[None]
        if image.device.type == self.device.type and self.engine == "torch":
            result = self._enlarge(batch)  # on the caller's own stream, as torch does
        else:
            result = self._on_queue(lambda: self._enlarge(batch))
        result = result.clone()  # outside inference mode: an ordinary tensor, which may be changed and learnt from
        return result if image.ndim == 4 else result[0]

    def enlarge(self, frame: Frame) -> Frame:
        """Enlarges one frame, as :meth:`stream` does many; it keeps its pts, duration, format and colour.

        Frames of several threads are in flight together.

        Raises:
            DeviceError: out of memory, or the device was lost.
        """
        with self._pipes.lend() as pipe, ExitStack() as on_error:
            on_error.push(pipe)
            before = pipe.tally
            [result] = (*pipe.push(frame), *pipe.drain())
            self._count(pipe.tally - before)
            on_error.pop_all()
        return result

    def stream(
        self,
        frames: Iterable[Frame],
        *,
        pixel_format: PixelFormat | None = None,
        color: Color | None = None,
        dither: Dither = "none",
    ) -> Generator[Frame]:
        """Enlarges frames in order, several in flight; each keeps its pts and duration.

        Args:
            frames: the pictures.
            pixel_format, color: of the result; None keeps each frame's own. From RGB to YUV, or back, both are needed.
            dither: how the result is rounded to code values, see :class:`rfdn_video.Settings`.

        Raises:
            UsageError: a frame's planes or colour are not what its format says, ``color`` is missing or does not fit
                ``pixel_format``, or ``dither`` is not known.
            DeviceError: out of memory, or the device was lost.
        """
        dither = replace(self._wanted, dither=dither).dither  # Settings knows what is allowed
        with report_device_errors("the first frame"):
            lanes = self._lanes(pixel_format, color, dither)
        with FramePipe(lanes) as pipe:
            try:
                for frame in frames:
                    yield from pipe.push(frame)
                yield from pipe.drain()
            finally:
                self._count(pipe.tally)
                self._count_time(pipe)

    @torch.inference_mode()
    def estimate_seconds(self, plan: ScalePlan) -> float:
        """What a picture, one of many, will take the network, measured on a smaller one."""
        width, height = plan.source
        small = min(width, ESTIMATE_SIDE), min(height, ESTIMATE_SIDE)
        factor = plan.native**plan.passes
        trial = ScalePlan(small, (small[0] * factor, small[1] * factor), plan.native, plan.passes)
        enlarge = Enlarger(self._maker.engines[0], trial, Tiling((None,) * trial.passes))
        image = torch.rand(1, 3, small[1], small[0], device=self.device)

        def measure() -> float:
            begin = time.perf_counter()
            enlarge(image).mean().item()  # .item() waits for the device
            return time.perf_counter() - begin

        seconds = min(self._on_queue(measure) for _ in range(3))
        return seconds * (width * height) / (small[0] * small[1]) / self.at_once

    def _on_queue[T](self, work: Callable[[], T]) -> T:
        """Does work with as many of torch's threads as the engine leaves to it, or on a stream of its own."""
        done: Future[T] = Future()
        with self._queues.lend() as queue:
            queue.submit(lambda: _settle(done, work)).wait()
        return done.result()

    @torch.inference_mode()
    def _enlarge(self, batch: Tensor) -> Tensor:
        height, width = batch.shape[2:]
        plan = self.plan(width, height)
        engine, done = self._maker.engines[0], Tally(frames=batch.shape[0])
        with report_device_errors(f"pictures of {width}x{height}"):
            source = batch.to(self.device, torch.float32)
            enlarger = self._maker.enlarger(engine, plan)
            result = enlarger.attempt(lambda enlarge: enlarge(source))
            done += Tally(retries=enlarger.retries)
            if self.precision is not torch.float32 and not all_finite(result):
                enlarger = self._maker.exact_enlarger(engine, plan)
                result = enlarger.attempt(lambda enlarge: enlarge(source))
                done += Tally(recomputed=done.frames, retries=enlarger.retries)
            if not all_finite(result):
                if not all_finite(source):
                    raise UsageError(f"a picture of {width}x{height} holds NaN or infinity; replace them by numbers")
                raise not_finite(self.weights.path, f"a picture of {width}x{height}")
            result = result.to(batch.device, batch.dtype)
        self._count(done)
        return result

    def _count(self, done: Tally) -> None:
        with self._lock:
            self._tally += done

    def _count_time(self, pipe: FramePipe) -> None:
        with self._lock:
            self.worked = {name: self.worked[name] + seconds for name, seconds in pipe.worked.items()}
            self.waited += pipe.waited

    def _wanted_scale(self, size: tuple[int, int] | None) -> float:
        """The factor, as far as it is known before a picture comes."""
        wanted = self._wanted
        if wanted.width is not None and size is not None:
            return wanted.width / size[0]
        if wanted.height is not None and size is not None:
            return wanted.height / size[1]
        return float(wanted.scale or 2)

    def _lanes(self, pixel_format: PixelFormat | None, color: Color | None, dither: Dither) -> list[Lane]:
        """As many on each device as its engine computes pictures at once; they share its slots."""
        lanes = []
        for engine in self._maker.engines:
            slots = max(2, -(-self._slots // engine.at_once))
            for _ in range(engine.at_once):
                record = CudaRecorder() if self._cuda_graphs else None
                lanes.append(self._maker.lane(engine, slots, pixel_format, color, dither, record))
        return lanes


def _settle[T](done: Future[T], work: Callable[[], T]) -> None:
    """Keeps an error of the work from the queue that it is done in, which stays sound and is used again."""
    try:
        done.set_result(work())
    except BaseException as error:
        done.set_exception(error)
