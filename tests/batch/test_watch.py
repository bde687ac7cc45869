"""A file that arrives slowly is taken once, when it is whole."""

from __future__ import annotations

import json
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from rfdn_video.batch.sources import Selection, find_sources
from rfdn_video.batch.watch import Watch, is_being_written
from tests.oracle import look

type Clip = Callable[..., bytes]
type Start = Callable[..., Any]


def test_taken_when_it_has_been_still_and_again_when_it_has_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, changed, path = 0.0, threading.Event(), tmp_path / "a.mp4"
    monkeypatch.setattr(time, "monotonic", lambda: now)
    watch = Watch(lambda: find_sources([tmp_path], Selection(), pytest.fail), 5, changed)

    def taken() -> list[Path]:
        changed.set()
        return [source.path for source in watch.complete()]

    path.write_bytes(b"1")
    assert taken() == []
    now = 4
    path.write_bytes(b"12")
    assert taken() == []
    now = 8
    assert taken() == []
    now = 9
    assert taken() == [path]
    now = 99
    assert taken() == []
    path.write_bytes(b"123")
    assert taken() == []
    now = 104
    assert taken() == [path]


@pytest.mark.fault(8)
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells of writers")
def test_a_writer_is_seen(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    with path.open("wb") as file:
        file.write(b"1")
        file.flush()
        assert is_being_written(path)
    assert not is_being_written(path)


@pytest.mark.fault(8)
def test_a_file_copied_in_slowly_is_done_once_and_whole(tmp_path: Path, clip: Clip, start: Start) -> None:
    folder, out, content = tmp_path / "in", tmp_path / "out", clip(20)
    folder.mkdir()
    events: list[dict[str, Any]] = []
    with start(folder, "-o", out, "--watch", "--settle", "1.5") as process:
        reader = threading.Thread(target=lambda: events.extend(json.loads(line) for line in process.stdout))
        reader.start()
        time.sleep(2)
        with (folder / "a.mp4").open("wb") as file:
            for begin in range(0, len(content), len(content) // 6 + 1):
                file.write(content[begin : begin + len(content) // 6 + 1])
                file.flush()
                time.sleep(1)
            assert [event for event in events if event["event"] != "note"] == []
        deadline = time.monotonic() + 120
        while not any(event["event"] in ("finished", "failed") for event in events) and time.monotonic() < deadline:
            time.sleep(0.2)
        time.sleep(3)
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 143
        reader.join(10)
    assert [event["event"] for event in events if event["event"] != "progress"] == ["queued", "started", "finished"]
    assert len(look(out / "a_x2.mp4").times) == 20


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_without_the_gpu_that_is_required_it_ends_before_a_file_comes(
    tmp_path: Path, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RFDN_REQUIRE_GPU", "1")
    (tmp_path / "in").mkdir()
    with start(tmp_path / "in", "-o", tmp_path / "out", "--watch") as process:
        _, complaints = process.communicate(timeout=120)
    assert process.returncode == 6
    assert complaints.startswith("rfdn-video: no GPU")
