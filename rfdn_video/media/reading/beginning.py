"""When a file begins, to the tick: FFmpeg rounds it to microseconds, by which the first picture may come too early."""

from __future__ import annotations

from fractions import Fraction

import av
from av.container import InputContainer

from rfdn_video.media.timing import exact

__all__ = ["beginning"]


def beginning(container: InputContainer) -> Fraction:
    """In seconds on the file's own clock; that of the stream which FFmpeg took it from.

    Where no stream begins within a microsecond of it, the demuxer itself has named it: that is taken as it is.
    """
    rounded = Fraction(container.start_time or 0, av.time_base)
    starts = (s.start_time * exact(s.time_base) for s in container.streams if s.start_time is not None)
    return min((start for start in starts if abs(start - rounded) * av.time_base < 1), default=rounded)
