"""How much of anything is taken from a file that nobody vouches for; every limit, in one place.

They lie far above what is in use, and low enough that a header's lie costs neither memory nor time.
"""

from __future__ import annotations

__all__ = [
    "MAX_ATTACHED_BYTES",
    "MAX_CHAPTERS",
    "MAX_LATER_PIXELS",
    "MAX_LOOKED_BYTES",
    "MAX_PIXELS",
    "MAX_PROBE_BYTES",
    "MAX_PROBE_SECONDS",
    "MAX_STILL_PIXELS",
    "MAX_STREAMS",
    "MAX_TAG_BYTES",
    "MAX_TOML_BYTES",
    "MAX_WEIGHTS_BYTES",
    "later_pixels",
]

MAX_PIXELS = 1 << 28
"""Of a picture, read or written: 16384 x 16384, four times 16K."""

MAX_LATER_PIXELS = 1 << 24
"""Of a picture that is larger than the first ones: 4096 x 4096, or four times their size where that is more."""

MAX_STILL_PIXELS = 1 << 27
"""Of a still image read: they are held whole, at several bytes a pixel."""

MAX_STREAMS = 500
"""Of a file: attached fonts are streams too."""

MAX_ATTACHED_BYTES = 1 << 28
"""Of all attachments together: 256 MiB."""

MAX_CHAPTERS = 10_000

MAX_TAG_BYTES = 1 << 20
"""Of all words that a file says of itself: 1 MiB."""

MAX_PROBE_BYTES = 1 << 31
"""Of memory, for opening a file and decoding its first pictures: 2 GiB."""

MAX_PROBE_SECONDS = 60
"""Time limit for that."""

MAX_LOOKED_BYTES = 1 << 28
"""Of a file, for the beginning of a sound that it announces: 256 MiB, which FFmpeg holds in memory."""

MAX_WEIGHTS_BYTES = 1 << 30
"""Of a weights file, and of the tensors in it: 1 GiB; the largest network here has 4 MB."""

MAX_TOML_BYTES = 1 << 20
"""Of a preset or recipe: 1 MiB."""


def later_pixels(width: int, height: int) -> int:
    """How many pixels a picture may have behind first ones of this size, which alone have been tried elsewhere.

    A decoder holds up to 17 pictures; a stream that becomes huge on its way would fill the job's memory.
    """
    return min(MAX_PIXELS, max(MAX_LATER_PIXELS, 4 * width * height))
