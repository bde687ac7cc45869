"""The protocol of all engines, and which one is opened."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import torch
from torch import Tensor

from rfdn_video.errors import UsageError
from rfdn_video.inference.device import report_device_errors
from rfdn_video.inference.engines.openvino import OpenVINOEngine
from rfdn_video.inference.engines.pytorch import TorchEngine
from rfdn_video.inference.engines.winograd import WinogradEngine
from rfdn_video.inference.rows import Read
from rfdn_video.models.weights import Weights

__all__ = ["BandRunner", "Engine", "open_engine"]


class BandRunner(Protocol):
    """The network on pictures of one size in bands of rows, see :class:`rfdn_video.inference.bands.BandedRFDN`.

    Numbers are as with :class:`Engine`. It does one picture at a time.
    """

    def needed(self, rows: range) -> range:
        """Rows of the picture that ``rows`` of it, enlarged, depend on."""

    def run(self, read: Read, wanted: range) -> Iterator[tuple[range, Tensor]]:
        """Rows of the picture and their enlargement, from top to bottom; ``wanted`` are needed."""


class Engine(Protocol):
    """One network, ready to run on one device. Several threads may run it at the same time.

    Attributes:
        name: as :class:`rfdn_video.Settings` names it.
        device: where images lie before and after.
        precision: number format in which the network computes.
        runs_bands: :meth:`in_bands` works, with this network.
        at_once: pictures that should be computed at the same time, each in a thread of its own, for all of the speed.
        repeats_rows: rows that are computed again without those far from them get the same bits.
    """

    name: str
    device: torch.device
    precision: torch.dtype
    runs_bands: bool
    at_once: int
    repeats_rows: bool

    def __call__(self, image: Tensor) -> Tensor:
        """Runs the network once.

        Args:
            image: [N, 3, H, W] float32 on ``device``, 0..1, any H, W >= 1.

        Returns:
            [N, 3, s*H, s*W] float32 on ``device``, 0..1, not clamped.
        """

    def in_bands(self, width: int, height: int, band: int) -> BandRunner:
        """The same network on pictures of one size, in bands of ``band`` rows."""


def open_engine(name: str, weights: Weights, device: torch.device, precision: torch.dtype) -> Engine:
    """Makes the network of ``weights`` ready.

    Args:
        name: ``"torch"``; ``"winograd"``; ``"openvino"``, or ``"openvino:GPU"`` for another device than the CPU.
        weights: of the network.
        device: where images lie.
        precision: number format to compute in.

    Raises:
        UsageError: an engine that does not serve the device or the precision.
        DeviceError: an engine or device that is absent; out of memory.
    """
    if name == "torch":
        with report_device_errors("the network"):
            return TorchEngine(weights, device, precision)
    if device.type != "cpu":
        raise UsageError(f"engine {name} takes pictures from the CPU; give --device cpu instead of {device}")
    if name == "winograd":
        return WinogradEngine(weights, precision)
    return OpenVINOEngine(weights, precision, name.partition(":")[2].upper() or "CPU")
