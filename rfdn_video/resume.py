"""Unfinished work: how a job is cut into segments, and whether it goes on with those of an earlier run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from rfdn_video.errors import InputError, OtherWorkError, OutputError
from rfdn_video.fingerprint import INPUT, differences, fingerprint
from rfdn_video.media.keeping.journal import JOURNAL, Journal
from rfdn_video.media.keeping.segments import Segments
from rfdn_video.media.keeping.work_folder import WorkFolder
from rfdn_video.plan import FilePlan
from rfdn_video.settings import Settings

if TYPE_CHECKING:
    from rfdn_video.inference.upscaler import Upscaler

__all__ = ["earlier_work", "open_segments", "segment_length"]

GOP = 250
"""Pictures between two key pictures, at most, as x264 and x265 have it: shorter segments would cost bits."""

WORK = 60.0
"""Seconds of work in a segment, about: an encoder that begins anew costs a fraction of a second."""

# Pixels of the source in a second. Slow ones of their kind: a segment may take less time than WORK, but not more.
_SPEED = {"cpu": 1e5}
_SPEED_OF_GPUS = 3e7


def segment_length(files: FilePlan, settings: Settings, device: str) -> int:
    """Pictures of a segment: as asked for, else at least so many, by what is known before the first one.

    No clock is asked: two runs of a job must begin their segments at the same pictures.
    """
    if settings.segment_frames is not None:
        return settings.segment_frames
    gop, video = key_distance(files), files.info.video
    pictures = WORK * _SPEED.get(device, _SPEED_OF_GPUS) / (video.width * video.height)
    return gop * max(1, int(pictures / gop))


def key_distance(files: FilePlan) -> int:
    """Pictures from one key picture to the next, at most."""
    return max(GOP, _asked_gop(files.target.options.get("g", "")))


def open_segments(work: WorkFolder, files: FilePlan, upscaler: Upscaler, settings: Settings, tiling: str) -> Segments:
    """The segments of a job, with those of an earlier run where that is asked for.

    Raises:
        OutputError: there is unfinished work, and nothing was said of it; or it cannot be read.
        InputError, OtherWorkError: it was of another input, or done with other settings.
    """
    length = segment_length(files, settings, upscaler.device.type)
    gop = 1 if settings.segment_frames is not None else key_distance(files)

    @cache
    def identify() -> Mapping[str, str]:
        return fingerprint(files, upscaler, settings, tiling, length)

    return Segments(work, length, gop, identify, earlier_work(work, files.output, settings, identify))


def earlier_work(
    work: WorkFolder, output: Path | None, settings: Settings, identify: Callable[[], Mapping[str, str]]
) -> Journal | None:
    """The journal of what is gone on with; None where a job begins anew.

    Raises:
        OutputError: there is unfinished work, and nothing was said of it; or it cannot be read.
        InputError, OtherWorkError: it was of another input, or done with other settings.
    """
    journal = None if settings.resume is False else _read(work)
    if journal is None:
        return None
    work.keep_all()
    if settings.resume is None:
        frames = sum(segment.frames for segment in journal.segments)
        raise OutputError(
            f"{output}: {frames or 'some'} frames of it were finished before; --resume goes on with them, "
            "--no-resume throws them away"
        )
    if changed := differences(journal.job, identify()):
        kind = InputError if journal.job.get(INPUT) != identify()[INPUT] else OtherWorkError
        raise kind(
            f"{output}: its unfinished work differs in {', '.join(changed)}; "
            "give the same as before, or --no-resume to begin anew"
        )
    return journal


def _asked_gop(text: str) -> int:
    return int(text) if text.isdecimal() else 0


def _read(work: WorkFolder) -> Journal | None:
    try:
        return Journal.read(work.path)
    except (OSError, ValueError) as error:
        work.keep_all()
        raise OutputError(
            f"{Path(work.path, JOURNAL)}: cannot be read ({error}); --no-resume throws the unfinished work away"
        ) from None
