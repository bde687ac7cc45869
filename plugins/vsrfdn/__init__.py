"""The VapourSynth face of rfdn-video: ``from vsrfdn import rfdn``."""

from __future__ import annotations

from vsrfdn.filter import rfdn

__all__ = ["rfdn"]
