"""Several processes that train one network, as ``torchrun`` starts them: one a GPU, or some on a CPU."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import torch
import torch.distributed as dist
from torch import Tensor

from rfdn_video.errors import UsageError

__all__ = ["Process", "join"]


@dataclass(frozen=True)
class Process:
    """This process among ``world``; only rank 0 writes files and reports."""

    rank: int = 0
    world: int = 1

    def mean(self, values: Tensor) -> Tensor:
        """The mean over all processes, element by element."""
        if self.world > 1:
            dist.all_reduce(values)
            values = values / self.world
        return values

    def maximum(self, value: int) -> int:
        """The largest of all processes' values; all must ask at the same step."""
        if self.world > 1:
            device = "cuda" if dist.get_backend() == "nccl" else "cpu"
            values = torch.tensor(value, device=device)
            dist.all_reduce(values, dist.ReduceOp.MAX)
            value = int(values)
        return value

    def wait(self) -> None:
        """Until all processes are here."""
        if self.world > 1:
            dist.barrier()


@contextmanager
def join(device: torch.device, batch: int) -> Iterator[tuple[Process, torch.device]]:
    """Joins the process group where torchrun started this process, and takes its own GPU.

    Args:
        device: ``cpu`` or ``cuda``.
        batch: patches a step over all processes.

    Raises:
        UsageError: the batch cannot be shared out evenly.
    """
    world = int(os.environ.get("WORLD_SIZE", "1"))
    if world == 1:
        yield Process(), device
        return
    if batch % world:
        raise UsageError(f"batch {batch}: cannot be shared evenly by {world} processes; use a multiple")
    if device.type == "cuda":
        device = torch.device("cuda", int(os.environ["LOCAL_RANK"]))
        torch.cuda.set_device(device)
    backend = "nccl" if device.type == "cuda" else "gloo"
    # The others wait while rank 0 prepares data or validates.
    dist.init_process_group(backend, timeout=timedelta(hours=12))
    try:
        yield Process(dist.get_rank(), world), device
    finally:
        dist.destroy_process_group()
