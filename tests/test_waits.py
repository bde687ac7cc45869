"""The summary names the stage that bounds a run, wherever it is, from what every stage measured of itself."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from rfdn_video import pipeline, upscale_video
from rfdn_video.inference.engines.pytorch import TorchEngine
from rfdn_video.inference.slots import _Slot
from rfdn_video.media.muxing.mux import Output
from rfdn_video.media.reading.decode import Decoder
from rfdn_video.stages import Drain, Prefetch, StageTime
from rfdn_video.summary import Summary

FRAMES, DELAY = 12, 0.04
CONCURRENT = ("decode", "host", "upload", "network", "download", "encode")
PLACES: dict[str, tuple[Any, str]] = {
    "decode": (Decoder, "_frame"),
    "host": (_Slot, "load"),
    "upload": (_Slot, "upload"),
    "network": (TorchEngine, "__call__"),
    "download": (_Slot, "download"),
    "encode": (Output, "write"),
    "finish": (Output, "close"),
    "verify": (pipeline, "verify"),
}


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory, ffmpeg: Callable[..., bytes]) -> Path:
    path = tmp_path_factory.mktemp("waits") / "clip.mp4"
    ffmpeg("-f", "lavfi", "-i", f"testsrc2=size=64x48:rate=25:duration={FRAMES / 25}", "-pix_fmt", "yuv420p", path)
    return path


@pytest.fixture(scope="module")
def delay(clip: Path, nearest_x2: Path, tmp_path_factory: pytest.TempPathFactory) -> float:
    """Seconds a frame that make any stage the slowest, however busy the machine is; all is warm afterwards."""
    folder = tmp_path_factory.mktemp("plain")
    _run(clip, folder / "first.mkv", nearest_x2)
    usual = _run(clip, folder / "second.mkv", nearest_x2).bound_by.worked
    return max(DELAY, 3 * usual / FRAMES)


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch, delay: float) -> Callable[[str, int], None]:
    """Makes one stage take its time, so many delays longer than before: with every frame, or as much at the end."""

    def make(place: str, delays: int) -> None:
        owner, name = PLACES[place]
        original, pause = getattr(owner, name), delays * delay * (1 if place in CONCURRENT else FRAMES)

        def dawdle(*args: Any, **options: Any) -> Any:
            time.sleep(pause)
            return original(*args, **options)

        monkeypatch.setattr(owner, name, dawdle)

    return make


def _run(clip: Path, output: Path, weights: Path) -> Summary:
    return upscale_video(clip, output, scale=2, weights=weights, device="cpu", engine="torch", encoder="ffv1")


@pytest.mark.parametrize("place", PLACES)
def test_the_slow_stage_is_named(
    place: str, slow: Callable[[str, int], None], clip: Path, nearest_x2: Path, tmp_path: Path
) -> None:
    for delays in (1, 4, 16):  # a busy machine may hold up another stage for longer than this one sleeps
        slow(place, delays)
        summary = _run(clip, tmp_path / f"{delays}.mkv", nearest_x2)
        if summary.bound_by.name == place:
            break
    stages = {stage.name: stage for stage in summary.stages}
    assert tuple(stages) == (*CONCURRENT, "finish", "verify")
    assert summary.bound_by == stages[place]
    for name in CONCURRENT:  # nobody is busier than the clock allows
        stage = stages[name]
        assert min(stage.worked, stage.waited_for_input, stage.waited_for_output) >= 0
        assert stage.worked + stage.waited_for_input + stage.waited_for_output <= summary.seconds


def test_a_stage_waits_on_the_side_of_the_slow_one() -> None:
    """Behind a slow decoder the taker waits for items; in front of a slow encoder everybody waits for room."""

    def numbers(pause: float) -> Iterator[int]:
        for n in range(FRAMES):
            time.sleep(pause)
            yield n

    def run(pause_in: float, pause_out: float) -> tuple[StageTime, StageTime, float, float]:
        source, sink = Prefetch(numbers(pause_in), 2, "source"), Drain(lambda _: time.sleep(pause_out), 2, "sink")
        with source as items, sink:
            for item in items:
                sink.put(item)
        return source.time, sink.time, source.waited, sink.waited

    source, sink, waited_in, waited_out = run(DELAY, 0)
    assert source.worked > source.waited_for_output
    assert sink.waited_for_input > sink.worked
    assert waited_in > waited_out
    source, sink, waited_in, waited_out = run(0, DELAY)
    assert source.waited_for_output > source.worked
    assert sink.worked > sink.waited_for_input
    assert waited_out > waited_in


def test_the_command_line_says_it(
    command_line: Callable[..., subprocess.CompletedProcess[str]], clip: Path, nearest_x2: Path, tmp_path: Path
) -> None:
    options = ["-w", nearest_x2, "--device", "cpu", "--engine", "torch"]
    done = command_line(clip, "-o", tmp_path / "a.mp4", *options, "--json")
    record = json.loads(done.stdout)
    shares = {name: stage["busy"] for name, stage in record["stages"].items()}
    assert record["bound_by"] == max(shares, key=lambda name: shares[name])
    assert all(0 <= share <= 1 for share in shares.values())
    assert set(record["stages"]["decode"]) == {"busy", "worked", "waited_for_input", "waited_for_output"}
    done = command_line(clip, "-o", tmp_path / "b.mp4", *options)
    assert "; bound by: " in done.stdout
    assert done.stdout.endswith(" % busy\n")


@pytest.mark.cuda
def test_cuda_tells_how_long_its_queues_worked(clip: Path, tmp_path: Path) -> None:
    torch.cuda.synchronize()
    summary = upscale_video(clip, tmp_path / "out.mkv", scale=2, device="cuda", encoder="ffv1")
    stages = {stage.name: stage for stage in summary.stages}
    assert 0 < stages["network"].worked < summary.seconds
    assert 0 < stages["upload"].worked < stages["network"].worked
