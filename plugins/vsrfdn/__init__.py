"""The VapourSynth face of rfdn-video: ``from vsrfdn import rfdn``."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vsrfdn.filter import rfdn as rfdn

__all__ = ["rfdn"]


def __getattr__(name: str) -> object:
    if name in __all__:  # only the filter needs torch, vsrfdn.serve does not
        from vsrfdn.filter import rfdn

        return rfdn
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
