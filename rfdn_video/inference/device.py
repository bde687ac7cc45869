"""Devices: which one, at which precision, and how work is queued on it.

:class:`Queue` is the one thing the scheduler knows of a device: an ordered queue that runs work
after given events. A CUDA stream is one, a thread is one.
"""

from __future__ import annotations

import os
import re
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Protocol

import torch
from torch import Tensor

from rfdn_video.errors import DeviceError
from rfdn_video.settings import check_device

__all__ = [
    "CAPTURING",
    "Device",
    "Event",
    "Queue",
    "is_out_of_memory",
    "open_device",
    "report_device_errors",
    "resolve_device",
    "resolve_devices",
    "resolve_precision",
]

REQUIRE_GPU = "RFDN_REQUIRE_GPU"
"""Variable of the environment that lets ``"auto"`` take no CPU: in a container that is a slip of the setup."""

_SHORT_OF_MEMORY = re.compile(r"out of memory|allocate memory|not enough memory|ALLOC_FAILED", re.IGNORECASE)
_OF_THE_DEVICE = re.compile(r"(CUDA|CUDA driver|cuDNN|cuBLAS|HIP|XPU) error", re.IGNORECASE)

_LIMITING = threading.Lock()
"""Two threads that limit others at the same time would take each other's limit for the usual number."""
CAPTURING = threading.Lock()
"""CUDA forbids waiting for a whole device while work on one of its streams is recorded as a graph."""

PRECISIONS = {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}


class Event(Protocol):
    """Tells when a piece of queued work is done."""

    def wait(self) -> None:
        """Blocks the calling thread until then; raises what the work raised."""

    def seconds(self) -> float:
        """How long the work took, what it had to wait for not counted. Only where it is done."""


class Queue(Protocol):
    """Runs pieces of work one after another, asynchronously to the caller."""

    def submit(self, work: Callable[[], None], after: Sequence[Event] = ()) -> Event:
        """Queues ``work``, to begin when all of ``after`` are done."""


class Device(Protocol):
    """Memory and queues of one device."""

    torch_device: torch.device

    def queue(self) -> Queue:
        """A new queue."""

    def staging(self, shape: tuple[int, ...], dtype: torch.dtype) -> Tensor:
        """Host memory that copies to and from the device fast."""

    def resident(self, staging: Tensor) -> Tensor:
        """Device memory for what ``staging`` holds; ``staging`` itself where the device has no memory of its own."""

    def settle(self) -> None:
        """Waits for what was set up outside the queues: weights, tables, fresh buffers."""

    def close(self) -> None:
        """Ends the queues."""


class _ThreadQueue:
    def __init__(self, torch_threads: int | None) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="rfdn-queue")
        if torch_threads is not None:
            # torch keeps the number for the thread that sets it, and for threads yet to come: those get it back.
            with _LIMITING:
                usual = torch.get_num_threads()
                self._thread.submit(_limit_threads, torch_threads).result()
                torch.set_num_threads(usual)

    def submit(self, work: Callable[[], None], after: Sequence[Event] = ()) -> Event:
        def run() -> float:
            for event in after:
                event.wait()
            begin = time.perf_counter()
            with torch.inference_mode():
                work()
            return time.perf_counter() - begin

        return _ThreadEvent(self._thread.submit(run))

    def close(self) -> None:
        self._thread.shutdown(cancel_futures=True)


def _limit_threads(count: int) -> None:
    torch.get_num_threads()  # the first question of a thread sets the usual number, which would come after
    torch.set_num_threads(count)


class _ThreadEvent:
    def __init__(self, future: Future[float]) -> None:
        self._future = future

    def wait(self) -> None:
        self._future.result()

    def seconds(self) -> float:
        return self._future.result()


