"""Reads files in forks of itself for :mod:`rfdn_video.media.reading.quarantine`, which says why.

Takes lines of JSON, [path, number of the video stream or null]; answers each with the exit status of the fork.
Ends when its standard input does, so it never outlives whom it serves.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
import time
from pathlib import Path
from threading import Thread
from typing import NoReturn

from rfdn_video.errors import RFDNError
from rfdn_video.limits import MAX_PROBE_BYTES, MAX_PROBE_SECONDS
from rfdn_video.media.reading.probe import examine
from rfdn_video.media.reading.quarantine import TOO_MUCH_MEMORY

MEMORY_UNIT = 1 if sys.platform == "darwin" else 1024  # of ru_maxrss, see getrusage(2)


def _serve() -> None:
    for request in sys.stdin.buffer:
        child = os.fork()
        if not child:
            _try(request)
        _, status = os.waitpid(child, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


def _try(request: bytes) -> NoReturn:
    path, video_stream = json.loads(request)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.alarm(MAX_PROBE_SECONDS)
    Thread(target=_watch_memory, daemon=True).start()
    try:
        examine(Path(path), video_stream)
    except RFDNError:
        pass
    finally:
        os._exit(0)


def _watch_memory() -> NoReturn:
    """libav goes on where memory cannot be had, so a limit of the system would not be noticed."""
    while resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * MEMORY_UNIT < MAX_PROBE_BYTES:
        time.sleep(0.01)
    os._exit(TOO_MUCH_MEMORY)


if __name__ == "__main__":
    _serve()
