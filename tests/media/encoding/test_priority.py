"""No encoder makes a process real-time."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path

import av
import pytest

from rfdn_video.media.encoding.priority import usual_priority


@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="SVT-AV1 does it on Linux, for root only")
def test_svt_av1_is_set_back() -> None:
    """Without the guard, the very thread that opens it would be real-time."""
    with av.open(io.BytesIO(), "w", format="matroska") as container:
        stream = container.add_stream("libsvtav1", rate=25)
        stream.width = stream.height = 64
        stream.pix_fmt = "yuv420p"
        with usual_priority():
            stream.codec_context.open()
            assert os.sched_getscheduler(0) == os.SCHED_FIFO
        threads = [int(task.name) for task in Path("/proc/self/task").iterdir()]
        assert {os.sched_getscheduler(thread) for thread in threads} == {os.SCHED_OTHER}
