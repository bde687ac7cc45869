"""Interlaced pictures made whole by FFmpeg's bwdif (Bob Weaver deinterlacing filter)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction

import av
from av.filter import Graph
from av.video.reformatter import Interpolation

from rfdn_video.errors import InputError
from rfdn_video.frame import PixelFormat
from rfdn_video.settings import Deinterlace

__all__ = ["bwdif_arguments", "check_filterable", "deinterlaced"]

LEAST_WIDTH, LEAST_HEIGHT = 3, 4  # of every plane; of fewer the filter cannot look around

_TOP_IS_SHOWN_FIRST = (2, 5)  # AV_FIELD_TT, AV_FIELD_BT


def check_filterable(layout: PixelFormat, width: int, height: int) -> None:
    """Refuses pictures that are too small for the filter.

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


def bwdif_arguments(mode: Deinterlace, field_order: int | None) -> str:
    """The filter's options.

    Args:
        mode: what a frame becomes.
        field_order: FFmpeg's number of it for the whole stream, where the frames do not say; None where they do.
    """
    parity = "auto" if field_order is None else "tff" if field_order in _TOP_IS_SHOWN_FIRST else "bff"
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
