"""Several processes that train one network, as ``torchrun`` starts them: one a GPU, or some on a CPU."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

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
    dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        yield Process(dist.get_rank(), world), device
    finally:
        dist.destroy_process_group()
