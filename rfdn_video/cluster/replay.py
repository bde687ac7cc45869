"""Stands for the decoder when segments are joined: frames that have their time, and no picture any more."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import fields

import numpy as np

from rfdn_video.cluster.record import Record
from rfdn_video.frame import Frame, Planes
from rfdn_video.media.reading.decode import DecodeReport, timeline_of
from rfdn_video.media.reading.info import MediaInfo
from rfdn_video.media.reading.source import open_source
from rfdn_video.media.timeline import Timeline
from rfdn_video.plan import FilePlan

__all__ = ["frames_of", "led_timeline_of", "report_of"]


def frames_of(files: FilePlan, records: Sequence[Record]) -> Iterator[Frame]:
    """All pictures of the segments, in order, as what an output needs of them."""
    layout, pixels = files.layout, files.target.layout
    nothing: Planes = tuple(np.empty((0, 0), pixels.dtype) for _ in pixels.plane_sizes(2, 2))
    for record in records:
        for number, (pts, duration) in enumerate(zip(record.pts, record.durations, strict=True)):
            captioned = True if number < record.captioned else None
            yield Frame(nothing, pixels, layout.color, pts, duration, files.info.video.time_base, captioned)


def report_of(records: Sequence[Record]) -> DecodeReport:
    """What was wrong with the source in all segments."""
    names = [field.name for field in fields(DecodeReport)]
    return DecodeReport(**{name: sum(record.report[name] for record in records) for name in names})


def led_timeline_of(info: MediaInfo) -> Timeline | None:
    """Where the source's clock may jump: its packets are read for that, without decoding them."""
    if (timeline := timeline_of(info)) is None:
        return None
    with open_source(info.path) as source:
        video = next(stream for stream in source.streams.video if stream.index == info.video.index)
        for _ in timeline.lead(source, video):
            pass
    return timeline
