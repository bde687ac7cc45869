"""The main job, wired: decode thread -> slots on the device -> encode thread -> check -> publish."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import chain, count, groupby, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from rfdn_video.errors import OutputError
from rfdn_video.frame import Frame
from rfdn_video.harm import check_harm, late_losses
from rfdn_video.inference.scaling import ScalePlan
from rfdn_video.media.checking.rehearsal import rehearse
from rfdn_video.media.checking.verify import verify
from rfdn_video.media.keeping.key_points import with_borders
from rfdn_video.media.keeping.publish import Draft
from rfdn_video.media.keeping.segments import Segments
from rfdn_video.media.muxing.mux import Output, Written
from rfdn_video.media.reading.decode import Decoder, DecodeReport, none_wanted
from rfdn_video.media.reading.script import ScriptDecoder, is_script
from rfdn_video.media.timing import TimeRange
from rfdn_video.onlooker import Onlooker
from rfdn_video.plan import FilePlan, for_display, plan_files
from rfdn_video.resume import open_segments
from rfdn_video.settings import Settings, exact_scale
from rfdn_video.stages import Drain, Prefetch, StageTime, timed
from rfdn_video.summary import Summary
from rfdn_video.watchdog import DECODED, REST, Beat, beating

if TYPE_CHECKING:
    from rfdn_video.inference.tiling import Tiling
    from rfdn_video.inference.upscaler import Upscaler
    from rfdn_video.models.weights import Weights

__all__ = [
    "QUEUE_DEPTH",
    "Job",
    "check_range",
    "choose_weights",
    "load",
    "open_decoder",
    "prepare",
    "run",
    "upscale_video",
]

QUEUE_DEPTH = 4
"""Frames that wait between decoder, device and encoder: enough to ride out a slow one, no more memory than that."""

type OnFrame = Callable[[int], None]
"""Called after every frame with the number done."""


@dataclass(frozen=True)
class Job:
    """A job that is ready to run: files are checked, the network is on its device."""

    files: FilePlan
    scale: ScalePlan
    upscaler: Upscaler
    settings: Settings

    @property
    def tiling(self) -> Tiling:
        """The bands in which its frames are done."""
        video = self.files.info.video
        return self.upscaler.tiling(video.width, video.height, self.files.target.layout)

    @property
    def bands(self) -> tuple[float, ...]:
        """Heights of the bands of each pass, in rows of the result; nothing for whole frames."""
        scale = self.scale
        rows = [scale.target[1] / (scale.source[1] * scale.native**i) for i in range(scale.passes)]
        return tuple(band * rows[i] for i, band in enumerate(self.tiling.bands) if band)


def upscale_video(
    source: str | Path,
    output: str | Path | None = None,
    *,
    on_frame: OnFrame | None = None,
    **settings: Any,
) -> Summary:
    """Enlarges a video file.

    Args:
        source: a local media file, or a VapourSynth script (.vpy), which is run.
        output: the file to write, a directory, ``"-"`` for standard output, or None for
            ``<stem>_x2.<ext>`` beside the source.
        on_frame: called after every frame with the number done.
        settings: fields of :class:`rfdn_video.Settings`, such as ``scale=2``.

    Returns:
        What was done. The file has been read back and checked before it got its name.

    Raises:
        RFDNError: see :mod:`rfdn_video.errors`; nothing is left under the output's name.
    """
    if (scale := settings.get("scale")) is not None:
        settings["scale"] = exact_scale(scale)
    job = prepare(Path(source), None if output is None else str(output), Settings(**settings))
    return run(job, on_frame or (lambda _: None))


def prepare(source: Path, output: str | None, settings: Settings) -> Job:
    """Checks the files, tries the output in small, then loads the network."""
    files = plan_files(source, output, settings)
    rehearse(files.target, files.layout, files.info, files.carried)
    return load(files, settings)


def check_range(files: FilePlan) -> None:
    """Finds out that a range holds no picture, as its run would: by decoding, where the header does not tell.

    Raises:
        InputError: it holds none, or what comes before cannot be read.
    """
    wanted, claimed = files.wanted, files.expected_frames
    surely = not files.info.seeks_exactly and claimed is not None and claimed > 1  # else a search makes it quick
    if (wanted.start is None and wanted.end is None) or surely:
        return
    with open_decoder(files, wanted) as decoder:
        if next(iter(decoder), None) is None:
            raise none_wanted(files.info)


def load(files: FilePlan, settings: Settings) -> Job:
    """Loads the network for files that have been checked."""
    from rfdn_video.inference.upscaler import Upscaler

    video, size = files.info.video, for_display(settings, files.info.video)
    upscaler = Upscaler(
        scale=size.scale,
        width=size.width,
        height=size.height,
        weights=choose_weights(files, settings),
        device=settings.device,
        precision=settings.precision,
        engine=settings.engine,
        tile=settings.tile,
        cuda_graphs=settings.cuda_graphs,
        reuse=settings.reuse,
        size=(video.width, video.height),
        many=True,
    )
    return Job(files, upscaler.plan(video.width, video.height, files.target.layout), upscaler, settings)


def choose_weights(files: FilePlan, settings: Settings) -> Weights:
    """Those that were asked for, else the bundled ones that suit the source.

    Raises:
        ModelError: they cannot be used.
    """
    from rfdn_video.models.catalog import load_bundled
    from rfdn_video.models.weights import load_weights

    if settings.weights is not None:
        return load_weights(settings.weights)
    return load_bundled(settings.model, files.tune, files.layout.width / files.info.video.width)


@dataclass(frozen=True)
class _Told:
    """Who is told how a run goes."""

    on_frame: OnFrame
    beat: Beat
    onlooker: Onlooker
    on_reused: OnFrame
    times: list[StageTime] = field(default_factory=list)


def run(
    job: Job,
    on_frame: OnFrame,
    beat: Beat = lambda _: None,
    onlooker: Onlooker | None = None,
    on_reused: OnFrame | None = None,
) -> Summary:
    """Does a job; what is raised leaves no file behind but, of a long one, what is finished, for ``resume``.

    Args:
        job: to be done.
        on_frame: called after every frame with the number done.
        beat: of a :class:`rfdn_video.watchdog.Watchdog`.
        onlooker: sees the frames.
        on_reused: called instead after those that an earlier run finished, which pass faster; None is ``on_frame``.
    """
    started, reused, before = time.monotonic(), 0, job.upscaler.tally  # which may have served other jobs
    told = _Told(on_frame, beat, onlooker or Onlooker(), on_reused or on_frame)
    if job.files.output is None:
        written, report = _transcode(job, _standard_output(), told)
    else:
        with Draft(job.files.output, overwrite=job.files.overwrite) as draft:
            segments = open_segments(draft.work, job.files, job.upscaler, job.settings, str(job.tiling))
            reused = segments.frames
            with _telling_what_is_kept(segments):
                written, report = _transcode(job, str(draft.path.absolute()), told, segments)
                with timed("verify", told.times):
                    verify(draft.path, written, job.files.target, full=job.files.verify_fully)
                draft.publish()
            segments.discard()
    tally = job.upscaler.tally - before
    return Summary(
        output=job.files.output,
        frames=len(written.pts),
        frames_reused=reused,
        width=written.layout.width,
        height=written.layout.height,
        seconds=time.monotonic() - started,
        verified=job.files.output is not None,
        recomputed_frames=tally.recomputed,
        tiling=str(job.tiling),
        bands=job.bands,
        retries=tally.retries,
        reuse=job.upscaler.reuse,
        repeated_frames=tally.repeated,
        copied_share=tally.copied_share,
        decoding=report,
        repaired_packets=sum(record.repaired for record in written.side_streams),
        missing_bytes=job.files.info.missing_bytes,
        dropped=(*job.files.dropped, *late_losses(job.files, written, report)),
        stages=tuple(told.times),
    )


@contextmanager
def _telling_what_is_kept(segments: Segments) -> Iterator[None]:
    try:
        yield
    except BaseException as error:
        if segments.frames:
            error.add_note(f"{segments.frames} frames are finished and kept; --resume goes on with them")
        raise


def _transcode(
    job: Job, file: str | BinaryIO, told: _Told, segments: Segments | None = None
) -> tuple[Written, DecodeReport]:
    files, layout = job.files, job.files.layout
    with open_decoder(files, files.wanted) as decoder:
        source = files.info, files.carried, files.wanted, decoder.timeline
        output = Output(file, files.target, layout, *source, segments, salvage=files.salvage)
        try:
            last = _enlarge(job, decoder, output, told, segments)
            if last is None:
                raise none_wanted(files.info)
            end = files.wanted.end_of(len(output.written.pts), _end_of(last, layout.frame_rate))
            with timed("finish", told.times):
                output.finish(end)
                told.beat(REST)
                output.close()
            check_harm(files, output.written, decoder.report)
        except BaseException:
            output.abort()
            raise
        return output.written, decoder.report


def _standard_output() -> BinaryIO:
    stream: BinaryIO | None = getattr(sys.stdout, "buffer", None)
    if stream is None:
        raise OutputError("standard output is closed; give --output FILE")
    return stream


def open_decoder(files: FilePlan, wanted: TimeRange, *, search: bool = True) -> Decoder | ScriptDecoder:
    """What gives the frames of a part of the source; without ``search`` it decodes all that comes before."""
    if is_script(files.info.path):
        return ScriptDecoder(files.info, wanted)
    return Decoder(files.info, wanted, salvage=files.salvage, hwaccel=files.hwaccel, search=search)


def _enlarge(
    job: Job, decoder: Decoder | ScriptDecoder, output: Output, told: _Told, segments: Segments | None
) -> Frame | None:
    """Runs the three stages side by side; gives the last frame. Those of finished segments are only decoded."""
    last, reused = None, segments.frames if segments else 0

    def write(frame: Frame) -> None:
        output.write(frame)
        told.beat("encode")

    decoding = Prefetch(beating(decoder, "decode", told.beat, DECODED), QUEUE_DEPTH, "decode", stop=decoder.stop)
    encoding = Drain(write, QUEUE_DEPTH, "encode")
    worked_before, waited_before = job.upscaler.worked, job.upscaler.waited  # it may serve several jobs
    begin = time.perf_counter()
    with decoding as decoded, encoding:
        taken = beating(decoded, "take", told.beat)
        if segments is not None:
            taken = with_borders(taken, segments)
        larger = _larger(job, told.onlooker.before(taken), segments)
        with closing(larger):
            for done, last in enumerate(chain(islice(taken, reused), told.onlooker.after(larger)), start=1):
                told.beat("network")
                encoding.put(last)
                (told.on_frame if done > reused else told.on_reused)(done)
        seconds = time.perf_counter() - begin
    waited = job.upscaler.waited - waited_before
    told.times.extend(
        [
            decoding.time,
            StageTime(
                "host", seconds - decoding.waited - encoding.waited - waited, decoding.waited, encoding.waited + waited
            ),
            *_device_times(job.upscaler.worked, worked_before, seconds),
            encoding.time,
        ]
    )
    return last


def _larger(job: Job, frames: Iterator[Frame], segments: Segments | None) -> Generator[Frame]:
    """What frames become. Where that depends on the frame before, no segment may depend on another one."""
    layout, color, dither = job.files.target.layout, job.files.layout.color, job.files.dither
    if segments is None or job.upscaler.reuse != "near":
        yield from job.upscaler.stream(frames, pixel_format=layout, color=color, dither=dither)
        return
    numbers = count(segments.frames)
    for _, segment in groupby(frames, key=lambda _: segments.number_of(next(numbers))):
        yield from job.upscaler.stream(segment, pixel_format=layout, color=color, dither=dither)


def _device_times(worked: dict[str, float], before: dict[str, float], seconds: float) -> Iterator[StageTime]:
    """Of the device's queues: one that does not work has not been given anything."""
    for name, total in worked.items():
        yield StageTime(name, total - before[name], seconds - (total - before[name]))


def _end_of(frame: Frame, frame_rate: Fraction) -> Fraction:
    return frame.pts * frame.time_base + (frame.duration * frame.time_base or 1 / frame_rate)
