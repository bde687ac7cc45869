"""A batch as Prometheus wants it. No file names: they would be labels without end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import get_args

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector

from rfdn_video import __version__
from rfdn_video.batch.entry import Run, State
from rfdn_video.batch.ledger import Ledger
from rfdn_video.batch.status import Status, read_status

__all__ = ["CONTENT_TYPE", "exposition"]

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4


def exposition(ledger: Ledger) -> bytes:
    """The metrics of this moment, in the text format."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Batch(ledger))
    return generate_latest(registry)


class _Batch(Collector):
    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def collect(self) -> Iterator[Metric]:
        status = read_status(self._ledger, failed=0)
        yield InfoMetricFamily("rfdn_video", "The program.", {"version": __version__})
        yield GaugeMetricFamily("rfdn_batch_up", "1 while a batch is at work.", float(status.alive))
        yield self._files(status)
        yield self._failures()
        if status.run is not None and status.progress is not None:
            yield from self._of_run(status.run)
            yield from _progress(status)
        yield from _workers(status)

    def _files(self, status: Status) -> Metric:
        family = GaugeMetricFamily("rfdn_batch_files", "Files in each state.", labels=["state"])
        for state in get_args(State.__value__):
            family.add_metric([state], status.counts.get(state, 0))
        return family

    def _failures(self) -> Metric:
        text = "Failed files by exit code: 3 input, 4 output, 5 weights, 6 device, 7 check."
        family = GaugeMetricFamily("rfdn_batch_failures", text, labels=["exit_code"])
        for code, count in self._ledger.failures().items():
            family.add_metric([str(code)], count)
        return family

    def _of_run(self, run: Run) -> Iterator[Metric]:
        frames, read, written = self._ledger.finished(run)
        yield CounterMetricFamily("rfdn_batch_frames", "Frames of the files that this batch has finished.", frames)
        yield CounterMetricFamily("rfdn_batch_input_bytes", "Bytes of the sources of these files.", read)
        yield CounterMetricFamily("rfdn_batch_output_bytes", "Bytes of their results.", written)
        yield GaugeMetricFamily("rfdn_batch_jobs", "Files that are done at a time.", run.jobs)
        yield GaugeMetricFamily("rfdn_batch_start_time_seconds", "When it began, since 1970.", run.started)
        yield GaugeMetricFamily("rfdn_batch_last_beat_seconds", "When it was last seen alive, since 1970.", run.beat)


def _progress(status: Status) -> Iterator[Metric]:
    progress = status.progress
    assert progress is not None
    yield GaugeMetricFamily("rfdn_batch_progress_ratio", "0..1 of the work, by bytes.", progress.fraction)
    if progress.seconds_left is not None:
        yield GaugeMetricFamily("rfdn_batch_eta_seconds", "Until it is done, at this pace.", progress.seconds_left)


def _workers(status: Status) -> Iterator[Metric]:
    labels = ["worker", "device"]
    pace = GaugeMetricFamily("rfdn_batch_worker_fps", "Frames a second of a worker, just now.", labels=labels)
    share = GaugeMetricFamily("rfdn_batch_worker_progress_ratio", "0..1 of the file it is at.", labels=labels)
    for entry in status.running if status.alive else []:
        names = [str(entry.worker), entry.device or ""]
        share.add_metric(names, entry.fraction)
        if entry.fps is not None:
            pace.add_metric(names, entry.fps)
    yield pace
    yield share
