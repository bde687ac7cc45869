"""PSNR and SSIM as papers on super-resolution print them: on Y or on RGB, borders cut.

Y is BT.601 luma in the studio range (16..235), as of MATLAB's ``rgb2ycbcr``, not rounded.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, log10

import numpy as np
from numpy.typing import NDArray

from rfdn_video.errors import InputError
from rfdn_video.training.imresize import RGB8

__all__ = ["Scores", "luma", "psnr", "score", "ssim"]


@dataclass(frozen=True)
class Scores:
    """How near one image is to another: PSNR in dB, SSIM up to 1, on Y and on R, G, B."""

    psnr_y: float
    ssim_y: float
    psnr_rgb: float
    ssim_rgb: float


def luma(image: NDArray[np.uint8 | np.float64]) -> NDArray[np.float64]:
    """Y of an R'G'B' image, [H, W, 3] in 0..255 -> [H, W, 1] in 16..235 (ITU-R BT.601)."""
    weights = np.array([65.481, 128.553, 24.966]) / 255
    return (image.astype(np.float64) @ weights + 16.0)[..., None]


def psnr(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Peak signal-to-noise ratio in dB for a peak of 255, over all channels; ``inf`` where equal."""
    error = float(np.mean((a - b) ** 2))
    return 10 * log10(255**2 / error) if error else inf


def ssim(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Mean structural similarity of [H, W, C] images in 0..255, a mean over the channels.

    Wang et al. 2004: 11x11 Gaussian window of sigma 1.5, K = (0.01, 0.03), where the window fits.

    Raises:
        InputError: a side is under 11 pixels.
    """
    if min(a.shape[:2]) < 11:
        raise InputError(f"image of {a.shape[1]}x{a.shape[0]} pixels: SSIM needs 11 or more a side")
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    x, y = a.astype(np.float64), b.astype(np.float64)
    mean_x, mean_y = _window(x), _window(y)
    var_x, var_y = _window(x * x) - mean_x**2, _window(y * y) - mean_y**2
    covariance = _window(x * y) - mean_x * mean_y
    luminance = (2 * mean_x * mean_y + c1) / (mean_x**2 + mean_y**2 + c1)
    structure = (2 * covariance + c2) / (var_x + var_y + c2)
    return float(np.mean(luminance * structure))


def score(image: RGB8, reference: RGB8, border: int) -> Scores:
    """Scores an [H, W, 3] image against its reference, ``border`` pixels cut off each side."""
    if image.shape != reference.shape:
        (h, w), (rh, rw) = image.shape[:2], reference.shape[:2]
        raise InputError(f"image of {w}x{h} pixels against a reference of {rw}x{rh}: sizes must be equal")
    inner = slice(border, -border or None)
    a, b = (i[inner, inner].astype(np.float64) for i in (image, reference))
    y_a, y_b = luma(a), luma(b)
    return Scores(psnr(y_a, y_b), ssim(y_a, y_b), psnr(a, b), ssim(a, b))


def _window(image: NDArray[np.float64]) -> NDArray[np.float64]:
    """Gaussian mean around each pixel that has a whole window, [H, W, C] -> [H - 10, W - 10, C]."""
    taps = np.exp(-(np.arange(-5, 6) ** 2) / (2 * 1.5**2))
    taps /= taps.sum()
    rows, columns = image.shape[0] - 10, image.shape[1] - 10
    tall = sum(tap * image[i : i + rows] for i, tap in enumerate(taps))
    return np.asarray(sum(tap * tall[:, i : i + columns] for i, tap in enumerate(taps)))
