"""Interlaced pictures made whole by FFmpeg's bwdif (Bob Weaver deinterlacing filter)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from fractions import Fraction

import av
from av.filter import Graph
from av.video.reformatter import Interpolation

from rfdn_video.errors import InputError
from rfdn_video.frame import PixelFormat
from rfdn_video.media.formats import ffmpeg_name, planar_layout
from rfdn_video.settings import Deinterlace

__all__ = ["bwdif_arguments", "check_filterable", "deinterlaced"]

LEAST_WIDTH, LEAST_HEIGHT = 3, 4  # of every plane; of fewer the filter cannot look around

_TOP_IS_SHOWN_FIRST = (2, 5)  # AV_FIELD_TT, AV_FIELD_BT


def check_filterable(layout: PixelFormat, width: int, height: int) -> None:
    """Refuses pictures that are too small for the filter, or that it would have to have converted, with a loss.

    Args:
        layout: of the pictures.
        width, height: of the decoded picture, in pixels.

    Raises:
        InputError: says what to do.
    """
    if any(h < LEAST_HEIGHT or w < LEAST_WIDTH for h, w in layout.plane_sizes(width, height)):
        raise InputError(
            f"the video is {width}x{height}, too small to be deinterlaced: {LEAST_WIDTH} columns and {LEAST_HEIGHT} "
            "lines of every plane are needed, chroma too; make pictures of its fields beforehand: "
            "ffmpeg -i IN -vf separatefields -c:v ffv1 -c:a copy OUT.mkv"
        )
    taken = _taken(layout)
    if replace(taken, depth=layout.depth) != layout or (taken != layout and layout.family != "yuv"):
        raise InputError(
            f"the deinterlacer does not take {ffmpeg_name(layout)} as it is; convert it beforehand: "
            f"ffmpeg -i IN -pix_fmt {ffmpeg_name(replace(layout, depth=16))} -c:v ffv1 -c:a copy OUT.mkv"
        )


def bwdif_arguments(mode: Deinterlace, field_order: int | None) -> str:
    """The filter's options.

    Args:
        mode: what a frame becomes.
        field_order: FFmpeg's number of it for the whole stream, all of which is interlaced; None where each picture
            says for itself whether and how it is. Whole ones then pass as they are, one of each in every mode.
    """
    if field_order is None:
        return f"mode=send_{mode}:parity=auto:deint=interlaced"
    parity = "tff" if field_order in _TOP_IS_SHOWN_FIRST else "bff"
    return f"mode=send_{mode}:parity={parity}:deint=all"


def deinterlaced(pictures: Iterable[av.VideoFrame], arguments: str, time_base: Fraction) -> Iterator[av.VideoFrame]:
    """Passes pictures of one size and format through the filter.

    Args:
        pictures: with pts in ``time_base``.
        arguments: see :func:`bwdif_arguments`.
        time_base: of what comes; what goes has half of it, for a field lasts half a frame.
    """
    graph: Graph | None = None
    first = None
    for picture in pictures:
        if first is None:
            first = picture
            graph = _graph(picture, arguments, time_base)
        elif (picture.width, picture.height, picture.format.name) != (first.width, first.height, first.format.name):
            picture = picture.reformat(
                first.width, first.height, first.format.name, interpolation=Interpolation.BICUBIC
            )
        assert graph is not None
        graph.push(picture)
        yield from _ready(graph)
    if graph is not None:
        graph.push(None)
        yield from _ready(graph)


def _taken(layout: PixelFormat) -> PixelFormat:
    """What FFmpeg converts pictures to before the filter sees them; of more bits only, where it need do no more."""
    black = av.VideoFrame(16, 16, ffmpeg_name(layout))
    black.pts = 0
    (picture,) = deinterlaced([black], bwdif_arguments("frame", None), Fraction(1))
    return planar_layout(picture.format.name)


def _graph(picture: av.VideoFrame, arguments: str, time_base: Fraction) -> Graph:
    graph = Graph()
    source = graph.add_buffer(width=picture.width, height=picture.height, format=picture.format, time_base=time_base)
    bwdif = graph.add("bwdif", arguments)
    source.link_to(bwdif)
    bwdif.link_to(graph.add("buffersink"))
    graph.configure()
    return graph


def _ready(graph: Graph) -> Iterator[av.VideoFrame]:
    while True:
        try:
            picture = graph.pull()
        except (av.error.BlockingIOError, av.error.EOFError):
            return
        assert isinstance(picture, av.VideoFrame)
        yield picture
