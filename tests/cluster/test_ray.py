"""Faults of distributed work, on a Ray cluster of two nodes on this machine."""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

ray = pytest.importorskip("ray", reason="Ray is absent (pip install 'rfdn-video[ray]'); distributed work was NOT tried")

from rfdn_video.cluster.connect import connect, share_of, shortage  # noqa: E402
from rfdn_video.cluster.order import Order  # noqa: E402
from rfdn_video.cluster.scheduling import AHEAD, TRIES, Crew  # noqa: E402
from rfdn_video.cluster.spans import Span  # noqa: E402
from rfdn_video.errors import DeviceError, InputError, UsageError  # noqa: E402
from rfdn_video.media.keeping.work_folder import work_folder  # noqa: E402
from tests.cluster.workers import cluster_settings, enlarge, frozen, poison, slow  # noqa: E402

type Pictures = Callable[[Path], list[bytes]]


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """Two nodes of one processor each, as if they were two machines."""
    from ray.cluster_utils import Cluster

    os.environ["RAY_worker_niceness"] = "0"  # noqa: SIM112 (else they wait for all else that runs here)
    two = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    two.add_node(num_cpus=1)
    connect(two.address)
    yield two
    ray.shutdown()
    two.shutdown()


@pytest.fixture
def crew(cluster: Any) -> Callable[..., Crew]:
    """Workers of it."""
    assert cluster.address

    def hire(silence: float = 0, **make: Any) -> Crew:
        return Crew(share_of("cpu", ray.nodes()), silence, **make)

    return hire


@pytest.fixture
def begun(tmp_path: Path) -> Path:
    """Where slow workers note what they have begun."""
    (tmp_path / "begun").mkdir()
    return tmp_path / "begun"


def _notes(begun: Path, number: int) -> list[tuple[int, Path]]:
    """(process, file) of each attempt of a segment."""
    return [(int(path.name.split(".")[1]), path) for path in sorted(begun.glob(f"{number}.*"))]


def _once(begun: Path, number: int, do: Callable[[int], None]) -> threading.Thread:
    """Does something to the process that begins a segment, the first time."""

    def watch() -> None:
        while not (found := _notes(begun, number)):
            time.sleep(0.02)
        time.sleep(0.1)
        do(found[0][0])

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    return thread


@pytest.mark.fault(72)
@pytest.mark.fault(79)
def test_fault_72_a_worker_killed_in_mid_segment(
    crew: Callable[..., Crew],
    begun: Path,
    pictures: Pictures,
    uncut: list[bytes],
    nearest_x2: Path,
    clip: Path,
    tmp_path: Path,
) -> None:
    """Its segment is done again, and the result of two workers is that of one process, bit for bit."""
    output, settings = tmp_path / "o.mkv", cluster_settings(nearest_x2)
    thread = _once(begun, 1, lambda pid: os.kill(pid, signal.SIGKILL))
    counts: list[int] = []
    summary = enlarge(clip, output, settings, crew(make=slow), on_frame=counts.append)
    thread.join()
    assert len(_notes(begun, 1)) == 2
    assert len({pid for n in range(4) for pid, _ in _notes(begun, n)}) >= 2
    assert counts == sorted(counts)
    assert counts[-1] == summary.frames
    assert pictures(output) == uncut
    assert not list(tmp_path.glob(".*"))


@pytest.mark.fault(74)
@pytest.mark.fault(76)
def test_fault_74_a_poison_segment(
    crew: Callable[..., Crew], begun: Path, nearest_x2: Path, clip: Path, tmp_path: Path
) -> None:
    """One kills its worker, one cannot be read: each is tried so often, named, and the others are kept."""
    output, settings = tmp_path / "o.mkv", cluster_settings(nearest_x2, segment_frames=20)
    workers = crew(make=poison)
    with pytest.raises(DeviceError, match=r"segment 2 \(1.600 s to 2.400 s\) failed, and 1 more: .*worker") as caught:
        enlarge(clip, output, settings, workers)
    assert isinstance(workers.failed[4], InputError)
    assert [len(_notes(begun, n)) for n in range(6)] == [1, 1, TRIES, 1, TRIES, 1]
    assert "70 frames are finished and kept; --resume" in caught.value.__notes__[0]
    summary = enlarge(clip, output, cluster_settings(nearest_x2, segment_frames=20, resume=True), crew())
    assert summary.frames_reused == 70


@pytest.mark.fault(80)
@pytest.mark.fault(73)
def test_fault_80_a_straggler_gets_a_twin(
    crew: Callable[..., Crew],
    begun: Path,
    pictures: Pictures,
    uncut: list[bytes],
    nearest_x2: Path,
    clip: Path,
    tmp_path: Path,
) -> None:
    """A worker that does not move any more is not waited for; whoever publishes first wins."""
    output, settings = tmp_path / "o.mkv", cluster_settings(nearest_x2)
    enlarge(clip, output, settings, crew(2.0, make=frozen))
    assert len(_notes(begun, 2)) == 2
    assert pictures(output) == uncut


@pytest.mark.fault(76)
def test_fault_76_work_in_flight_is_bounded(
    crew: Callable[..., Crew], monkeypatch: pytest.MonkeyPatch, nearest_x2: Path, clip: Path, tmp_path: Path
) -> None:
    """Of many segments, a few are Ray's at any time."""
    order = Order(clip, tmp_path / "o.mkv", cluster_settings(nearest_x2), 1, None)
    workers, seen = crew(make=_nothing), []
    settle = workers._settle
    monkeypatch.setattr(workers, "_settle", lambda task: (seen.append(len(workers._running)), settle(task)))
    workers.make(order, [Span(n, None, None) for n in range(40)], lambda _: None)
    assert len(seen) == 40
    assert max(seen) <= AHEAD * 2


