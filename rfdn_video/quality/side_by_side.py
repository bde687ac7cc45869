"""A clip that shows several videos next to each other, each under its name."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from types import TracebackType

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from rfdn_video.frame import Frame, Planes
from rfdn_video.inference.colorspace import Scaling
from rfdn_video.media.checking.rehearsal import rehearse
from rfdn_video.media.checking.verify import verify
from rfdn_video.media.encoding.builds import LibavBuild
from rfdn_video.media.encoding.target import choose_container, choose_encoder
from rfdn_video.media.keeping.publish import Draft
from rfdn_video.media.layout import VideoLayout
from rfdn_video.media.muxing.mux import Output
from rfdn_video.media.reading.info import MediaInfo
from rfdn_video.media.timing import TimeRange
from rfdn_video.quality.space import Space
from rfdn_video.settings import Settings

__all__ = ["SideBySide"]

SHADE = 0.3
"""How much of the picture shows behind a label."""


class SideBySide:
    """Writes the clip; use it in a ``with`` block. It appears when it is finished and has been checked.

    Args:
        path: of the clip; its suffix says the container.
        info: of the reference, whose times it has.
        space: of the planes that will come.
        names: one for each pane, from left to right.
        overwrite: replace the file if it exists.

    Raises:
        OutputError, UsageError: the file cannot be written; says what to do.
    """

    def __init__(
        self, path: Path, info: MediaInfo, space: Space, names: Sequence[str], *, overwrite: bool = False
    ) -> None:
        self._space, self._scaling = space, Scaling(space.layout, space.color)
        self._width = space.width >> space.layout.sub_w << space.layout.sub_w  # panes begin at a chroma sample
        self._labels = [_label(name, self._width, space.height) for name in names]
        container = choose_container(path, info.path, info.container, None)
        self._target = choose_encoder(container, space.layout, Settings(), LibavBuild())
        self._layout = VideoLayout(
            width=self._width * len(names),
            height=space.height,
            color=space.color,
            time_base=info.video.time_base,
            frame_rate=info.video.frame_rate,
            sample_aspect_ratio=info.video.sample_aspect_ratio,
            display_matrix=None,
        )
        self._info = replace(info, sides=None)  # the pictures only
        self._draft = Draft(path, overwrite=overwrite)
        rehearse(self._target, self._layout, self._info, ())

    def __enter__(self) -> SideBySide:
        with ExitStack() as on_error:
            on_error.enter_context(self._draft)
            file = str(self._draft.path.absolute())
            self._output = Output(file, self._target, self._layout, self._info, (), TimeRange())
            on_error.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self._output.abort()
        self._draft.__exit__()

    def add(self, frame: Frame, panes: Sequence[Sequence[Tensor] | None]) -> None:
        """Writes one picture.

        Args:
            frame: the reference's, for its time.
            panes: planes in code values of the space; a pane without is black.
        """
        pictures = [self._pane(planes, label) for planes, label in zip(panes, self._labels, strict=True)]
        planes: Planes = tuple(np.hstack(parts) for parts in zip(*pictures, strict=True))
        space = self._space
        self._output.write(Frame(planes, space.layout, space.color, frame.pts, frame.duration, frame.time_base))

    def finish(self) -> None:
        """Finishes the clip, checks it and gives it its name."""
        self._output.close()
        verify(self._draft.path, self._output.written, self._target)
        self._draft.publish()

    def _pane(self, planes: Sequence[Tensor] | None, label: NDArray[np.float32]) -> list[NDArray[np.uint8 | np.uint16]]:
        layout = self._space.layout
        pane: list[NDArray[np.uint8 | np.uint16]] = []
        for index, (rows, columns) in enumerate(layout.plane_sizes(self._width, self._space.height)):
            offset, extent = self._scaling.chroma if index else self._scaling.luma
            plane = torch.full((rows, columns), offset) if planes is None else planes[index][:rows, :columns].clone()
            step = (1 << layout.sub_h, 1 << layout.sub_w) if index else (1, 1)
            text = torch.from_numpy(label[:: step[0], :: step[1]].copy())
            corner = plane[: text.shape[0], : text.shape[1]]
            dark = offset + (corner - offset) * SHADE
            bright = offset if index else offset + extent
            corner.copy_(dark + (bright - dark) * text)
            codes = plane.round().clamp(0, self._space.peak).numpy()
            pane.append(codes.astype(layout.dtype))
        return pane


def _label(name: str, width: int, height: int) -> NDArray[np.float32]:
    """Coverage of a name's letters, 0..1, in a box that fits into the upper left corner of a pane."""
    font = ImageFont.load_default(max(10, height // 24))
    margin = max(2, height // 100)
    left, top, right, bottom = font.getbbox(name)
    box = Image.new("L", (int(right - left) + 2 * margin, int(bottom - top) + 2 * margin))
    ImageDraw.Draw(box).text((margin - left, margin - top), name, 255, font)
    return np.asarray(box, np.float32)[:height, :width] / np.float32(255)
