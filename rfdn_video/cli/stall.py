"""Ends a command that hangs, with a line that says in what, and an exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rfdn_video.cli.console import fail
from rfdn_video.errors import RFDNError
from rfdn_video.media.keeping.journal import JOURNAL
from rfdn_video.media.keeping.work_folder import work_folder
from rfdn_video.pipeline import Job
from rfdn_video.watchdog import Beat, Watchdog, patience

__all__ = ["watched"]


@contextmanager
def watched(job: Job, limit: float | None) -> Iterator[Beat]:
    """Within this block the process ends when the job makes no progress for ``limit`` seconds.

    A thread that hangs in a driver cannot be ended but with the process. What is finished stays in the work folder.

    Args:
        job: that is done.
        limit: 0 is for ever; None goes by the size of the result.
    """

    def leave(error: RFDNError) -> None:
        output = job.files.output
        if output is not None and (work_folder(output) / JOURNAL).exists():
            error.add_note("what is finished is kept; --resume goes on with it")
        code = fail(error)
        sys.stdout.flush()
        os._exit(code)

    layout = job.files.layout
    with Watchdog(patience(layout.width, layout.height, limit), leave) as watchdog:
        yield watchdog.beat
