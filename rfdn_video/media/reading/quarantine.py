"""A file is read in a process of its own before it is read in ours: what crashes FFmpeg crashes that one.

The process is forked by a server that has loaded what reads media and nothing else: that takes a few
milliseconds, a new interpreter for every file would take some 0.2 s. The other end is quarantine_server.py.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from functools import cache
from pathlib import Path
from threading import Lock

from rfdn_video.errors import InputError
from rfdn_video.limits import MAX_PROBE_BYTES, MAX_PROBE_SECONDS

__all__ = ["TOO_MUCH_MEMORY", "prepare_to_try", "try_first"]

TOO_MUCH_MEMORY = 3
"""Exit status of a process that took more than is allowed."""


def prepare_to_try() -> None:
    """Starts the server, if there is none yet; it needs a moment, in which other things can be done."""
    if hasattr(os, "fork"):
        _server(os.getpid())


def try_first(path: Path, video_stream: int | None = None) -> None:
    """Opens a file and decodes its first pictures, in another process.

    What is merely wrong with the file is not said here: who reads it in this process finds the same. Where
    processes cannot be forked (Windows) nothing is tried.

    Raises:
        InputError: that process was killed by a signal, took too long, or more memory than is allowed.
    """
    if not hasattr(os, "fork"):
        return
    status = _server(os.getpid()).try_(path, video_stream)
    if status == TOO_MUCH_MEMORY:
        raise InputError(f"{path}: its header or first pictures take more than {MAX_PROBE_BYTES >> 30} GiB of memory")
    if status == -signal.SIGALRM:
        raise InputError(f"{path}: its header or first pictures take longer than {MAX_PROBE_SECONDS} s to read")
    if status != 0:
        how = signal.Signals(-status).name if status < 0 else f"exit status {status}"
        raise InputError(f"{path}: FFmpeg crashes when it reads this file ({how}); it is damaged, or made to do harm")


class _Server:
    """Our end of it."""

    def __init__(self) -> None:
        self._exchange = Lock()
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "rfdn_video.media.reading.quarantine_server"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # what a crash prints
            env=os.environ | {"OPENBLAS_NUM_THREADS": "1"},  # a process that forks should have one thread
            start_new_session=True,  # Ctrl-C is for us alone
        )

    def try_(self, path: Path, video_stream: int | None) -> int:
        """The exit status of the process that read the file, as :mod:`subprocess` counts it."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        request = json.dumps([str(path.absolute()), video_stream])
        with self._exchange:
            try:
                self._process.stdin.write(request.encode() + b"\n")
                self._process.stdin.flush()
                return int(self._process.stdout.readline())
            except (OSError, ValueError):
                _server.cache_clear()
                raise InputError(f"{path}: the process that reads files first has ended; try again") from None
            except BaseException:  # a signal, before the answer came: nobody else may take it for theirs
                _server.cache_clear()
                raise


@cache
def _server(_process: int) -> _Server:
    """One for each process of ours: a fork must not share its parent's."""
    return _Server()
