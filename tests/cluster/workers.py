"""Workers of tests: in this process, slow, or ill."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from rfdn_video import upscale_video
from rfdn_video.cluster.film import enlarge_on_cluster, plan_on_cluster
from rfdn_video.cluster.order import Order
from rfdn_video.cluster.segment import introduce, make_segment
from rfdn_video.cluster.spans import Span
from rfdn_video.errors import InputError, RFDNError
from rfdn_video.settings import Settings
from rfdn_video.summary import Summary

__all__ = ["Here", "cluster_settings", "enlarge", "frozen", "poison", "slow", "whole"]

SEGMENT = 28

type Make = Callable[[Order, Span, Callable[[int, int], None]], None]


class Here:
    """Does all segments in this process, one after another."""

    def __init__(self, make: Make = make_segment) -> None:
        self.failed: dict[int, Exception] = {}
        self.made: list[Span] = []
        self._make = make

    def introduce(self, order: Order) -> dict[str, str]:
        return introduce(order)

    def make(self, order: Order, spans: Sequence[Span], on_frames: Callable[[Mapping[int, int]], None]) -> None:
        for span in spans:
            self.made.append(span)
            try:
                self._make(order, span, lambda frames, _, number=span.number: on_frames({number: frames}))
            except RFDNError as error:
                self.failed[span.number] = error


def cluster_settings(weights: Path, **more: object) -> Settings:
    """Lossless, so that pictures can be compared bit for bit."""
    values = {"weights": weights, "device": "cpu", "engine": "torch", "encoder": "ffv1", "segment_frames": SEGMENT}
    return Settings(**values | more)  # type: ignore[arg-type]


def enlarge(source: Path, output: Path, settings: Settings, workers: object, **more: object) -> Summary:
    """A film by these workers."""
    files = plan_on_cluster(source, str(output), settings)
    on_frame = more.get("on_frame", lambda _: None)
    return enlarge_on_cluster(files, settings, "cpu", workers, on_frame)  # type: ignore[arg-type]


def whole(source: Path, output: Path, settings: Settings) -> Summary:
    """The same in one process, in one piece."""
    values = {name: getattr(settings, name) for name in vars(settings)}
    return upscale_video(source, output, **values)


def slow(order: Order, span: Span, report: Callable[[int, int], None]) -> None:
    """Takes half a second for a segment; says whose it is by a file in a folder beside the output."""
    note = order.output.parent / "begun" / f"{span.number}.{os.getpid()}.{time.monotonic_ns()}"
    note.touch()
    for step in range(10):
        report(0, step)
        time.sleep(0.05)
    make_segment(order, span, report)


def poison(order: Order, span: Span, report: Callable[[int, int], None]) -> None:
    """Segment 2 kills its worker, segment 4 cannot be read."""
    (order.output.parent / "begun" / f"{span.number}.{os.getpid()}.{time.monotonic_ns()}").touch()
    if span.number == 2:
        os._exit(1)
    if span.number == 4:
        raise InputError("nothing but noise")
    make_segment(order, span, report)


def frozen(order: Order, span: Span, report: Callable[[int, int], None]) -> None:
    """The first attempt of segment 2 hangs for ever."""
    begun = order.output.parent / "begun"
    (begun / f"{span.number}.{os.getpid()}.{time.monotonic_ns()}").touch()
    if span.number == 2 and len(list(begun.glob("2.*"))) == 1:
        threading.Event().wait()
    make_segment(order, span, report)
