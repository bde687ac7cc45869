"""The owner's side of its workers: processes that are started, given work, listened to, and replaced."""

from __future__ import annotations

import multiprocessing
import signal
import time
from contextlib import suppress
from multiprocessing import connection
from pathlib import Path

from rfdn_video.batch.messages import Failed, FromWorker, GoAhead, Task
from rfdn_video.batch.worker import work
from rfdn_video.errors import DeviceError

__all__ = ["STARTING", "Worker", "deal_devices", "hear"]

STARTING = 600.0
"""Seconds in which a worker must be ready: libraries from a slow disk, and the device, take a minute or two."""

PATIENCE = 10.0
"""Seconds that a worker gets to remove what it has begun."""


class Worker:
    """One worker process.

    Args:
        number: from 0.
        device: that it computes on; None is that of a Ray cluster.
        threads: for computing on a CPU.
        lock: file that it holds locked while it lives.

    Attributes:
        task: what it is at; None while it is idle or starting.
        device: None until it has said that it is ready.
    """

    def __init__(self, number: int, device: str | None, threads: int | None, lock: Path) -> None:
        self.number = number
        self.task: Task | None = None
        self.device: str | None = None
        context = multiprocessing.get_context("spawn")  # CUDA does not outlive a fork, nor do threads
        self.pipe, theirs = context.Pipe()
        self._process = context.Process(
            target=work, args=(theirs, number, device, threads, lock), name=f"rfdn-worker-{number}", daemon=True
        )
        self._process.start()
        self._started = time.monotonic()
        theirs.close()

    @property
    def idle(self) -> bool:
        """It is ready and has nothing to do."""
        return self.device is not None and self.task is None

    @property
    def is_late(self) -> bool:
        """It should be ready by now."""
        return self.device is None and time.monotonic() - self._started > STARTING

    def give(self, task: Task) -> None:
        """Hands it a file."""
        self.task = task
        self._send(task)

    def go_ahead(self) -> None:
        """Its delivery is in the ledger."""
        self._send(GoAhead())

    def _send(self, message: object) -> None:
        with suppress(BrokenPipeError, ConnectionResetError):  # it has died, which is heard soon
            self.pipe.send(message)

    def receive(self) -> FromWorker:
        """What it has said; its death is a failure like others."""
        try:
            message: FromWorker = self.pipe.recv()
        except (EOFError, ConnectionResetError):
            self._end()
            return Failed(DeviceError.exit_code, f"the worker {_cause_of_death(self._process.exitcode)}", "")
        return message

    @property
    def is_dead(self) -> bool:
        """It has ended."""
        return not self._process.is_alive()

    def stop(self) -> None:
        """Ends it at once; what it has begun is removed."""
        self._process.terminate()

    def wait(self) -> None:
        """Until it has ended; by force where it does not."""
        self._end()
        self.pipe.close()

    def _end(self) -> None:
        self._process.join(PATIENCE)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()


def _cause_of_death(code: int | None) -> str:
    if code is None or code >= 0:
        return f"ended with code {code}"
    hint = "; the system may have been short of memory" if -code == signal.SIGKILL else ""
    return f"was killed by {signal.Signals(-code).name}{hint}"


def hear(workers: list[Worker], timeout: float) -> list[Worker]:
    """Waits until some of them have something to say, or have ended."""
    ready = connection.wait([worker.pipe for worker in workers], timeout)
    return [worker for worker in workers if worker.pipe in ready]


def deal_devices(device: str, jobs: int) -> list[str]:
    """The device of each worker: ``"cuda:0,1"`` is dealt in turn, every worker gets at least one."""
    kind, _, indices = device.partition(":")
    names = indices.split(",")
    if len(names) == 1:
        return [device] * jobs
    hands = (names[number % len(names) :: jobs] for number in range(jobs))
    return [f"{kind}:{','.join(hand)}" for hand in hands]
