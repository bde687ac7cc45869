"""MATLAB's ``imresize`` on 8-bit images, by which super-resolution's low-resolution images are made.

It differs from other bicubics in its kernel (Keys, a = -0.5), in that the kernel is stretched when
an image is made smaller (antialiasing), and in that it rounds to 8 bit between the two sides. The
common test sets come out bit for bit: rows first, borders repeated.
"""

from __future__ import annotations

from functools import lru_cache
from math import ceil
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

__all__ = ["RGB8", "Kernel", "imresize"]

type RGB8 = NDArray[np.uint8]
"""R'G'B', [H, W, 3]."""
type Kernel = Literal["bicubic", "lanczos3"]


def imresize(image: RGB8, scale: float, kernel: Kernel = "bicubic") -> RGB8:
    """Resizes as MATLAB's ``imresize(image, scale, kernel)``.

    Args:
        image: [H, W, C], 0..255.
        scale: factor of both sides; below 1 the kernel is stretched by its inverse.

    Returns:
        [ceil(H * scale), ceil(W * scale), C].
    """
    tall = _round(_resize_rows(image.astype(np.float64), scale, kernel))
    across = _resize_rows(np.ascontiguousarray(tall.swapaxes(0, 1)), scale, kernel)
    return np.ascontiguousarray(_round(across).swapaxes(0, 1).astype(np.uint8))


def _resize_rows(image: NDArray[np.float64], scale: float, kernel: Kernel) -> NDArray[np.float64]:
    """[H, W, C] -> [ceil(H * scale), W, C], not rounded."""
    rows, weights = _taps(image.shape[0], scale, kernel)
    return np.asarray(sum(w[:, None, None] * image[r] for r, w in zip(rows, weights, strict=True)))


def _round(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.clip(np.floor(values + 0.5), 0, 255)


@lru_cache(maxsize=64)
def _taps(length: int, scale: float, kernel: Kernel) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Of one side: which inputs each output is made of, [taps, outputs], and their weights."""
    stretch = max(1.0, 1.0 / scale)
    radius = {"bicubic": 2.0, "lanczos3": 3.0}[kernel] * stretch
    outputs = ceil(length * scale - 1e-9)  # a third of 27 is 9, whatever 27 * (1 / 3) is
    centers = (np.arange(outputs) + 0.5) / scale - 0.5
    taps = np.floor(centers - radius).astype(np.intp) + np.arange(2 * ceil(radius) + 2)[:, None]
    weights = _kernel((centers - taps) / stretch, kernel)
    weights /= weights.sum(axis=0)
    used = (weights != 0).any(axis=1)
    return np.clip(taps[used], 0, length - 1), weights[used]


def _kernel(x: NDArray[Any], kernel: Kernel) -> NDArray[Any]:
    if kernel == "lanczos3":
        return np.where(np.abs(x) < 3, np.sinc(x) * np.sinc(x / 3), 0.0)
    a = np.abs(x)  # Keys 1981, equation 15
    near = 1.5 * a**3 - 2.5 * a**2 + 1
    far = -0.5 * a**3 + 2.5 * a**2 - 4 * a + 2
    return np.where(a <= 1, near, np.where(a < 2, far, 0.0))