@pytest.mark.fault(78)
def test_fault_78_workers_of_other_code_are_refused(
    crew: Callable[..., Crew], monkeypatch: pytest.MonkeyPatch, nearest_x2: Path, clip: Path, tmp_path: Path
) -> None:
    """What the driver runs is not what they run; nothing is begun."""
    monkeypatch.setattr("rfdn_video.cluster.handshake.code_digest", lambda: "of another day")
    with pytest.raises(UsageError, match=r"a worker of the cluster differs in rfdn-video \(was .*another day, is "):
        enlarge(clip, tmp_path / "o.mkv", cluster_settings(nearest_x2), crew())
    assert not list(tmp_path.iterdir())


def test_a_batch(cluster: Any, command_line: Callable[..., Any], nearest_x2: Path, clip: Path, tmp_path: Path) -> None:
    """Two good files and a bad one; the ledger tells what became of them."""
    sources, results = tmp_path / "in", tmp_path / "out"
    sources.mkdir()
    for name in ("a.mkv", "b.mkv"):
        shutil.copy(clip, sources / name)
    (sources / "c.mkv").write_bytes(b"nothing")
    options = [
        "--ray",
        cluster.address,
        "-w",
        nearest_x2,
        "--device",
        "cpu",
        "--engine",
        "torch",
        "--jobs",
        "2",
        "--json",
    ]
    done = command_line("batch", sources, "-o", results, *options, "--segment-frames", "60")
    assert done.returncode == 3, done.stderr
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert events[-1] == {"event": "summary", "done": 2, "failed": 1, "skipped": 0, "exit_code": 3}
    assert {event["device"] for event in events if event["event"] == "finished"} == {"ray"}
    assert sorted(path.name for path in results.glob("*.mkv")) == ["a_x2.mkv", "b_x2.mkv"]


def test_a_signal_keeps_what_is_finished(cluster: Any, ffmpeg: Callable[..., bytes], tmp_path: Path) -> None:
    """As on one machine: a line, an exit code, and nothing half-done beside what is finished."""
    source, output = tmp_path / "long.mp4", tmp_path / "o.mkv"
    ffmpeg("-f", "lavfi", "-i", "testsrc2=size=160x120:rate=25:duration=40", "-pix_fmt", "yuv420p", source)
    command = [sys.executable, "-m", "rfdn_video", source, "-o", output, "--ray", cluster.address, "--device", "cpu"]
    with subprocess.Popen([*command, "--segment-frames", "8"], stderr=subprocess.PIPE, text=True) as process:
        while not list(work_folder(output).glob("0*.json")) and process.poll() is None:
            time.sleep(0.05)
        process.terminate()
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 143, errors
    assert "--resume goes on with them" in errors
    assert len(errors.splitlines()) == 1
    left = {path.suffix for path in work_folder(output).iterdir()}
    assert left == {".json", ".packets", ""}  # the lock
    assert not output.exists()


def _nothing(*_: object) -> None:
    """A segment of no work."""


def _drive(address: str, clip: Path, output: Path, weights: Path) -> None:
    """A driver in a process of its own."""
    connect(address)
    enlarge(clip, output, cluster_settings(weights), Crew(share_of("cpu", ray.nodes()), 0, make=slow))


@pytest.mark.fault(75)
def test_fault_75_the_driver_is_killed(
    cluster: Any,
    crew: Callable[..., Crew],
    begun: Path,
    pictures: Pictures,
    uncut: list[bytes],
    nearest_x2: Path,
    clip: Path,
    tmp_path: Path,
) -> None:
    """The next one goes on with what was published."""
    output, context = tmp_path / "o.mkv", multiprocessing.get_context("spawn")
    driver = context.Process(target=_drive, args=(cluster.address, clip, output, nearest_x2))
    driver.start()
    while not list(work_folder(output).glob("0*.json")):
        assert driver.is_alive()
        time.sleep(0.02)
    driver.kill()
    driver.join()
    finished = {path.name[:6] for path in work_folder(output).glob("0*.json")}
    before = len(list(begun.iterdir()))
    summary = enlarge(clip, output, cluster_settings(nearest_x2, resume=True), crew(make=slow))
    assert summary.frames_reused > 0
    assert len(list(begun.iterdir())) - before <= 4 - len(finished) + 2  # two tasks of the dead one may still begin
    assert pictures(output) == uncut
    assert not list(tmp_path.glob(".*"))


def test_that_nobody_can_do_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ray would wait, without a word."""
    monkeypatch.setattr(ray, "nodes", lambda: [{"Alive": True, "Resources": {"CPU": 2.0}}])
    assert shortage("cpu") is None
    assert shortage("cuda") == "no machine of the cluster has a GPU for work; waiting until one joins"


def test_what_a_segment_gets() -> None:
    def node(**resources: float) -> dict[str, Any]:
        return {"Alive": True, "Resources": resources}

    mixed = [node(CPU=8, GPU=2), node(CPU=16, GPU=1), node(CPU=2), {"Alive": False, "Resources": {}}]
    assert vars(share_of("auto", mixed)) == {"cpus": 4, "gpus": 1, "device": "cuda", "slots": 3}
    assert share_of("auto", []).slots == share_of("cuda", [node(CPU=2)]).slots == 0
    assert vars(share_of("cpu", mixed)) == {"cpus": 2, "gpus": 0, "device": "cpu", "slots": 13}
    assert share_of("cuda", [node(CPU=2)]).gpus == 1  # an autoscaler may bring one
    with pytest.raises(UsageError, match="Ray deals the devices; give cuda"):
        share_of("cuda:0,1", mixed)
