"""The alpha plane: a mask, not a picture, so it is resampled and never goes through the network.

Alpha is taken for straight, as PNG, GIF, FFV1, ProRes and WebM are usually written: the colours are not multiplied
by it. Both are enlarged for themselves and nothing is divided by a small alpha, so premultiplied pictures stay
premultiplied too. What lies hidden under a transparent pixel takes part in the colours around it, as in all
resampling of straight alpha.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from rfdn_video.frame import PixelFormat
from rfdn_video.inference.quantise import Quantiser
from rfdn_video.inference.resample import resample, resize_taps

__all__ = ["AlphaResizer"]


class AlphaResizer:
    """Makes the alpha plane of a result: bicubic, whatever the depths; opaque where the source has none.

    Alpha has no studio range and is never dithered.

    Args:
        source, result: layouts before and after; ``result`` has alpha.
        size, new_size: (width, height) before and after.
        device: where the planes lie.
    """

    def __init__(
        self,
        source: PixelFormat,
        result: PixelFormat,
        size: tuple[int, int],
        new_size: tuple[int, int],
        device: torch.device,
    ) -> None:
        self._given, self._new_width, self._device = source.alpha, new_size[0], device
        self._peak = float((1 << result.depth) - 1)
        self._gain = self._peak / ((1 << source.depth) - 1)
        self._quantise = Quantiser(result.depth, new_size[0], "none", device)
        self._down = resize_taps(size[1], new_size[1]).to(device)
        self._across = resize_taps(size[0], new_size[0]).to(device)

    def __call__(self, planes: Sequence[Tensor], rows: range) -> Tensor:
        """Rows of the result's alpha, [len(rows), W] uint8 (uint16 above 8 bit), from the source's planes."""
        if not self._given:
            return self._quantise(torch.full((len(rows), self._new_width), self._peak, device=self._device), rows.start)
        needed = self._down.needed(rows)
        alpha = planes[-1][needed.start : needed.stop].float()
        return self._quantise(resample(alpha, self._down.part(rows), self._across) * self._gain, rows.start)
