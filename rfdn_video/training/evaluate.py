"""How well weights do on a folder of images: enlarge each, round to 8 bit, compare with the original."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

import numpy as np
import torch
from torch import Tensor, nn

from rfdn_video.errors import InputError
from rfdn_video.quality.metrics import WINDOW, Scores, score
from rfdn_video.quality.names import distinct_names
from rfdn_video.training.images import find_images, read_image
from rfdn_video.training.imresize import RGB8, Kernel, imresize

__all__ = ["Enlarger", "Evaluation", "Pair", "evaluate", "find_pairs", "interpolator", "network_enlarger"]

type Enlarger = Callable[[RGB8], RGB8]
"""From [H, W, 3] to [s*H, s*W, 3]."""


@dataclass(frozen=True)
class Pair:
    """An original and its reduced copy, where there is one; else it is made by MATLAB's bicubic."""

    name: str
    high: Path
    low: Path | None

    def load(self, scale: int) -> tuple[RGB8, RGB8]:
        """(low, high) with high's sides exactly ``scale`` times low's; what has no partner is cut off.

        Raises:
            InputError: an image cannot be read or is too small to be scored, or the two do not belong together.
        """
        high = read_image(self.high)
        low = None if self.low is None else read_image(self.low)
        whole_h, whole_w = high.shape[:2]
        height, width = whole_h // scale, whole_w // scale
        if low is not None:
            h, w = low.shape[:2]
            if max(abs(h - height), abs(w - width)) > 1:
                raise InputError(
                    f"{self.low}: {w}x{h} pixels are no 1/{scale} of {self.high.name}'s {whole_w}x{whole_h}"
                )
            height, width = min(height, h), min(width, w)
        least = -(-(WINDOW + 2 * scale) // scale)  # SSIM's window within the borders that are cut off
        if min(height, width) < least:
            raise InputError(
                f"{self.high}: {whole_w}x{whole_h} pixels; {least * scale} or more a side can be scored at x{scale}"
            )
        high = high[: height * scale, : width * scale]
        return (imresize(high, 1 / scale) if low is None else low[:height, :width]), high


def find_pairs(folder: Path, scale: int) -> list[Pair]:
    """The images of a folder: its ``HR/`` with its ``LR/``, or those in it alone.

    Partners have equal stems, but for an ``x4`` (or the like) at the end of the low one, as in DIV2K; where images
    share a stem, their suffixes are equal, too.

    Where the folder has no ``HR/`` but an ``x2/`` to ``x4/`` that has, the one of ``scale`` is used.

    Raises:
        InputError: no folder, no image, or one of HR/ without its partner in LR/, or with several.
    """
    if not (folder / "HR").is_dir() and (folder / f"x{scale}" / "HR").is_dir():
        folder = folder / f"x{scale}"
    apart = (folder / "HR").is_dir()
    highs = find_images(folder / "HR" if apart else folder)
    lows: Sequence[Path | None] = [None] * len(highs)
    if apart and (folder / "LR").is_dir():
        lows = _partners(highs, folder / "LR", scale)
    return [Pair(*pair) for pair in zip(distinct_names(highs), highs, lows, strict=True)]


def _partners(highs: Sequence[Path], folder: Path, scale: int) -> list[Path]:
    """Of each of the images the one in ``folder`` that is its reduced copy."""
    lows: dict[str, list[Path]] = defaultdict(list)
    for low in find_images(folder):
        lows[low.stem.removesuffix(f"x{scale}")].append(low)
    sharing = Counter(high.stem for high in highs)
    partners = []
    for high in highs:
        alike = lows[high.stem]
        if max(len(alike), sharing[high.stem]) > 1:
            alike = [low for low in alike if low.suffix == high.suffix]
        if not alike:
            raise InputError(f"{high}: no image of that name in {folder}; remove LR/ to have it made")
        if len(alike) > 1:
            raise InputError(f"{high}: {alike[0].name} and {alike[1].name} in {folder} are both of its name; leave one")
        partners.append(alike[0])
    return partners


@dataclass(frozen=True)
class Evaluation:
    """Scores of one method: a mean and each image's."""

    name: str
    images: dict[str, Scores]

    @property
    def mean(self) -> Scores:
        """The mean of each score over the images."""
        rows = list(self.images.values())
        return Scores(*(fmean(getattr(row, field) for row in rows) for field in Scores.__dataclass_fields__))


def evaluate(name: str, enlarge: Enlarger, pairs: Sequence[Pair], scale: int) -> Evaluation:
    """Scores one method on all pairs; ``scale`` pixels are cut off each border, as papers do."""
    images = {}
    for pair in pairs:
        low, high = pair.load(scale)
        images[pair.name] = score(enlarge(low), high, border=scale)
    return Evaluation(name, images)


def interpolator(scale: int, kernel: Kernel) -> Enlarger:
    """Enlarges by MATLAB's bicubic or Lanczos."""
    return lambda low: imresize(low, scale, kernel)


def network_enlarger(
    network: nn.Module, pixel_range: float, device: torch.device, self_ensemble: bool = False
) -> Enlarger:
    """Enlarges by a network in evaluation mode on ``device``.

    Args:
        self_ensemble: take the mean over the eight flips and turns of the input (Timofte et al. 2016).
    """

    @torch.inference_mode()
    def enlarge(low: RGB8) -> RGB8:
        image = torch.from_numpy(np.moveaxis(low, 2, 0)[None].copy()).to(device)
        image = image.float() * (pixel_range / 255)
        output = _ensemble(network, image) if self_ensemble else network(image)
        pixels = (output[0] * (255 / pixel_range)).round().clamp(0, 255).to(torch.uint8)
        return np.ascontiguousarray(np.moveaxis(pixels.cpu().numpy(), 0, 2))

    return enlarge


def _ensemble(network: nn.Module, image: Tensor) -> Tensor:
    total: Tensor | None = None
    for flip in (False, True):
        for turns in range(4):
            seen = torch.rot90(image.flip(3) if flip else image, turns, (2, 3))
            output = torch.rot90(network(seen), -turns, (2, 3))
            output = output.flip(3) if flip else output
            total = output if total is None else total + output
    assert total is not None
    return total / 8
