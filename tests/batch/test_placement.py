"""Several devices, simulated: every worker has its own, all of them are used, and one that is lost stops no other."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import torch

from rfdn_video.batch import owner as module
from rfdn_video.batch import worker as worker_module
from rfdn_video.batch.ledger import Ledger
from rfdn_video.batch.messages import Failed, FromWorker, Hello, Progress, Task, Unchanged
from rfdn_video.batch.owner import Event, Options, Owner
from rfdn_video.batch.sources import Source
from rfdn_video.batch.worker_process import deal_devices
from rfdn_video.settings import Settings


@pytest.mark.parametrize(
    ("device", "jobs", "hands"),
    [
        ("cpu", 2, ["cpu", "cpu"]),
        ("cuda:1", 2, ["cuda:1", "cuda:1"]),
        ("cuda:0,1,2", 3, ["cuda:0", "cuda:1", "cuda:2"]),
        ("cuda:0,2", 4, ["cuda:0", "cuda:2", "cuda:0", "cuda:2"]),
        ("cuda:0,1,2", 2, ["cuda:0,2", "cuda:1"]),
        ("cuda:3,1", 1, ["cuda:3,1"]),
    ],
)
def test_devices_are_dealt_in_turn(device: str, jobs: int, hands: list[str]) -> None:
    assert deal_devices(device, jobs) == hands


def test_auto_takes_the_gpu_of_the_workers_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rfdn_video.inference.device.resolve_devices", lambda _: [torch.device("cuda")])
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 3)
    assert [worker_module._resolve("auto", number) for number in range(4)] == ["cuda:0", "cuda:1", "cuda:2", "cuda:0"]
    assert worker_module._resolve("cuda:1", 2) == "cuda:1"


@dataclass
class Machine:
    """Simulated devices and the workers on them."""

    devices: list[str] = field(default_factory=list)
    at_work: dict[str, Path] = field(default_factory=dict)
    most: int = 0
    done: Counter[str] = field(default_factory=Counter)
    breaks: str = ""
    random: random.Random = field(default_factory=lambda: random.Random(5))  # noqa: S311 (no secret)

    def hear(self, workers: list[SimulatedWorker], _: float) -> list[SimulatedWorker]:
        """Those that happen to have something to say."""
        return [worker for worker in workers if worker.said and self.random.random() < 0.5]


class SimulatedWorker:
    """A worker's side of what the owner sees; a device of it does one file at a time."""

    machine: Machine
    is_late = False

    def __init__(self, number: int, device: str, *_: object) -> None:
        self.number, self._own, self.device, self.task = number, device, None, None
        self.said: list[FromWorker] = [Hello(device)]
        self.machine.devices.append(device)

    device: str | None
    task: Task | None

    @property
    def idle(self) -> bool:
        return self.device is not None and self.task is None

    def give(self, task: Task) -> None:
        machine = self.machine
        assert self._own not in machine.at_work, "two files at a time on one device"
        machine.at_work[self._own] = task.source
        machine.most = max(machine.most, len(machine.at_work))
        self.task = task
        if self._own == machine.breaks:
            machine.breaks = ""
            self.said.append(Failed(6, "the device was lost", "", transient=True))
        else:
            self.said += [Progress(1, 2, 5.0), Unchanged("content")]

    def receive(self) -> FromWorker:
        message = self.said.pop(0)
        if isinstance(message, Unchanged | Failed):
            del self.machine.at_work[self._own]
            self.machine.done[self._own] += isinstance(message, Unchanged)
        return message

    is_dead = False

    def stop(self) -> None:
        pass

    def wait(self) -> None:
        pass


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Iterator[Machine]:
    machine = Machine()
    monkeypatch.setattr(SimulatedWorker, "machine", machine, raising=False)
    monkeypatch.setattr(module, "Worker", SimulatedWorker)
    monkeypatch.setattr(module, "hear", machine.hear)
    return machine


def work(folder: Path, device: str, jobs: int, files: int = 24) -> list[Event]:
    events: list[Event] = []
    (folder / "in").mkdir()
    sources = [Source(folder / "in" / f"{number:02}.mp4", Path(), f"{number:02}") for number in range(files)]
    for source in sources:
        source.path.write_bytes(b"1")
    with closing(Ledger(folder, create=True)) as ledger:
        owner = Owner(Options(folder, Settings(device=device), jobs, 1, "keep", None), ledger, events.append)
        owner.consider(sources)
        owner.work()
        assert ledger.counts() == {"done": files}
        devices = {entry.worker: entry.device for entry in ledger.in_state("done")}
        assert devices == dict(enumerate(deal_devices(device, jobs)))
    return events


def test_every_worker_has_a_device_of_its_own_and_all_of_them_work(tmp_path: Path, machine: Machine) -> None:
    work(tmp_path, "cuda:0,1,2,3", 4)
    assert machine.devices == ["cuda:0", "cuda:1", "cuda:2", "cuda:3"]
    assert machine.most == 4
    assert min(machine.done[device] for device in machine.devices) >= 3
    assert sum(machine.done.values()) == 24


def test_no_more_workers_than_files(tmp_path: Path, machine: Machine) -> None:
    work(tmp_path, "cuda:0,1,2,3", 4, files=4)
    assert len(set(machine.devices)) == machine.most == 4


def test_a_lost_device_gets_a_fresh_worker_and_the_file_another_try(tmp_path: Path, machine: Machine) -> None:
    machine.breaks = "cuda:1"
    events = work(tmp_path, "cuda:0,1,2", 3)
    assert [event.kind for event in events].count("retried") == 1
    assert machine.devices == ["cuda:0", "cuda:1", "cuda:2", "cuda:1"]
    assert machine.done["cuda:1"] >= 3
