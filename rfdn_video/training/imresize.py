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
    height, width, channels = image.shape
    rows, columns = _weights(height, scale, kernel), _weights(width, scale, kernel)
    tall = _round(rows @ image.reshape(height, -1).astype(np.float64)).reshape(len(rows), width, channels)
    return _round(np.moveaxis(np.tensordot(columns, tall, axes=(1, 1)), 0, 1)).astype(np.uint8)


def _round(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.clip(np.floor(values + 0.5), 0, 255)


@lru_cache(maxsize=64)
def _weights(length: int, scale: float, kernel: Kernel) -> NDArray[np.float64]:
    """The resizing of one side as a matrix [output length, input length]."""
    stretch = max(1.0, 1.0 / scale)
    radius = {"bicubic": 2.0, "lanczos3": 3.0}[kernel] * stretch
    outputs = ceil(length * scale - 1e-9)  # a third of 27 is 9, whatever 27 * (1 / 3) is
    centers = (np.arange(outputs) + 0.5) / scale - 0.5
    taps = np.floor(centers - radius).astype(int)[:, None] + np.arange(2 * ceil(radius) + 2)
    values = _kernel((centers[:, None] - taps) / stretch, kernel)
    values /= values.sum(axis=1, keepdims=True)
    matrix = np.zeros((outputs, length))
    np.add.at(matrix, (np.arange(outputs)[:, None], np.clip(taps, 0, length - 1)), values)
    matrix.flags.writeable = False
    return matrix


def _kernel(x: NDArray[Any], kernel: Kernel) -> NDArray[Any]:
    if kernel == "lanczos3":
        return np.where(np.abs(x) < 3, np.sinc(x) * np.sinc(x / 3), 0.0)
    a = np.abs(x)  # Keys 1981, equation 15
    near = 1.5 * a**3 - 2.5 * a**2 + 1
    far = -0.5 * a**3 + 2.5 * a**2 - 4 * a + 2
    return np.where(a <= 1, near, np.where(a < 2, far, 0.0))
