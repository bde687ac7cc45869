"""The page that shows a preview: one file, nothing loaded from elsewhere."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files

import numpy as np
from jinja2 import Environment, StrictUndefined, select_autoescape
from markupsafe import Markup
from numpy.typing import NDArray

from rfdn_video.quality.crop_files import as_png
from rfdn_video.quality.preview import View

__all__ = ["render", "time_text"]


@dataclass(frozen=True)
class _Picture:
    name: str
    uri: str


@dataclass(frozen=True)
class _Shown:
    """A view as the template wants it."""

    caption: str
    label: str
    difference: float
    width: int
    height: int
    layers: list[_Picture]
    thumbnail: str
    mark: tuple[float, float, float, float]


def render(views: Sequence[View], title: str, remarks: Sequence[str]) -> str:
    """HTML of a page.

    Args:
        views: all with layers of the same names.
        title: heading.
        remarks: lines below it.
    """
    environment = Environment(
        autoescape=select_autoescape(default=True), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    shown = [_show(view) for view in views]
    first = max(range(len(views)), key=lambda index: views[index].difference)
    return environment.from_string(_read("preview.html.j2")).render(
        title=title,
        remarks=remarks,
        views=shown,
        first=first,
        style=Markup(_read("preview.css")),  # noqa: S704 (ours)
        script=Markup(_read("preview.js")),  # noqa: S704 (ours)
    )


def time_text(seconds: float) -> str:
    """``"1:02:03.4"``, without hours where there are none."""
    minutes, rest = divmod(round(seconds, 1), 60)
    hours, minutes = divmod(int(minutes), 60)
    return f"{hours}:{minutes:02}:{rest:04.1f}" if hours else f"{minutes}:{rest:04.1f}"


def _show(view: View) -> _Shown:
    height, width = next(iter(view.layers.values())).shape[:2]
    rows, columns = view.window
    time = time_text(float(view.time))
    place = f"{columns.stop - columns.start}x{rows.stop - rows.start} pixels at {columns.start}, {rows.start}"
    return _Shown(
        caption=f"{view.source.name}, {time}: {place}",
        label=time,
        difference=view.difference,
        width=width,
        height=height,
        layers=[_Picture(name, _uri(image)) for name, image in view.layers.items()],
        thumbnail=_uri(view.thumbnail),
        mark=_mark(view),
    )


def _mark(view: View) -> tuple[float, float, float, float]:
    """Left, top, width and height of the crop in percent of the picture."""
    (rows, columns), (height, width) = view.window, view.size
    return (
        100 * columns.start / width,
        100 * rows.start / height,
        100 * (columns.stop - columns.start) / width,
        100 * (rows.stop - rows.start) / height,
    )


def _uri(image: NDArray[np.uint8]) -> str:
    return "data:image/png;base64," + base64.b64encode(as_png(image)).decode()


def _read(name: str) -> str:
    return (files(__package__) / name).read_text(encoding="utf-8")