class ThreadDevice:
    """CPU, MPS, XPU: queues are threads, copies are what torch makes of them.

    Args:
        torch_device: where the memory is.
        torch_threads: that torch may use for the work of one queue; None leaves it as it is.
    """

    def __init__(self, torch_device: torch.device, torch_threads: int | None) -> None:
        self.torch_device = torch_device
        self._torch_threads = torch_threads
        self._queues: list[_ThreadQueue] = []

    def queue(self) -> Queue:
        self._queues.append(_ThreadQueue(self._torch_threads))
        return self._queues[-1]

    def staging(self, shape: tuple[int, ...], dtype: torch.dtype) -> Tensor:
        return torch.empty(shape, dtype=dtype)

    def resident(self, staging: Tensor) -> Tensor:
        if self.torch_device.type == "cpu":
            return staging
        return torch.empty_like(staging, device=self.torch_device)

    def settle(self) -> None:
        return  # nothing runs outside the threads

    def close(self) -> None:
        for queue in self._queues:
            queue.close()
        self._queues.clear()


class _CudaQueue:
    def __init__(self, torch_device: torch.device) -> None:
        self._stream = torch.cuda.Stream(torch_device)  # type: ignore[no-untyped-call]

    def submit(self, work: Callable[[], None], after: Sequence[Event] = ()) -> Event:
        with torch.cuda.stream(self._stream), torch.inference_mode():
            for event in after:
                assert isinstance(event, _CudaEvent)
                self._stream.wait_event(event.event)
            begin = self._stream.record_event(_timing_event())
            work()
            return _CudaEvent(begin, self._stream.record_event(_timing_event()))


def _timing_event() -> torch.cuda.Event:
    return torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]


class _CudaEvent:
    def __init__(self, begin: torch.cuda.Event, event: torch.cuda.Event) -> None:
        self._begin, self.event = begin, event

    def wait(self) -> None:
        self.event.synchronize()

    def seconds(self) -> float:
        milliseconds: float = self._begin.elapsed_time(self.event)
        return milliseconds / 1000


class CudaDevice:
    """CUDA: queues are streams, staging memory is pinned so that copies run beside the kernels."""

    def __init__(self, torch_device: torch.device) -> None:
        self.torch_device = torch_device

    def queue(self) -> Queue:
        return _CudaQueue(self.torch_device)

    def staging(self, shape: tuple[int, ...], dtype: torch.dtype) -> Tensor:
        return torch.empty(shape, dtype=dtype, pin_memory=True)

    def resident(self, staging: Tensor) -> Tensor:
        return torch.empty_like(staging, device=self.torch_device, pin_memory=False)

    def settle(self) -> None:
        with CAPTURING:
            torch.cuda.synchronize(self.torch_device)

    def close(self) -> None:
        self.settle()


def open_device(torch_device: torch.device, torch_threads: int | None = None) -> Device:
    """The queues and memory of a device.

    Args:
        torch_device: which.
        torch_threads: that torch may use where queues are threads; None leaves it as it is.
    """
    if torch_device.type == "cuda":
        return CudaDevice(torch_device)
    return ThreadDevice(torch_device, torch_threads)


def is_out_of_memory(error: RuntimeError) -> bool:
    """Whether it says that memory is short. Only CUDA's own allocator has a type for that: pinned memory, libraries,
    the CPU and Metal raise a plain RuntimeError."""
    return isinstance(error, torch.OutOfMemoryError) or _SHORT_OF_MEMORY.search(str(error)) is not None


@contextmanager
def report_device_errors(doing: str) -> Iterator[None]:
    """Turns torch's errors of memory and hardware into one that says what to do.

    Args:
        doing: what the device was doing, such as ``"frames of 640x360"``.
    """
    try:
        yield
    except RuntimeError as error:
        text = str(error)
        if is_out_of_memory(error):
            raise DeviceError(
                f"out of memory for {doing}; use --tile auto, --precision fp16, a smaller scale, or --device cpu"
            ) from None
        if _OF_THE_DEVICE.search(text):
            raise DeviceError(
                f"the device was lost at {doing}: {text.splitlines()[0]}; look into the driver's log, then start again"
            ) from None
        raise


