"""Where to train and evaluate."""

from __future__ import annotations

import torch

from rfdn_video.errors import DeviceError, UsageError

__all__ = ["pick_device"]


def pick_device(name: str, threads: int | None) -> torch.device:
    """The device by its name; ``auto`` takes CUDA where there is one.

    Args:
        name: ``"auto"``, ``"cpu"`` or ``"cuda"``.
        threads: CPU threads of this process's networks; None leaves torch's default.

    Raises:
        UsageError: a value that is not allowed.
        DeviceError: no CUDA device.
    """
    if threads is not None:
        if threads < 1:
            raise UsageError(f"threads {threads}: 1 or more are allowed")
        torch.set_num_threads(threads)
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if name not in ("cpu", "cuda"):
        raise UsageError(f"device {name!r}: auto, cpu and cuda are allowed")
    if name == "cuda" and not torch.cuda.is_available():
        raise DeviceError("device cuda: none is there; use --device cpu")
    return torch.device(name)
