"""PSNR and SSIM: of planes of any depth, and of images as papers on super-resolution print them.

For images, Y is BT.601 luma in the studio range (16..235), as of MATLAB's ``rgb2ycbcr``, not rounded, and the borders
are cut.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, log10

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from rfdn_video.errors import InputError

__all__ = ["WINDOW", "Scores", "decibels", "luma", "psnr", "score", "squared_error", "ssim"]

WINDOW = 11
"""Pixels a side of the window of SSIM."""
SIGMA = 1.5


@dataclass(frozen=True)
class Scores:
    """How near one image is to another: PSNR in dB, SSIM up to 1, on Y and on R, G, B."""

    psnr_y: float
    ssim_y: float
    psnr_rgb: float
    ssim_rgb: float


def luma(image: NDArray[np.uint8 | np.float64]) -> Tensor:
    """Y of an R'G'B' image, [H, W, 3] in 0..255 -> [1, H, W] float64 in 16..235 (ITU-R BT.601)."""
    weights = np.array([65.481, 128.553, 24.966]) / 255
    return torch.from_numpy(image.astype(np.float64) @ weights + 16.0)[None]


def squared_error(a: Tensor, b: Tensor) -> float:
    """Mean squared difference of two floating-point tensors of one shape."""
    return float(torch.mean((a - b).square(), dtype=torch.float64))


def decibels(error: float, peak: float) -> float:
    """Peak signal-to-noise ratio in dB of a mean squared error; ``inf`` where it is 0."""
    return 10 * log10(peak**2 / error) if error else inf


def psnr(a: Tensor, b: Tensor, peak: float = 255.0) -> float:
    """PSNR in dB over all samples; ``inf`` where the two are equal."""
    return decibels(squared_error(a, b), peak)


def ssim(a: Tensor, b: Tensor, peak: float = 255.0) -> float:
    """Mean structural similarity of planes [..., H, W] of floating-point code values in 0..peak.

    Wang et al. 2004: 11x11 Gaussian window of sigma 1.5, K = (0.01, 0.03), where the window fits.

    Raises:
        InputError: a side is under 11 pixels.
    """
    height, width = a.shape[-2:]
    if min(height, width) < WINDOW:
        raise InputError(f"image of {width}x{height} pixels: SSIM needs {WINDOW} or more a side")
    c1, c2 = (0.01 * peak) ** 2, (0.03 * peak) ** 2
    # Both variances enter as their sum only: four windowed means, not five.
    mean_a, mean_b, power, product = _window(torch.stack((a, b, a * a + b * b, a * b)))
    both, squares = mean_a * mean_b, mean_a.square() + mean_b.square()
    luminance = (2 * both + c1) / (squares + c1)
    structure = (2 * (product - both) + c2) / (power - squares + c2)
    return float(torch.mean(luminance * structure, dtype=torch.float64))


def score(image: NDArray[np.uint8], reference: NDArray[np.uint8], border: int) -> Scores:
    """Scores an [H, W, 3] image against its reference, ``border`` pixels cut off each side."""
    if image.shape != reference.shape:
        (h, w), (rh, rw) = image.shape[:2], reference.shape[:2]
        raise InputError(f"image of {w}x{h} pixels against a reference of {rw}x{rh}: sizes must be equal")
    inner = slice(border, -border or None)
    pixels = [i[inner, inner].astype(np.float64) for i in (image, reference)]
    y_a, y_b = map(luma, pixels)
    a, b = (torch.from_numpy(np.moveaxis(i, 2, 0)) for i in pixels)
    return Scores(psnr(y_a, y_b), ssim(y_a, y_b), psnr(a, b), ssim(a, b))


def _window(planes: Tensor) -> Tensor:
    """Gaussian mean around each pixel that has a whole window, [..., H, W] -> [..., H - 10, W - 10]."""
    taps = torch.exp(-(torch.arange(WINDOW, dtype=torch.float64) - WINDOW // 2).square() / (2 * SIGMA**2))
    weights = (taps / taps.sum()).tolist()
    for dim in (-2, -1):
        size = planes.shape[dim] - WINDOW + 1
        total = planes.narrow(dim, 0, size) * weights[0]
        for offset, weight in enumerate(weights[1:], start=1):
            total.add_(planes.narrow(dim, offset, size), alpha=weight)
        planes = total
    return planes