def resolve_device(name: str) -> torch.device:
    """Finds the device that a name means; ``"auto"`` is the first of CUDA, XPU, MPS and CPU that is there.

    Of CUDA and XPU without a number it is the current one of the calling thread, by its number: other threads
    may have another.

    Raises:
        UsageError: the name is of no device.
        DeviceError: a device that was asked for by name is absent; or any GPU, where RFDN_REQUIRE_GPU is set.
    """
    if name == "auto":
        kinds = ("cuda", "xpu", "mps")
        kind = next((kind for kind in kinds if _count(kind) and _has_kernels(_numbered(torch.device(kind)))), "cpu")
        if kind == "cpu" and os.environ.get(REQUIRE_GPU, "0") != "0":
            raise DeviceError(f"no GPU: {_why_absent('cuda')}; {REQUIRE_GPU} forbids the CPU, --device cpu takes it")
        return _numbered(torch.device(kind))
    check_device(name)
    kind, _, number = name.partition(":")
    count = _count(kind)
    if not count:
        raise DeviceError(f"device {name}: {_why_absent(kind)}; use --device cpu or --device auto")
    if number and int(number) >= count:  # torch takes the number modulo 256
        raise DeviceError(f"device {name}: there are {count}, numbered from 0")
    device = _numbered(torch.device(name))
    if not _has_kernels(device):
        raise DeviceError(f"device {name}: {_why_absent(device.type)}; use --device cpu or --device auto")
    return device


def resolve_devices(names: str) -> tuple[torch.device, ...]:
    """Finds the devices of a list such as ``"cuda:0,1"``; frames are dealt to them in turn.

    Raises:
        DeviceError: see :func:`resolve_device`; or a device is named twice.
    """
    kind, _, indices = names.partition(":")
    devices = tuple(resolve_device(f"{kind}:{index}") for index in indices.split(",")) if "," in indices else ()
    if len(set(devices)) < len(devices):
        raise DeviceError(f"device {names}: a device is named twice")
    return devices or (resolve_device(names),)


def resolve_precision(name: str, device: torch.device) -> torch.dtype:
    """The network's number format; ``"auto"`` is fp16 on CUDA, else fp32."""
    if name == "auto":
        return torch.float16 if device.type == "cuda" else torch.float32
    return PRECISIONS[name]


def _count(kind: str) -> int:
    if kind == "cpu":
        return 1
    if kind == "mps":
        return int(torch.backends.mps.is_available())
    if kind not in ("cuda", "xpu"):
        return 0
    with warnings.catch_warnings():  # torch warns of a driver it cannot use; the caller says it in one line
        warnings.simplefilter("ignore")
        module = getattr(torch, kind)
        return int(module.device_count()) if module.is_available() else 0


def _numbered(device: torch.device) -> torch.device:
    if device.index is None and device.type in ("cuda", "xpu"):
        return torch.device(device.type, getattr(torch, device.type).current_device())
    return device


def _has_kernels(device: torch.device) -> bool:
    """Whether this torch was built for a device: an NVIDIA GPU runs code for an earlier minor version of its own
    compute capability, and PTX for any earlier one."""
    if device.type != "cuda" or torch.version.cuda is None:
        return True
    own = torch.cuda.get_device_capability(device)
    for name in torch.cuda.get_arch_list():
        code, _, number = name.partition("_")
        if number.isdecimal():
            built = divmod(int(number), 10)
            if built <= own and (code == "compute" or built[0] == own[0]):
                return True
    return False


def _why_absent(kind: str) -> str:
    if kind == "cuda" and torch.version.cuda is None:
        return "this torch was built without CUDA"
    if kind == "cuda" and _count(kind):
        built = ", ".join(torch.cuda.get_arch_list())
        return f"this torch has no code for that GPU, only for {built}; an older or newer torch may have"
    return "no such device is there, or its driver does not fit this torch"
