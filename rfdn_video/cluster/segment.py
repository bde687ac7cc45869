"""What a worker does: one segment, from the source's pictures to a published record. Knows nothing of Ray."""

from __future__ import annotations

import hashlib
import os
import platform
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path

from rfdn_video.cluster.handshake import check_same, job_on_cluster
from rfdn_video.cluster.mount import outlast
from rfdn_video.cluster.order import Order
from rfdn_video.cluster.record import Edge, Record, job_digest, publish, read_record
from rfdn_video.cluster.spans import Span
from rfdn_video.errors import InputError
from rfdn_video.fingerprint import INPUT
from rfdn_video.frame import Frame
from rfdn_video.inference.vectors import suit_vectors
from rfdn_video.media.keeping.content import content_digest
from rfdn_video.media.keeping.lone_segment import Encoded, LoneSegment
from rfdn_video.media.muxing.mux import encoder_of
from rfdn_video.media.reading.decode import Decoder, DecodeReport
from rfdn_video.media.reading.script import ScriptDecoder
from rfdn_video.pipeline import QUEUE_DEPTH, Job, load, open_decoder
from rfdn_video.plan import plan_files
from rfdn_video.stages import Drain, Prefetch

__all__ = ["Report", "introduce", "make_segment"]

type Report = Callable[[int, int], None]
"""Called with the number of pictures done, and of those decoded before the segment's first."""


def introduce(order: Order) -> dict[str, str]:
    """What a worker would do a film with, and the film's content: what every other one must find too.

    Raises:
        RFDNError: it could not do it.
    """
    job = outlast(partial(_prepare, order), order.is_there)
    sides = job.files.info.sides if job.files.info.sides != job.files.info.path else None
    return {
        INPUT: content_digest(order.source),
        "audio_from": "none" if sides is None else content_digest(sides),
        **job_on_cluster(job, order.pictures),
    }


def make_segment(order: Order, span: Span, report: Report) -> None:
    """Makes a segment and publishes it, unless that has been done.

    Raises:
        UsageError: this machine is of another kind than the one that introduced itself.
        RFDNError, OSError: it cannot be done.
    """
    outlast(partial(_make, order, span, report), order.is_there)


def _make(order: Order, span: Span, report: Report) -> None:
    report(0, 0)
    if read_record(order.work, span.number, job_digest(order.job)) is not None:
        return
    job = _prepare(order)
    expected = {name: text for name, text in order.job.items() if name not in (INPUT, "audio_from")}
    check_same(expected, job_on_cluster(job, order.pictures), f"the worker on {platform.node()}")
    if job.files.info.stamp != order.stamp:
        raise InputError(f"{order.source}: on {platform.node()} another file, or it has changed; let it be complete")
    path = _own_file(order.work, span.number)
    done = False
    try:
        done = publish(order.work, _encode(job, order, span, path, report))
    finally:
        if not done:
            with suppress(OSError):  # of a folder that has gone away
                path.unlink(missing_ok=True)


def _prepare(order: Order) -> Job:
    suit_vectors([order.settings.precision])
    settings = replace(order.settings, overwrite=True, resume=None)  # the driver has asked, and holds the lock
    return load(plan_files(order.source, str(order.output), settings), settings)


def _own_file(work: Path, number: int) -> Path:
    """A name that no other attempt has; it says whose it is."""
    handle, name = tempfile.mkstemp(prefix=f"{number:06}.{os.getpid()}.", suffix=".packets", dir=work)
    os.close(handle)
    return Path(name)


def _encode(job: Job, order: Order, span: Span, path: Path, report: Report) -> Record:
    files, layout = job.files, job.files.layout
    with (
        open_decoder(files, span.wanted, search=span.search) as decoder,
        closing(LoneSegment(path, encoder_of(files.target), files.target, layout)) as segment,
    ):
        edges = _Edges(decoder, span)
        decoding = Prefetch(edges, QUEUE_DEPTH, "decode", stop=decoder.stop)
        with decoding as decoded, Drain(segment.write, QUEUE_DEPTH, "encode") as encoding:
            larger = job.upscaler.stream(
                decoded, pixel_format=files.target.layout, color=layout.color, dither=files.dither
            )
            for count, frame in enumerate(larger, start=1):
                encoding.put(frame)
                report(count, decoder.skipped)
        return _record(job, order, span, path, segment.finish(), edges)


class _Edges:
    """The pictures of a span; notes the first one, and the one behind the last."""

    def __init__(self, decoder: Decoder | ScriptDecoder, span: Span) -> None:
        self._decoder, self._span = decoder, span
        self._before, self._within = DecodeReport(), DecodeReport()
        self.first: Edge | None = None
        self.following: Edge | None = None

    def __iter__(self) -> Iterator[Frame]:
        for frame in self._decoder:
            if self._span.end is not None and frame.pts * frame.time_base >= self._span.end:
                self.following = _edge(frame)
                return
            if self.first is None:
                self.first = _edge(frame)
                self._before = self._harm_before()
            self._within = replace(self._decoder.report)
            yield frame
        self._within = replace(self._decoder.report)

    def _harm_before(self) -> DecodeReport:
        """Counts that include pictures decoded before the span; the others do not."""
        if self._span.start is None:
            return DecodeReport()
        report = self._decoder.report
        return DecodeReport(
            damaged_packets=report.damaged_packets,
            corrupt_frames=report.corrupt_frames,
            repaired_timestamps=report.repaired_timestamps,
            clock_jumps=report.clock_jumps,
        )

    @property
    def report(self) -> dict[str, int]:
        """What was wrong with the source, within the span."""
        before = asdict(self._before)
        return {name: count - before[name] for name, count in asdict(self._within).items()}


def _edge(frame: Frame) -> Edge:
    digest = hashlib.blake2b(digest_size=16)
    for plane in frame.planes:
        digest.update(plane.tobytes())
    return Edge(frame.pts, digest.hexdigest())


def _record(job: Job, order: Order, span: Span, path: Path, encoded: Encoded, edges: _Edges) -> Record:
    upscaler = job.upscaler
    return Record(
        number=span.number,
        job=job_digest(order.job),
        searched=span.search and span.start is not None,
        file=path.name,
        size=encoded.size,
        digest=encoded.digest,
        parameter_sets=encoded.parameter_sets,
        pts=list(encoded.pts),
        durations=list(encoded.durations),
        captioned=encoded.captioned,
        first=edges.first,
        following=edges.following,
        report=edges.report,
        tally={
            "recomputed": upscaler.tally.recomputed,
            "retries": upscaler.tally.retries,
            "repeated": upscaler.tally.repeated,
            "copied": upscaler.tally.copied,
        },
        tiling=str(job.tiling),
        bands=list(job.bands),
    )
