"""Published segments become one file: pictures from them without encoding again, all else from the source."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

from rfdn_video.cluster.record import Published, Record
from rfdn_video.cluster.replay import frames_of, led_timeline_of, report_of
from rfdn_video.errors import InputError
from rfdn_video.harm import check_harm, late_losses
from rfdn_video.media.muxing.mux import Output, Written
from rfdn_video.media.reading.decode import MAX_DAMAGED_SHARE, DecodeReport, none_wanted
from rfdn_video.plan import FilePlan
from rfdn_video.settings import Settings
from rfdn_video.stages import StageTime
from rfdn_video.summary import Summary

__all__ = ["join", "summarize"]


def join(files: FilePlan, records: Sequence[Record], work: Path, path: str) -> Written:
    """Writes the output.

    Args:
        files: see :func:`rfdn_video.cluster.film.plan_on_cluster`.
        records: of all segments, in order.
        work: the folder in which their files of packets lie.
        path: of the file to write.

    Raises:
        RFDNError: see :class:`Output`; the source was damaged beyond what is put up with.
    """
    report = report_of(records)
    _check_source(files, sum(record.frames for record in records), report)
    segments = [Published(record, work) for record in records]
    source = files.info, files.carried, files.wanted, led_timeline_of(files.info)
    output = Output(path, files.target, files.layout, *source, segments, salvage=files.salvage)
    try:
        end = Fraction(0)
        for frame in frames_of(files, records):
            output.write(frame)
            end = frame.pts * frame.time_base + (frame.duration * frame.time_base or 1 / files.layout.frame_rate)
        output.finish(files.wanted.end_of(len(output.written.pts), end))
        output.close()
        check_harm(files, output.written, report)
    except BaseException:
        output.abort()
        raise
    return output.written


def _check_source(files: FilePlan, frames: int, report: DecodeReport) -> None:
    if not frames:
        raise none_wanted(files.info)
    if not files.salvage and report.damaged_packets > MAX_DAMAGED_SHARE * frames:
        raise InputError(
            f"{files.info.path}: {report.damaged_packets} video packets are damaged; up to "
            f"{MAX_DAMAGED_SHARE:.0%} are put up with, --salvage takes what can be decoded of any file"
        )


def summarize(
    files: FilePlan,
    settings: Settings,
    records: Sequence[Record],
    written: Written,
    reused: int,
    seconds: float,
    stages: tuple[StageTime, ...],
) -> Summary:
    """What was done, summed over the segments.

    Args:
        files, settings, records: of the film, as for :func:`join`.
        written: what :func:`join` has written.
        reused: pictures that an earlier run had done.
        seconds, stages: how long it took, and what.
    """
    tally = {name: sum(record.tally[name] for record in records) for name in records[0].tally}
    report = report_of(records)
    return Summary(
        output=files.output,
        frames=len(written.pts),
        frames_reused=reused,
        width=written.layout.width,
        height=written.layout.height,
        seconds=seconds,
        verified=True,
        recomputed_frames=int(tally["recomputed"]),
        tiling=records[0].tiling,
        bands=tuple(records[0].bands),
        retries=int(tally["retries"]),
        reuse=settings.reuse,
        repeated_frames=int(tally["repeated"]),
        copied_share=tally["copied"] / len(written.pts),
        decoding=report,
        repaired_packets=sum(record.repaired for record in written.side_streams),
        missing_bytes=files.info.missing_bytes,
        dropped=(*files.dropped, *late_losses(files, written, report)),
        stages=stages,
    )
