"""The engine for CPUs and Intel GPUs: OpenVINO. Needs the extra ``openvino``."""

from __future__ import annotations

import threading
from functools import lru_cache, partial
from importlib.util import find_spec
from typing import Any, NoReturn

import torch
from torch import Tensor

from rfdn_video.errors import DeviceError, UsageError
from rfdn_video.inference.fusion import fuse
from rfdn_video.models.weights import Weights

__all__ = ["OpenVINOEngine", "is_installed"]

SIZES = 4
"""Compiled models that are kept, one a picture size: a x8 job makes three passes."""

_PRECISIONS = {torch.float32: ("f32", "FP32"), torch.float16: ("f16", "FP16"), torch.bfloat16: ("bf16", "BF16")}


def is_installed() -> bool:
    """The packages of the extra are there."""
    return find_spec("openvino") is not None and find_spec("onnx") is not None


class OpenVINOEngine:
    """See :class:`rfdn_video.inference.engines.engine.Engine`. Images lie in the host's memory.

    Args:
        weights: of the network.
        precision: number format that OpenVINO is told to compute in.
        target: OpenVINO's name of a device: ``"CPU"``, ``"GPU"``, ``"GPU.1"``.

    Raises:
        DeviceError: the packages or the device are absent.
        UsageError: the device cannot compute in this precision.

    Without the hint, OpenVINO would compute in bfloat16 wherever a CPU has it.
    """

    device = torch.device("cpu")
    runs_bands = False
    at_once, repeats_rows = 1, True

    def __init__(self, weights: Weights, precision: torch.dtype, target: str) -> None:
        if not is_installed():
            raise DeviceError("engine openvino is not installed; pip install 'rfdn-video[openvino]', or --engine torch")
        from rfdn_video.inference.engines.untracked import openvino

        self.name = "openvino" if target == "CPU" else f"openvino:{target}"
        self.precision = precision
        self._scale, self._target = weights.scale, target
        self._openvino, self._core = openvino, openvino.Core()
        hint, capability = _PRECISIONS[precision]
        self._check_target(capability)
        options = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": hint}
        # Of no method of ours: an engine in a circle would hold its models until Python looks for such.
        self._request = lru_cache(SIZES)(partial(_compile, self._core, target, options, fuse(weights)))
        self._lock = threading.Lock()  # a picture takes all cores: threads take turns

    def __call__(self, image: Tensor) -> Tensor:
        count, channels, height, width = image.shape
        scale = self._scale
        enlarged = image.new_empty(count, channels, scale * height, scale * width)
        with self._lock:
            for source, target in zip(image.contiguous(), enlarged, strict=True):
                self._run(source[None], target[None])
        return enlarged

    def in_bands(self, width: int, height: int, band: int) -> NoReturn:
        """There are no bands here: every shape of every band would be a compiled model of its own."""
        raise NotImplementedError

    def _run(self, source: Tensor, target: Tensor) -> None:
        """From memory of torch's to memory of torch's, without a copy."""
        request = self._request(source.shape[3], source.shape[2])
        request.set_input_tensor(self._openvino.Tensor(source.numpy(), shared_memory=True))
        request.set_output_tensor(self._openvino.Tensor(target.numpy(), shared_memory=True))
        request.infer()

    def _check_target(self, capability: str) -> None:
        present = self._core.available_devices
        if self._target not in present and f"{self._target}.0" not in present:
            raise DeviceError(f"OpenVINO has no device {self._target}; there are: {', '.join(present)}")
        can = self._core.get_property(self._target, "OPTIMIZATION_CAPABILITIES")
        if capability not in can:
            known = ", ".join(flag.lower() for _, flag in _PRECISIONS.values() if flag in can)
            raise UsageError(
                f"OpenVINO cannot compute in {capability.lower()} on this {self._target}; it can in: {known}"
            )


def _compile(core: Any, target: str, options: dict[str, str], weights: Weights, width: int, height: int) -> Any:
    from rfdn_video.models.onnx_graph import onnx_model

    model = onnx_model(weights, size=(width, height))
    return core.compile_model(core.read_model(model.SerializeToString()), target, options).create_infer_request()
