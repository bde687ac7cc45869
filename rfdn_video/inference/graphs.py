"""CUDA graphs: work of fixed shapes in fixed memory is recorded once, and then started as one piece.

What is saved is the time in which the host starts one kernel after another. A graph repeats what it has seen,
addresses included, so each slot of a lane has its own, and slots are made anew for another shape of pictures.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import torch

from rfdn_video.errors import DeviceError
from rfdn_video.inference.device import CAPTURING

__all__ = ["CudaRecorder", "Recorder", "Replayed"]


class Recorder(Protocol):
    """Records the work that is queued on the current stream; nothing of it runs yet."""

    def __call__(self, work: Callable[[], None]) -> Callable[[], None]:
        """Gives what does the recorded work.

        Raises:
            DeviceError: it cannot be recorded.
        """


class Replayed:
    """Work that is done plainly the first time, recorded the second time, and replayed from then on.

    Args:
        record: records it.

    The first time sets up what must not be recorded: algorithms are chosen, tables and buffers made,
    bands made smaller until they fit. There is no way back to plain work: where recording fails, so does the job.
    """

    def __init__(self, record: Recorder) -> None:
        self._record = record
        self._replay: Callable[[], None] | None = None
        self._warm = False

    def __call__(self, work: Callable[[], None]) -> None:
        """Does the work, which must be the same at each call, on the same memory."""
        if not self._warm:
            work()
            self._warm = True
            return
        if self._replay is None:
            self._replay = self._record(work)
        self._replay()


class CudaRecorder:
    """Records on CUDA. The graphs of one recorder share memory, so they must be replayed one after another."""

    def __init__(self) -> None:
        self._pool = torch.cuda.graph_pool_handle()

    def __call__(self, work: Callable[[], None]) -> Callable[[], None]:
        """See :class:`Recorder`."""
        graph = torch.cuda.CUDAGraph()
        stream = torch.cuda.current_stream()
        try:
            # Other threads, such as a hardware decoder's, may use CUDA meanwhile.
            recording = torch.cuda.graph(graph, pool=self._pool, stream=stream, capture_error_mode="thread_local")
            with CAPTURING, recording:
                work()
        except (RuntimeError, DeviceError) as error:
            reason = str(error).splitlines()[0]
            raise DeviceError(
                f"this job cannot be recorded as a CUDA graph: {reason}; leave --cuda-graphs away"
            ) from None
        replay: Callable[[], None] = graph.replay
        return replay
