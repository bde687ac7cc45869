"""From values to integer code values: rounding to the nearest, or ordered dither."""

from __future__ import annotations

import torch
from torch import Tensor

from rfdn_video.settings import Dither

__all__ = ["Quantiser"]


class Quantiser:
    """Rounds code values of one plane size.

    Ordered dither adds to every value, before it is rounded, a fixed pattern of 8x8 offsets between
    -1/2 and 1/2 (B. E. Bayer, "An optimum method for two-level rendition of continuous-tone
    pictures", 1973). A slow gradient becomes a fine texture instead of steps; whole code values stay
    as they are. The pattern lies still, so a still picture stays still and results can be repeated.

    Args:
        depth: bits of a code value.
        width: of the planes.
        dither: ``"none"`` or ``"ordered"``.
        device: where the planes lie.
    """

    def __init__(self, depth: int, width: int, dither: Dither, device: torch.device) -> None:
        self._peak = float((1 << depth) - 1)
        # Through int32: not every device converts float to uint16.
        self._dtypes = (torch.uint8,) if depth == 8 else (torch.int32, torch.uint16)
        self._offsets = _pattern(width).to(device) if dither == "ordered" else None

    def __call__(self, codes: Tensor, first_row: int) -> Tensor:
        """[..., rows, W] float32, changed in place, to uint8 (uint16 above 8 bit); ``first_row`` is where they lie."""
        if self._offsets is not None:
            rows = torch.arange(first_row, first_row + codes.shape[-2], device=codes.device) % 8
            codes += self._offsets.index_select(0, rows)
        codes = codes.round_().clamp_(0, self._peak)
        for dtype in self._dtypes:
            codes = codes.to(dtype)
        return codes


def _pattern(width: int) -> Tensor:
    """[8, width] of the 64 levels, centred at 0."""
    order = torch.zeros(1, 1)
    for _ in range(3):
        order = torch.cat((torch.cat((4 * order, 4 * order + 2), 1), torch.cat((4 * order + 3, 4 * order + 1), 1)), 0)
    offsets = (order + 0.5) / 64 - 0.5
    return offsets[:, torch.arange(width) % 8]
