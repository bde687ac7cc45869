"""What was damaged, repaired or lost on the way, which only shows while a job is done."""

from __future__ import annotations

from rfdn_video.errors import InputError
from rfdn_video.media.muxing.mux import Written
from rfdn_video.media.reading.decode import DecodeReport
from rfdn_video.media.reading.uncarried import LATE
from rfdn_video.plan import FilePlan

__all__ = ["check_harm", "late_losses"]


def check_harm(files: FilePlan, written: Written, report: DecodeReport) -> None:
    """Refuses, where the job is a strict one, what was not done without harm.

    Raises:
        InputError: says all that was damaged, repaired or lost.
    """
    repaired = sum(record.repaired for record in written.side_streams)
    found = [str(report)] if report.harmed else []
    found += [f"{repaired} repaired packets of sound or subtitles"] if repaired else []
    harm = "; ".join((*found, *late_losses(files, written, report)))
    if files.strict and harm:
        raise InputError(f"{files.info.path}: {harm}, and --strict was given")


def late_losses(files: FilePlan, written: Written, report: DecodeReport) -> list[str]:
    """What shows only while pictures are done: the plan has seen none but the first."""
    lost = [
        f"{words} of {count} pictures, not of the first ones: cannot be carried yet"
        for name, words in LATE.items()
        if (count := getattr(report, name))
    ]
    if written.captioned and not files.info.video.captioned and not files.target.takes_captions:
        lost.append(
            f"closed captions of {written.captioned} pictures: encoder {files.target.encoder} does not take them"
        )
    if written.moved:
        rate = f"{float(files.info.video.frame_rate):g} frames a second"
        lost.append(
            f"times of {written.moved} pictures: {files.target.container.name} counts on at {rate}; nut keeps them"
        )
    return lost
