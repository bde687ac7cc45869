"""Parameters that an encoder's own library does not take: FFmpeg only warns of them, and encodes without."""

from __future__ import annotations

import re
from collections.abc import Iterable

from rfdn_video.errors import OutputError
from rfdn_video.media.encoding.target import Target

__all__ = ["check_parameters"]

# Of libx264 and libsvtav1; libx265, libvvenc and libkvazaar; libx265, libvvenc and librav1e.
_REFUSED = re.compile(
    r"error parsing option|(unknown|invalid) (\w+ )?option\b|invalid (\w+ )?value for\b", re.IGNORECASE
)


def check_parameters(target: Target, messages: Iterable[str]) -> None:
    """Refuses a list of parameters, such as ``x265-params``, that was taken in part only.

    Args:
        target: with the encoder's options.
        messages: what FFmpeg said, from warnings up, when the encoder was opened.

    Raises:
        OutputError: names the parameters that were left out.
    """
    lists = [name for name in target.options if name.endswith("-params")]
    refused = dict.fromkeys(text.strip().rstrip(".") for text in messages if _REFUSED.search(text))
    if lists and refused:
        raise OutputError(
            f"encoder {target.encoder} does not take all of {' and '.join(lists)}: {'; '.join(refused)}; "
            "correct it, or leave it away"
        )
