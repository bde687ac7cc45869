"""Which engine ``auto`` is: the fastest that device, number format and memory allow. See docs/performance.md."""

from __future__ import annotations

import torch

from rfdn_video.inference.engines.openvino import is_installed
from rfdn_video.inference.engines.winograd import has_nnpack
from rfdn_video.inference.scaling import ScalePlan
from rfdn_video.inference.tiling import Place, fits, memory_class
from rfdn_video.inference.vectors import arithmetic_bits
from rfdn_video.models.rfdn import RFDNConfig

__all__ = ["automatic_engine"]

NNPACK_BITS = 256
"""Of the vectors that NNPACK computes with; oneDNN, which OpenVINO has, computes with wider ones too."""


def automatic_engine(
    config: RFDNConfig,
    plan: ScalePlan | None,
    device: torch.device,
    precision: torch.dtype,
    *,
    many: bool,
    bands: bool,
) -> str:
    """The engine's name.

    Args:
        config: of the network.
        plan: passes and sizes; where they are not known, pictures are taken to fit into the memory.
        device: where images lie.
        precision: number format to compute in.
        many: pictures come many at a time, not one by one.
        bands: what was asked for needs pictures done in bands, where the network can.
    """
    if device.type != "cpu" or precision is not torch.float32:
        return "torch"
    bits, cores = arithmetic_bits(), torch.get_num_threads()
    winograd = many and config.is_local and bits is not None and has_nnpack()
    winograd = winograd and _fit(config, plan, banded=True, count=cores)
    openvino = is_installed() and (not config.is_local or (not bands and _fit(config, plan, banded=False, count=1)))
    if winograd and (bits == NNPACK_BITS or not openvino):
        return "winograd"
    return "openvino" if openvino else "torch"


def _fit(config: RFDNConfig, plan: ScalePlan | None, *, banded: bool, count: int) -> bool:
    """Whether so many pictures at once stay within the class of a CPU's memory."""
    memory = memory_class(torch.device("cpu")) // count
    return plan is None or fits(config, plan, Place(banded, True, memory, torch.float32.itemsize))
