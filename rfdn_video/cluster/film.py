"""The driver: cuts a film, has its segments made, joins what is published, and checks it as any other output."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import cache, partial
from pathlib import Path
from typing import Protocol

from rfdn_video.cluster.handshake import check_same, tools
from rfdn_video.cluster.joining import join, summarize
from rfdn_video.cluster.mount import outlast, wait_until
from rfdn_video.cluster.order import Order
from rfdn_video.cluster.record import Record, job_digest, published, read_record, record_path
from rfdn_video.cluster.spans import Span, cut
from rfdn_video.errors import InputError, OutputError, RFDNError, UsageError
from rfdn_video.media.checking.rehearsal import rehearse
from rfdn_video.media.checking.verify import verify
from rfdn_video.media.keeping.journal import JOURNAL, Journal
from rfdn_video.media.keeping.publish import Draft
from rfdn_video.media.keeping.work_folder import WorkFolder
from rfdn_video.pipeline import choose_weights
from rfdn_video.plan import FilePlan, plan_files
from rfdn_video.resume import earlier_work, segment_length
from rfdn_video.settings import Settings
from rfdn_video.stages import StageTime, timed
from rfdn_video.summary import Summary

__all__ = ["OnFrames", "Workers", "enlarge_on_cluster", "plan_on_cluster"]

LATEST = 60.0
"""Seconds until what one machine has renamed is seen by all: directories are cached so long by NFS, at most."""

type OnFrame = Callable[[int], None]
"""Called with the number of pictures done."""

type OnFrames = Callable[[Mapping[int, int]], None]
"""Called with the pictures done of each segment at work, by its number."""


class Workers(Protocol):
    """Whoever makes segments; :class:`rfdn_video.cluster.scheduling.Crew` on a Ray cluster.

    Attributes:
        failed: why, by the segment's number, after :meth:`make`.
    """

    failed: dict[int, Exception]

    def introduce(self, order: Order) -> dict[str, str]:
        """What a worker would do the film with."""

    def make(self, order: Order, spans: Sequence[Span], on_frames: OnFrames) -> None:
        """Makes segments, and says how many pictures of each are done, by its number, until it is."""


def plan_on_cluster(source: Path, output: str | None, settings: Settings) -> FilePlan:
    """Checks the files, and tries the output in small; of the device, this machine needs nothing.

    Raises:
        RFDNError: as for a job of this machine, and where the output is a pipe.
    """
    files = plan_files(source, output, replace(settings, hwaccel=None))
    if files.output is None:
        raise UsageError("--ray and standard output: segments are joined in a file; give --output FILE")
    rehearse(files.target, files.layout, files.info, files.carried)
    return files


def enlarge_on_cluster(
    files: FilePlan,
    settings: Settings,
    device: str,
    workers: Workers,
    on_frame: OnFrame,
    on_reused: OnFrame | None = None,
) -> Summary:
    """Does a film; what is finished is kept whatever ends it, for ``resume``.

    Args:
        files: see :func:`plan_on_cluster`.
        settings: how.
        device: of the workers.
        workers: make the segments.
        on_frame: called with the number of pictures done.
        on_reused: called before with the number of those that an earlier run has done, if any.

    Raises:
        RFDNError: nothing is left under the output's name. Segments that failed are named.
    """
    assert files.output is not None
    started, times = time.monotonic(), list[StageTime]()
    pictures = segment_length(files, settings, device)
    source = files.info.path.absolute()
    order = Order(
        source, files.output.absolute(), _absolute(replace(settings, device=device)), pictures, files.info.stamp
    )
    with Draft(files.output, overwrite=files.overwrite) as draft:
        film = _Film(files, draft.work, _identified(files, order, settings, draft.work, workers), cut(files, pictures))
        with film.keeping():
            if (reused := film.frames) and on_reused is not None:
                on_reused(reused)
            with timed("segments", times):
                film.make(workers, on_frame)
            with timed("join", times):
                written = join(files, film.finished, draft.work.path, str(draft.path.absolute()))
            with timed("verify", times):
                verify(draft.path, written, files.target, full=files.verify_fully)
            draft.publish()
            film.records.clear()
    seconds = time.monotonic() - started
    return summarize(files, settings, film.finished, written, reused, seconds, tuple(times))


def _absolute(settings: Settings) -> Settings:
    """Workers have a working directory of their own."""
    weights, sound = settings.weights, settings.audio_from
    return replace(settings, weights=weights and weights.absolute(), audio_from=sound and sound.absolute())


def _identified(files: FilePlan, order: Order, settings: Settings, work: WorkFolder, workers: Workers) -> Order:
    """The order with what every worker must find the same; the journal has it for the next driver."""
    weights = choose_weights(files, settings)

    @cache
    def identify() -> Mapping[str, str]:
        job = workers.introduce(order)
        check_same(tools(files.target, weights), job, "a worker of the cluster")
        return job

    journal = earlier_work(work, files.output, settings, identify)
    if journal is None:
        work.sweep()
        journal = Journal(identify())
        journal.write(work.path)
    return replace(order, job=journal.job)


@dataclass
class _Film:
    """Segments of a film, by their numbers."""

    files: FilePlan
    work: WorkFolder
    order: Order
    spans: list[Span]
    records: dict[int, Record] = field(default_factory=dict)
    finished: list[Record] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._read_new()

    @property
    def frames(self) -> int:
        """Pictures in finished segments."""
        return sum(record.frames for record in self.records.values())

    @contextmanager
    def keeping(self) -> Iterator[None]:
        """What is finished outlives an error that ends this block, and the error says so."""
        try:
            yield
        except BaseException as error:
            with suppress(OSError):  # of a folder that has gone away
                self._read_new()  # some may have been published since the driver last looked
            if self.frames:
                error.add_note(f"{self.frames} frames are finished and kept; --resume goes on with them")
            raise
        finally:
            names = {name for n, r in self.records.items() for name in (record_path(self.work.path, n).name, r.file)}
            self.work.kept = {JOURNAL, *names} if names else set()

    def make(self, workers: Workers, on_frame: OnFrame) -> None:
        """All segments that are not finished; those that show that a search went wrong are done again without one.

        Raises:
            RFDNError: segments failed, after all others were done.
        """
        self._make([span for span in self.spans if span.number not in self.records], workers, on_frame)
        if wrong := self._searched_wrongly():
            for number in wrong:
                record_path(self.work.path, number).unlink(missing_ok=True)
                del self.records[number]
            self._make([replace(self.spans[number], search=False) for number in wrong], workers, on_frame)
        if wrong := self._searched_wrongly():
            raise InputError(
                f"{self.files.info.path}: decoding it from {_place(self.spans[wrong[0]])} on gives other pictures each "
                "time, so it cannot be cut; do it without --ray"
            )
        self.finished = [self.records[span.number] for span in self.spans]

    def _make(self, spans: list[Span], workers: Workers, on_frame: OnFrame) -> None:
        """Reads a record as soon as it may be there: what a progress bar counts, and a crash would leave."""
        left = {span.number for span in spans}
        most = 0

        def count(running: Mapping[int, int]) -> None:
            nonlocal most
            for number in left & published(self.work.path):
                if outlast(partial(self._read, number), self.order.is_there) is not None:
                    left.discard(number)
            # One that is published may still be among those that run.
            most = max(most, self.frames + sum(frames for number, frames in running.items() if number in left))
            on_frame(most)

        workers.make(self.order, spans, count)
        for span in spans:
            if span.number in self.records or span.number in workers.failed:
                continue
            if wait_until(lambda number=span.number: self._read(number), LATEST) is None:  # type: ignore[misc]
                reason = (
                    "its worker has published it, but it cannot be read from here: either the folder is not shared, "
                    "or the file is damaged, and --resume makes it again"
                )
                workers.failed[span.number] = OutputError(reason)
        if workers.failed:
            raise self._failure(workers.failed)
        on_frame(self.frames)

    def _read_new(self) -> None:
        """Those that are known are not read again: that may be a film's size, when a signal wants an end."""
        wanted = {span.number for span in self.spans} - self.records.keys()
        for number in wanted & published(self.work.path):
            self._read(number)

    def _read(self, number: int) -> Record | None:
        record = read_record(self.work.path, number, job_digest(self.order.job))
        if record is not None:
            self.records[number] = record
        return record

    def _failure(self, failed: Mapping[int, Exception]) -> RFDNError:
        number, cause = min(failed.items())
        kind = type(cause) if isinstance(cause, RFDNError) else OutputError
        more = f", and {len(failed) - 1} more" if len(failed) > 1 else ""
        reason = cause if isinstance(cause, RFDNError | OSError) else f"{type(cause).__name__}: {cause}"
        text = f"{self.files.info.path}: segment {number} ({_place(self.spans[number])}) failed{more}: {reason}"
        return kind(text.splitlines()[0])  # what Ray raises has its traceback behind

    def _searched_wrongly(self) -> list[int]:
        """Segments whose first picture is not the one that was seen behind the segment before."""
        wrong = []
        expected = None
        for span in self.spans:
            record = self.records[span.number]
            if span.number and record.searched and record.first != expected and (record.first or expected):
                wrong.append(span.number)
            if record.frames or record.following is None:
                expected = record.following
        return wrong


def _place(span: Span) -> str:
    begin = "the beginning" if span.start is None else f"{float(span.start):.3f} s"
    return f"{begin} to {'the end' if span.end is None else f'{float(span.end):.3f} s'}"
