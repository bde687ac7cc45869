"""PSNR, SSIM and MATLAB's imresize against scikit-image, closed forms, and the published test sets."""

from __future__ import annotations

from math import inf, log10
from pathlib import Path

import numpy as np
import pytest
import torch
from skimage.metrics import structural_similarity

from rfdn_video.errors import InputError
from rfdn_video.quality.metrics import luma, psnr, score, ssim
from rfdn_video.training.images import find_images, read_image
from rfdn_video.training.imresize import imresize


def test_luma_is_bt601_in_the_studio_range() -> None:
    colors = np.array([[[0, 0, 0], [255, 255, 255], [255, 0, 0]]], np.uint8)
    np.testing.assert_allclose(luma(colors)[0, 0], [16, 235, 81.481], atol=1e-9)


def test_psnr_of_a_constant_difference() -> None:
    a = torch.full((3, 20, 20), 100.0)
    assert psnr(a, a + 4) == pytest.approx(20 * log10(255 / 4))
    assert psnr(a, a) == inf
    assert psnr(4 * a, 4 * a + 16, peak=1023) == pytest.approx(20 * log10(1023 / 16))


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-9), (torch.float32, 1e-5)])
@pytest.mark.parametrize("peak", [255, 1023])
def test_ssim_is_scikit_images(dtype: torch.dtype, tolerance: float, peak: int) -> None:
    random = np.random.default_rng(3)
    a = random.uniform(0, peak, (2, 40, 53))
    b = np.clip(a + random.normal(0, peak / 12, a.shape), 0, peak)
    expected = structural_similarity(
        a, b, data_range=peak, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, channel_axis=0
    )
    assert ssim(torch.tensor(a, dtype=dtype), torch.tensor(b, dtype=dtype), peak) == pytest.approx(
        expected, abs=tolerance
    )


def test_the_border_is_not_scored() -> None:
    a = np.full((30, 30, 3), 90, np.uint8)
    b = a.copy()
    b[:4], b[-4:], b[:, :4], b[:, -4:] = 0, 0, 0, 0
    assert score(a, b, border=4).psnr_rgb == inf
    assert score(a, b, border=3).psnr_rgb < 40


def test_images_of_other_sizes_are_refused() -> None:
    with pytest.raises(InputError, match="sizes must be equal"):
        score(np.zeros((20, 20, 3), np.uint8), np.zeros((20, 21, 3), np.uint8), border=0)


@pytest.mark.shared
@pytest.mark.parametrize("scale", [2, 3, 4])
def test_imresize_makes_the_published_low_resolution_images(shared: Path, scale: int) -> None:
    folder = shared / "data" / "Set5" / f"x{scale}"
    for high in find_images(folder / "HR"):
        made = imresize(read_image(high), 1 / scale)
        np.testing.assert_array_equal(made, read_image(folder / "LR" / high.name))


def test_imresize_keeps_a_constant_and_rounds_sizes_up() -> None:
    image = np.full((10, 27, 3), 77, np.uint8)
    assert imresize(image, 1 / 3).shape == (4, 9, 3)
    assert (imresize(image, 1 / 3) == 77).all()
    assert (imresize(image, 4, "lanczos3") == 77).all()
