"""Progress counts what an earlier run has done, but not as speed."""

from __future__ import annotations

import json
import re

import pytest

from rfdn_video.cli import progress as module
from rfdn_video.cli.progress import Progress, progress
from rfdn_video.summary import Summary


class Clock:
    """Seconds that pass when they are told to; stands for the module :mod:`time`."""

    def __init__(self) -> None:
        self.now = 1000.0

    def time(self) -> float:
        return self.now

    monotonic = time


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(module, "time", clock)
    monkeypatch.setattr("tqdm.std.time", clock.time)
    return clock


def _resumed(on_frame: Progress, clock: Clock) -> None:
    """1,000 frames of before in ten seconds, then 500 at ten a second."""
    for done in range(1, 1001):
        clock.now += 0.01
        on_frame.reused(done)
    for done in range(1001, 1501):
        clock.now += 0.1
        on_frame(done)


def test_json(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    with progress("json", "film", 2000) as on_frame:
        _resumed(on_frame, clock)
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    before, last = [line for line in lines if line["frames"] <= 1000], lines[-1]
    assert len(before) > 10
    assert {(line["fps"], line["eta_seconds"]) for line in before} == {(0, None)}
    assert last == {
        "event": "progress",
        "input": "film",
        "frames": 1500,
        "total": 2000,
        "fps": 10,
        "eta_seconds": 50,
    }


def test_bar(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    with progress("bar", "film", 2000) as on_frame:
        _resumed(on_frame, clock)
    shown = capsys.readouterr().err.split("\r")
    assert sum("/2000 [00:00<?, ?frame/s]" in line for line in shown) > 10
    assert re.search(r"75%.*\| 1500/2000 \[00:(49|50)<00:(49|50), 10\.0\d*frame/s\]", shown[-1])


@pytest.mark.parametrize("style", ["bar", "json"])
def test_a_total_that_proves_wrong(clock: Clock, capsys: pytest.CaptureFixture[str], style: str) -> None:
    with progress(style, "film", 1200) as on_frame:
        _resumed(on_frame, clock)
    last = re.split(r"[\r\n]", capsys.readouterr().err.strip())[-1]
    assert "1500" in last
    assert "1200" not in last


def test_summary() -> None:
    resumed = object.__new__(Summary)
    resumed.__dict__.update(frames=1500, frames_reused=1000, seconds=50.0)
    assert resumed.fps == 10
