"""Planes of code values to R'G'B' tensors and back, on the device.

Formulas of ITU-T H.273 (equations 20 to 51 for ranges, 39 to 41 for the matrices). All in float32.
RGB is not clamped in between: what studio-range video holds beyond black and white, and colours
outside RGB's cube, come back as they were.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from rfdn_video.frame import ChromaLocation, Color, Matrix, PixelFormat
from rfdn_video.inference.quantise import Quantiser
from rfdn_video.inference.resample import resample, siting_taps_down, siting_taps_up
from rfdn_video.settings import Dither

__all__ = ["PlanesToRGB", "RGBToPlanes", "Scaling"]

# (Kr, Kb), ITU-T H.273 table 4.
_LUMA_WEIGHTS = {
    Matrix.BT709: (0.2126, 0.0722),
    Matrix.FCC: (0.30, 0.11),
    Matrix.BT470BG: (0.299, 0.114),
    Matrix.SMPTE170M: (0.299, 0.114),
    Matrix.SMPTE240M: (0.212, 0.087),
    Matrix.BT2020_NCL: (0.2627, 0.0593),
}

# (horizontal, vertical): 0 at the first luma sample, 1/2 in the middle, 1 at the last.
_SITING = {
    ChromaLocation.LEFT: (0.0, 0.5),
    ChromaLocation.CENTER: (0.5, 0.5),
    ChromaLocation.TOPLEFT: (0.0, 0.0),
    ChromaLocation.TOP: (0.5, 0.0),
    ChromaLocation.BOTTOMLEFT: (0.0, 1.0),
    ChromaLocation.BOTTOM: (0.5, 1.0),
}


class Scaling:
    """(offset, extent) of luma and chroma: value = (code - offset) / extent."""

    def __init__(self, layout: PixelFormat, color: Color) -> None:
        unit, peak = 1 << (layout.depth - 8), float((1 << layout.depth) - 1)
        self.luma = (0.0, peak) if color.full_range else (16.0 * unit, 219.0 * unit)
        self.chroma = (128.0 * unit, peak) if color.full_range else (128.0 * unit, 224.0 * unit)


class PlanesToRGB:
    """Converts the planes of one picture.

    Args:
        layout, color: how to read them.
        width, height: of the picture.
        device: where the planes lie.

    Calling it takes integer tensors [height, width] in the order of the layout and gives ``rows`` of
    the picture (all where None), [1, 3, rows, W] float32, 0..1 for the nominal range.
    """

    def __init__(self, layout: PixelFormat, color: Color, width: int, height: int, device: torch.device) -> None:
        self._layout, self._color, self._height = layout, color, height
        self._scaling = Scaling(layout, color)
        self._taps = None
        if layout.sub_w or layout.sub_h:
            _, (chroma_h, chroma_w), *_ = layout.plane_sizes(width, height)
            across, down = _SITING[color.chroma_location]
            self._taps = (
                siting_taps_up(chroma_h, height, 1 << layout.sub_h, down).to(device),
                siting_taps_up(chroma_w, width, 1 << layout.sub_w, across).to(device),
            )

    def needed(self, rows: range) -> range:
        """Rows of the picture whose samples, of any plane, ``rows`` of it depend on."""
        if self._taps is None:
            return rows
        step, chroma = 1 << self._layout.sub_h, self._taps[0].needed(rows)
        return range(min(rows.start, chroma.start * step), max(rows.stop, min(chroma.stop * step, self._height)))

    def __call__(self, planes: Sequence[Tensor], rows: range | None = None) -> Tensor:
        offset, extent = self._scaling.luma
        rows = range(self._height) if rows is None else rows
        first = (planes[0][rows.start : rows.stop].float() - offset) / extent
        if self._layout.family == "gray":
            return first.expand(1, 3, -1, -1)
        if self._layout.family == "rgb":
            green, blue, red = first, *((p[rows.start : rows.stop].float() - offset) / extent for p in planes[1:3])
            return torch.stack((red, green, blue))[None]
        return self._from_yuv(first, planes[1], planes[2], rows)

    def _from_yuv(self, y: Tensor, u_plane: Tensor, v_plane: Tensor, rows: range) -> Tensor:
        offset, extent = self._scaling.chroma
        taken = rows if self._taps is None else self._taps[0].needed(rows)
        chroma = torch.stack([plane[taken.start : taken.stop] for plane in (u_plane, v_plane)])
        chroma = (chroma.float() - offset) / extent
        if self._taps is not None:
            chroma = resample(chroma, self._taps[0].part(rows), self._taps[1])
        u, v = chroma
        kr, kb = _LUMA_WEIGHTS[self._color.matrix]
        kg = 1 - kr - kb
        red = y + 2 * (1 - kr) * v
        blue = y + 2 * (1 - kb) * u
        green = y - (2 * kb * (1 - kb) / kg) * u - (2 * kr * (1 - kr) / kg) * v
        return torch.stack((red, green, blue))[None]


class RGBToPlanes:
    """The way back of :class:`PlanesToRGB`: [1, 3, H, W] float32 to code values, without alpha.

    Args:
        layout, color: what the planes are to be.
        width, height: of the picture.
        device: where it lies.
        dither: how values are rounded, see :class:`Quantiser`.

    Calling it with ``rows`` (which begin at a chroma row) takes ``needed(rows)`` of the picture and
    gives those rows of all planes.
    """

    def __init__(
        self, layout: PixelFormat, color: Color, width: int, height: int, device: torch.device, dither: Dither = "none"
    ) -> None:
        self._layout, self._color, self._height = layout, color, height
        self._scaling = Scaling(layout, color)
        self._luma = Quantiser(layout.depth, width, dither, device)
        self._chroma = Quantiser(layout.depth, -(-width >> layout.sub_w), dither, device)
        self._taps = None
        if layout.sub_w or layout.sub_h:
            _, (chroma_h, chroma_w), *_ = layout.plane_sizes(width, height)
            across, down = _SITING[color.chroma_location]
            self._taps = (
                siting_taps_down(height, chroma_h, 1 << layout.sub_h, down).to(device),
                siting_taps_down(width, chroma_w, 1 << layout.sub_w, across).to(device),
            )

    def needed(self, rows: range) -> range:
        """Rows of the picture that ``rows`` of its planes depend on."""
        if self._taps is None:
            return rows
        chroma = self._taps[0].needed(self._chroma_rows(rows))
        return range(min(rows.start, chroma.start), max(rows.stop, chroma.stop))

    def _chroma_rows(self, rows: range) -> range:
        step = 1 << self._layout.sub_h
        return range(rows.start // step, -(-rows.stop // step))

    def __call__(self, rgb: Tensor, rows: range | None = None) -> list[Tensor]:
        rows = range(self._height) if rows is None else rows
        red, green, blue = rgb[0]
        offset, extent = self._scaling.luma
        if self._layout.family == "rgb":
            return [self._luma(c * extent + offset, rows.start) for c in (green, blue, red)]
        # An untagged gray stream has a matrix too: the one its size implies.
        kr, kb = _LUMA_WEIGHTS[self._color.matrix]
        y = (kr * red).add_(green, alpha=1 - kr - kb).add_(blue, alpha=kb)
        start = self.needed(rows).start
        luma = self._luma((y[rows.start - start : rows.stop - start] * extent).add_(offset), rows.start)
        if self._layout.family == "gray":
            return [luma]
        # Fewer values are scaled once chroma is subsampled.
        chroma = y.new_empty((2, *y.shape))
        torch.sub(blue, y, out=chroma[0])
        torch.sub(red, y, out=chroma[1])
        if self._taps is not None:
            down, across = self._taps
            taken = down.needed(self._chroma_rows(rows))
            chroma = chroma[:, taken.start - start : taken.stop - start]
            chroma = resample(chroma, down.part(self._chroma_rows(rows)), across)
        offset, extent = self._scaling.chroma
        for plane, weight in zip(chroma, (kb, kr), strict=True):
            plane.mul_(extent / (2 * (1 - weight))).add_(offset)
        return [luma, *self._chroma(chroma, self._chroma_rows(rows).start)]
