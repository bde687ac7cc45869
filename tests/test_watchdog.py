"""What hangs ends the command with a line that says in what, and what is finished is kept."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from rfdn_video.errors import RFDNError
from rfdn_video.media.keeping.journal import Journal
from rfdn_video.media.keeping.work_folder import work_folder
from rfdn_video.watchdog import REST, Watchdog, patience

HANGING = """
import sys, threading
from rfdn_video.cli.main import main
from rfdn_video.{module} import {owner}

whole, count = {owner}.{method}, iter(range(10_000))

def hangs(self, *arguments, **options):
    if next(count) >= {after}:
        threading.Event().wait()  # for ever
    return whole(self, *arguments, **options)

{owner}.{method} = hangs
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.fault(71)
@pytest.mark.parametrize(
    ("module", "owner", "method", "after", "code", "words", "kept"),
    [
        ("media.encoding.video_encoder", "LibavEncoder", "encode", 60, 4, "the encoder", True),
        ("media.encoding.video_encoder", "LibavEncoder", "flush", 5, 4, "the encoder", True),
        ("inference.engines.pytorch", "TorchEngine", "__call__", 30, 6, "the device does not answer", True),
        pytest.param(
            *("inference.engines.pytorch", "TorchEngine", "__call__", 3, 6, "the device does not answer", False),
            marks=pytest.mark.slow,
        ),
        ("media.reading.decode", "Decoder", "_frame", 30, 3, "the source", True),
    ],
)
def test_fault_71_a_stage_that_hangs(
    ffmpeg: Callable[..., bytes],
    command_line: Callable[..., subprocess.CompletedProcess[str]],
    nearest_x2: Path,
    tmp_path: Path,
    module: str,
    owner: str,
    method: str,
    after: int,
    code: int,
    words: str,
    kept: bool,
) -> None:
    source, output = tmp_path / "in.mkv", tmp_path / "o.mkv"
    ffmpeg("-f", "lavfi", "-i", "testsrc2=size=64x48:rate=25:duration=4", "-pix_fmt", "yuv420p", "-c:v", "ffv1", source)
    script = HANGING.format(module=module, owner=owner, method=method, after=after)
    options = ["--segment-frames", "16", "--device", "cpu", "--engine", "torch", "--tile", "off", "--encoder", "ffv1"]
    command = [sys.executable, "-c", script, source, "-o", output, "-w", nearest_x2, *options, "--stall-timeout", "2"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == code, done.stderr
    assert words in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert ("--resume goes on with it" in done.stderr) == kept
    assert not output.exists()
    journal = Journal.read(work_folder(output))
    assert (journal is not None and len(journal.segments) >= 1) == kept
    done = command_line(source, "-o", output, "-w", nearest_x2, *options, "--resume")
    assert done.returncode == 0, done.stderr
    assert sorted(os.listdir(tmp_path)) == ["in.mkv", "o.mkv"]


def test_it_waits_for_the_first_beat_and_during_rest() -> None:
    """A network may take long to be made ready, and a file to be moved."""
    errors: list[RFDNError] = []
    stalled = threading.Event()

    def note(error: RFDNError) -> None:
        errors.append(error)
        stalled.set()

    with Watchdog(0.5, note) as watchdog:
        time.sleep(0.8)
        watchdog.beat("decode")
        watchdog.beat(REST)
        time.sleep(0.8)
        assert not errors
        watchdog.beat("decode")
        assert stalled.wait(60)
    assert [error.exit_code for error in errors] == [6]


def test_nothing_is_left_of_it() -> None:
    """Neither of one that watched nor of one that was told not to."""
    for limit in (0, 60):
        with Watchdog(limit, lambda _: None) as watchdog:
            watchdog.beat("decode")
            time.sleep(0.02)
    assert not [thread for thread in threading.enumerate() if thread.name == "watchdog"]


def test_patience_grows_with_the_picture() -> None:
    """Eight times 1080p took a slow processor 140 s a frame; that is far within."""
    assert patience(64, 64, None) > 600
    assert patience(15360, 8640, None) > 10_000
    assert patience(64, 64, 0) == 0
