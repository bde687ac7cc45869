"""The connection to a Ray cluster, and what a task may ask of its machines."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from rfdn_video.errors import DeviceError, UsageError

__all__ = ["Share", "connect", "letting_signals_pass", "share_of", "shortage"]

MOST_CPUS = 4
"""Processors of a segment on a CPU: more segments side by side use a machine better than more threads each."""


@dataclass(frozen=True)
class Share:
    """What a segment gets of a machine.

    Attributes:
        cpus, gpus: whole ones.
        device: that it computes on, as in ``Settings.device``.
        slots: how many segments have room in the cluster as it is; 0 where no machine of it can do one.
    """

    cpus: int
    gpus: int
    device: str
    slots: int


def connect(address: str) -> str:
    """Joins a cluster, or starts one of this machine; does nothing where that has been done.

    Args:
        address: ``"local"``, ``"auto"`` (the cluster that this machine is part of), or that of a head node.

    Returns:
        The address at which other processes join it.

    Raises:
        UsageError: Ray is not installed.
        DeviceError: there is no cluster.
    """
    try:
        import ray
    except ImportError:
        raise UsageError("--ray needs Ray, which is not installed: pip install 'rfdn-video[ray]'") from None
    if not ray.is_initialized():
        with letting_signals_pass():
            _init(address)
    joined: str = ray.get_runtime_context().gcs_address
    return joined


def _init(address: str) -> None:
    import ray

    # Segments that end because the job does are nobody's concern; those of a running job are looked at one by one.
    os.environ.setdefault("RAY_IGNORE_UNHANDLED_ERRORS", "1")
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    options: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR", "namespace": "rfdn-video"}
    if address == "local":
        options["include_dashboard"] = False
    try:
        ray.init(address=address, **options)
    except (ConnectionError, RuntimeError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise DeviceError(f"no Ray cluster at {address!r} ({reason}); start one with: ray start --head") from None
    finally:
        for number, handler in handlers.items():  # Ray takes them over
            signal.signal(number, handler)


@contextmanager
def letting_signals_pass() -> Iterator[None]:
    """Ray's calls hide what a signal's handler raises behind a SystemError; here it comes out as it is."""
    try:
        yield
    except SystemError as error:
        if error.__cause__ is None:
            raise
        raise error.__cause__ from None


def share_of(device: str, nodes: list[dict[str, Any]]) -> Share:
    """A segment's share of machines, as ``ray.nodes()`` lists them.

    Raises:
        UsageError: numbered devices were asked for, which Ray deals.
    """
    if ":" in device:
        raise UsageError(f"device {device!r} with --ray: Ray deals the devices; give {device.partition(':')[0]}")
    machines = [node["Resources"] for node in nodes if node["Alive"]]
    with_gpu = [machine for machine in machines if machine.get("GPU", 0) >= 1]
    if device == "cuda" or (device == "auto" and with_gpu):
        cpus = min((max(1, int(m.get("CPU", 1) // m["GPU"])) for m in with_gpu), default=1)
        return Share(cpus, 1, "cuda", sum(int(machine["GPU"]) for machine in with_gpu))
    counts = [int(machine["CPU"]) for machine in machines if machine.get("CPU", 0) >= 1]
    cpus = min((MOST_CPUS, *counts))
    return Share(cpus, 0, "cpu" if device == "auto" else device, sum(count // cpus for count in counts))


def shortage(device: str) -> str | None:
    """The warning to give when no machine of the cluster can do the work: Ray waits for a machine without an end.

    Raises:
        UsageError: see :func:`share_of`.
    """
    import ray

    share = share_of(device, ray.nodes())  # type: ignore[no-untyped-call]
    if share.slots:
        return None
    return f"no machine of the cluster has a {'GPU' if share.gpus else 'processor'} for work; waiting until one joins"
