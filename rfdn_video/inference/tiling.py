"""How a picture is cut up: in bands of how many rows, or not at all.

The decision depends on nothing but the network, the picture's size, the engine's kind and a fixed
class of memory, so that everything that must give equal bits shares one band grid.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from rfdn_video.inference.esa_bands import CoarseRows
from rfdn_video.inference.scaling import ScalePlan
from rfdn_video.models.blocks import ESA_MIN_SIZE
from rfdn_video.models.rfdn import RFDNConfig
from rfdn_video.settings import Tile

__all__ = ["Place", "Tiling", "band_bytes", "choose_tiling", "fits", "memory_class", "whole_bytes"]

CACHE_PIXELS = 46080
"""Pixels of a band that a CPU works on fastest, see benchmarks/scaling.py."""
BANDED_FROM = 1 << 17
"""Pixels of a picture from which bands are the faster way on a CPU, see benchmarks/scaling.py."""
SMALLEST, LARGEST = 12, 96
"""Rows of a band: below the smallest, what is kept between bands outweighs them."""
CPU_CLASS = 4 << 30
"""What a job may use of any computer's memory, bytes."""
CLASSES = tuple(gib << 30 for gib in (1, 2, 4, 6, 8, 12, 16, 24, 32, 48, 80))


@dataclass(frozen=True)
class Place:
    """Where a network runs, as far as tiling depends on it.

    Attributes:
        runs_bands: engine and network can.
        on_cpu: the caches of a CPU do the work.
        memory: its class, bytes.
        itemsize: bytes of a feature.
    """

    runs_bands: bool
    on_cpu: bool
    memory: int
    itemsize: int


@dataclass(frozen=True)
class Tiling:
    """The bands of each pass of the network: rows of its input a step, None for whole pictures.

    ``reason`` says, after a colon, why there can be none.
    """

    bands: tuple[int | None, ...]
    reason: str = ""

    def __str__(self) -> str:
        if not any(self.bands):
            return f"whole frames{self.reason}"
        return "bands of " + ", then ".join(f"{band} rows" if band else "whole frames" for band in self.bands)

    def halved(self, plan: ScalePlan) -> Tiling | None:
        """The next smaller one; None where the bands cannot get smaller."""
        bands = [(band or height) // 2 for band, (_, height) in zip(self.bands, _sizes(plan), strict=True)]
        return Tiling(tuple(max(band, 1) for band in bands)) if max(bands) >= SMALLEST // 2 else None


def choose_tiling(tile: Tile, config: RFDNConfig, plan: ScalePlan, place: Place) -> Tiling:
    """The tiling of pictures.

    Args:
        tile: what was asked for.
        config: of the network; one that is not local takes whole pictures.
        plan: passes and sizes.
        place: where it runs.
    """
    if tile == "off":
        return Tiling((None,) * plan.passes)
    if not config.is_local:
        return Tiling((None,) * plan.passes, ": this network takes statistics of all of a frame")
    if not place.runs_bands:
        return Tiling((None,) * plan.passes, ": this engine knows no bands")
    if isinstance(tile, int):
        return Tiling((tile,) * plan.passes)
    return Tiling(tuple(_auto(config, width, height, place) for width, height in _sizes(plan)))


def _sizes(plan: ScalePlan) -> list[tuple[int, int]]:
    """(width, height) of what each pass takes."""
    width, height = plan.source
    return [(width * plan.native**i, height * plan.native**i) for i in range(plan.passes)]


def memory_class(device: torch.device) -> int:
    """The class of a device's memory, bytes: the largest of a few sizes that it has."""
    if device.type != "cuda":
        return CPU_CLASS
    total = torch.cuda.get_device_properties(device).total_memory
    # Drivers keep some of what is printed on the box.
    return max((size for size in CLASSES if size <= total * 1.1), default=CLASSES[0])


def _auto(config: RFDNConfig, width: int, height: int, place: Place) -> int | None:
    """Bands that suit a CPU's caches; elsewhere whole pictures, or the largest bands that half of the memory holds."""
    if place.on_cpu:
        band = max(SMALLEST, min(LARGEST, CACHE_PIXELS // width))
        return band if width * height > BANDED_FROM else None
    budget = place.memory // 2
    if whole_bytes(config, width, height, place.itemsize) <= budget:
        return None
    band = height // 2
    while band > SMALLEST and band_bytes(config, width, height, band, place.itemsize) > budget:
        band //= 2
    return band


def fits(config: RFDNConfig, plan: ScalePlan, place: Place) -> bool:
    """Whether pictures stay within the place's class of memory in every pass, in its bands or whole."""
    bands = choose_tiling("auto", config, plan, place).bands
    return all(
        (band_bytes(config, *size, band, place.itemsize) if band else whole_bytes(config, *size, place.itemsize))
        <= place.memory
        for size, band in zip(_sizes(plan), bands, strict=True)
    )


def whole_bytes(config: RFDNConfig, width: int, height: int, itemsize: int) -> int:
    """What a whole picture takes at its peak: all blocks' outputs, joined, the first features, and a block's own."""
    c, n, d, s = config.channels, config.blocks, config.distilled, config.scale
    return (2 * n * c + c + max(4 * d + 2 * c, 3 * s * s * 2)) * width * height * itemsize


def band_bytes(config: RFDNConfig, width: int, height: int, band: int, itemsize: int) -> int:
    """What a picture in bands takes at its peak; grows with width x band, and hardly with the height."""
    c, n, d, s = config.channels, config.blocks, config.distilled, config.scale
    lag = CoarseRows(max(height, ESA_MIN_SIZE), torch.float32).lag
    kept = n * (4 * 2 * c + 9 * d + (c + c // 4) * lag)  # in front of convolutions, distilled, before the mask
    waiting = c * (lag + 4) * n * (n - 1) // 2  # outputs of the blocks, until the last one's is there
    a_band = 2 * c + max(n * c, 4 * d) + n * (3 * d + 2 * c + c // 2) + 3 * c + 3 * s * s * 2
    return (kept + waiting + a_band * band) * max(width, ESA_MIN_SIZE) * itemsize
