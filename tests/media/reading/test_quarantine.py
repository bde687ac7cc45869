"""What crashes, hangs or swells FFmpeg is refused by name: it happened in another process."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from rfdn_video.errors import InputError
from rfdn_video.media.reading import quarantine
from rfdn_video.media.reading.quarantine import try_first

# Python runs a sitecustomize.py on its path when it starts: so the server of the test is a vulnerable one.
VULNERABLE = """
import os, signal, sys, time
import rfdn_video.limits as limits
limits.MAX_PROBE_SECONDS = 1
limits.MAX_PROBE_BYTES = {limit}
import rfdn_video.media.reading.probe as probe
def examine(path, video_stream=None, deinterlace=None):
    {harm}
probe.examine = examine
"""


@pytest.fixture
def vulnerable(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., None]:
    """Lets servers that start from now on do ``harm`` when they read a file."""

    def make(harm: str, limit: int = 1 << 31) -> None:
        folder = tmp_path / "site"
        folder.mkdir()
        (folder / "sitecustomize.py").write_text(VULNERABLE.format(harm=harm, limit=limit))
        monkeypatch.setenv("PYTHONPATH", str(folder), prepend=":")
        monkeypatch.setattr(quarantine, "_server", lambda _: server)
        server = quarantine._Server()

    return make


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    path = tmp_path / "clip 'x'\n\udcff.mp4"
    path.write_bytes(b"anything")
    return path


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        ("os.kill(os.getpid(), signal.SIGSEGV)", "crashes when it reads this file .SIGSEGV"),
        ("os.abort()", "crashes when it reads this file .SIGABRT"),
        ("time.sleep(50)", "longer than 60 s"),
        ("bytearray(b'x') * 200_000_000; time.sleep(50)", "more than 2 GiB of memory"),
    ],
)
def test_harm_is_an_error(vulnerable: Callable[..., None], clip: Path, harm: str, words: str) -> None:
    vulnerable(harm, limit=150_000_000)
    for _ in range(2):  # the server outlives it
        with pytest.raises(InputError, match=words):
            try_first(clip)


def test_what_is_merely_wrong_is_said_elsewhere(clip: Path) -> None:
    try_first(clip)


def test_a_server_that_ends_is_replaced(clip: Path) -> None:
    server = quarantine._server(quarantine.os.getpid())
    server._process.kill()
    with pytest.raises(InputError, match="try again"):
        try_first(clip)
    try_first(clip)


def test_a_crash_is_exit_code_3(
    vulnerable: Callable[..., None], command_line: Callable[..., subprocess.CompletedProcess[str]], shared: Path
) -> None:
    vulnerable("os.kill(os.getpid(), signal.SIGSEGV)")
    done = command_line(shared / "clips" / "bikes.mp4", "--dry-run")
    assert done.returncode == 3
    assert "SIGSEGV" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_fork_of_ours_has_a_server_of_its_own(clip: Path) -> None:
    """Two processes that talk to one server would get each other's answers."""
    try_first(clip)
    ours = quarantine._server(os.getpid())._process.pid
    read, write = os.pipe()
    if not (child := os.fork()):
        try:
            try_first(clip)
            os.write(write, str(quarantine._server(os.getpid())._process.pid).encode())
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    os.close(write)
    with os.fdopen(read) as theirs:
        assert int(theirs.read()) != ours
