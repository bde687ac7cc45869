"""Which of the bundled weights suit a source."""

from __future__ import annotations

from rfdn_video.media.reading.info import VideoInfo
from rfdn_video.settings import Tune

__all__ = ["tune_for"]

# Mean QP up to which weights gain more than the next ones: docs/weights.md has the figures.
_CLEAN_QP = 12
_LIGHT_QP = 29
_FOR_EDITING = frozenset(("prores", "dnxhd", "cfhd"))  # codecs that lose little, whatever they are told


def tune_for(video: VideoInfo, wanted: Tune = "auto") -> Tune:
    """``"clean"``, ``"light"`` or ``"video"``: what was asked for, else by how strongly the source was compressed.

    Where that is not known the source counts as strongly compressed: ``"video"`` gains less where it was not, while
    the others sharpen the blocks and the ringing of one that was.
    """
    if wanted != "auto":
        return wanted
    if video.lossless:
        return "clean"
    if video.codec in _FOR_EDITING:
        return "light"
    if video.qp is None:
        return "video"
    return "clean" if video.qp <= _CLEAN_QP else "light" if video.qp <= _LIGHT_QP else "video"
