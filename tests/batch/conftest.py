"""Small clips, and batches of them in processes of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

type Batch = Callable[..., list[dict[str, Any]]]
type Start = Callable[..., Any]


@pytest.fixture(scope="session")
def clip(ffmpeg: Callable[..., bytes], tmp_path_factory: pytest.TempPathFactory) -> Callable[..., bytes]:
    """The bytes of a clip of 64x48 with so many frames."""
    folder = tmp_path_factory.mktemp("clips")

    def make(frames: int = 4, suffix: str = "mp4") -> bytes:
        path = folder / f"{frames}.{suffix}"
        if not path.exists():
            picture = "testsrc=size=64x48:rate=10"
            ffmpeg("-f", "lavfi", "-i", picture, "-frames:v", frames, "-pix_fmt", "yuv420p", "-c:v", "libx264", path)
        return path.read_bytes()

    return make


@pytest.fixture
def start(nearest_x2: Path) -> Start:
    """Starts a batch in a process of its own; its events are lines of its standard output."""

    @contextmanager
    def run(*arguments: str | Path) -> Iterator[subprocess.Popen[str]]:
        command = [sys.executable, "-m", "rfdn_video", "batch", *map(str, arguments), "-w", str(nearest_x2), "--json"]
        environment = os.environ | {"OMP_NUM_THREADS": "1"}
        with subprocess.Popen(
            [*command, "--engine", "torch"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
        ) as process:
            try:
                yield process
            finally:
                process.kill()

    return run


@pytest.fixture
def batch(start: Start) -> Batch:
    """Runs a batch to its end; gives its events."""

    def run(*arguments: str | Path) -> list[dict[str, Any]]:
        with start(*arguments) as process:
            output, complaints = process.communicate(timeout=300)
        assert "Traceback" not in complaints
        events = [json.loads(line) for line in output.splitlines()]
        assert events, complaints
        assert process.returncode == events[-1]["exit_code"]
        return events

    return run
