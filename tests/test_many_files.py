"""One process that does file after file holds no more after a thousand of them than after the first hundred."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

SCRIPT = """
import json, os, sys, threading
from rfdn_video.cli.main import main

count, engine, folder, weights, *sources = sys.argv[1:]
for number in range(int(count)):
    source = sources[number % len(sources)]
    output = os.path.join(folder, os.path.basename(source) + ".mkv")
    code = main([source, "-o", output, "-w", weights, "--engine", engine, "--device", "cpu", "--overwrite"])
    assert (code != 0) == ("bad" in source), (code, source)
    if number % 100 == 99:
        pages = int(open("/proc/self/statm").read().split()[1])
        held = {"rss": pages * os.sysconf("SC_PAGE_SIZE"), "files": len(os.listdir("/proc/self/fd"))}
        print(json.dumps(held | {"threads": threading.active_count()}), file=sys.__stderr__, flush=True)
"""


@pytest.mark.slow
@pytest.mark.fault(31)
@pytest.mark.parametrize("engine", ["torch", "openvino"])
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_memory_does_not_grow_with_the_number_of_files(
    ffmpeg: Callable[..., bytes], nearest_x2: Path, tmp_path: Path, engine: str
) -> None:
    """Of good files of several kinds and of bad ones, which fail: within 5 %, and no more open files and threads."""
    pytest.importorskip(engine)
    sources = [tmp_path / name for name in ("a.mp4", "b.mkv", "c.webm", "bad_cut.mp4", "bad.mkv")]
    pictures = ["-f", "lavfi", "-i", "testsrc2=size=64x48:rate=25:duration=0.4"]
    sound = ["-f", "lavfi", "-i", "sine=duration=0.4"]
    for source in sources[:3]:
        ffmpeg(*pictures, *sound, "-pix_fmt", "yuv420p", source)
    sources[3].write_bytes(sources[0].read_bytes()[:-2000])
    sources[4].write_text("words")
    (tmp_path / "out").mkdir()
    command: list[str | Path] = [sys.executable, "-c", SCRIPT, "1000", engine, tmp_path / "out", nearest_x2, *sources]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    held = [json.loads(line) for line in done.stderr.splitlines() if line.startswith("{")]
    first, last = held[0], held[-1]
    print(held)
    assert len(held) == 10
    assert last["rss"] < 1.05 * first["rss"]
    assert (last["files"], last["threads"]) == (first["files"], first["threads"])
