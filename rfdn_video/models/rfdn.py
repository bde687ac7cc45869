"""RFDN, the residual feature distillation network, read from top to bottom.

Source: arXiv 2009.11551, figure 1. All networks of the paper are this body with other blocks;
``rfdn_video.models.networks`` names them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from rfdn_video.models.blocks import ESA_MIN_SIZE, IMDB, IMDBR, RFDB, Attention, act

__all__ = ["RFDN", "BlockKind", "RFDNConfig"]

type BlockKind = Literal["rfdb", "fdc", "srb", "base", "imdb", "imdb-r"]


@dataclass(frozen=True)
class RFDNConfig:
    """The shape of one network.

    Attributes:
        scale: factor of width and height: 2, 3 or 4.
        channels: of the features between the blocks.
        blocks: how many.
        distilled: channels that a block distils at each step; 0 for ``"srb"`` and ``"base"``.
        block: which; the last four are those of the paper's analysis.
        attention: ``"esa"`` or ``"cca"``; the IMDN blocks have CCA only.
    """

    scale: int
    channels: int = 50
    blocks: int = 4
    distilled: int = 25
    block: BlockKind = "rfdb"
    attention: Attention = "esa"

    @property
    def is_local(self) -> bool:
        """Whether an output pixel depends on input pixels near it only, so that a frame can be cut up.

        ESA looks at a neighbourhood; CCA takes statistics over the whole frame.
        """
        return self.attention == "esa"


class RFDN(nn.Module):
    """Enlarges RGB images by an integer factor.

    Input [N, 3, H, W], output [N, 3, s*H, s*W], both in the pixel range the weights were trained
    for (0..1 or 0..255). Any H, W >= 1: images too small for ESA are extended by their edge
    pixels, and the result is cropped.
    """

    def __init__(self, config: RFDNConfig) -> None:
        super().__init__()
        self.config = config
        c, s = config.channels, config.scale
        self.fea_conv = nn.Conv2d(3, c, 3, padding=1)
        for i in range(1, config.blocks + 1):
            self.add_module(f"B{i}", _block(config))
        self.c = nn.Sequential(nn.Conv2d(config.blocks * c, c, 1))
        self.LR_conv = nn.Conv2d(c, c, 3, padding=1)
        self.upsampler = nn.Sequential(nn.Conv2d(c, 3 * s * s, 3, padding=1), nn.PixelShuffle(s))

    def forward(self, image: Tensor) -> Tensor:
        height, width = image.shape[2:]
        smallest = ESA_MIN_SIZE if self.config.attention == "esa" else 1
        short_h, short_w = max(0, smallest - height), max(0, smallest - width)
        if short_h or short_w:
            image = F.pad(image, (0, short_w, 0, short_h), mode="replicate")

        first = self.fea_conv(image)  # [N, C, H, W], as all features until the upsampler
        x, outputs = first, []
        for i in range(1, self.config.blocks + 1):
            x = self.get_submodule(f"B{i}")(x)
            outputs.append(x)
        x = self.LR_conv(act(self.c(torch.cat(outputs, dim=1)))) + first
        enlarged: Tensor = self.upsampler(x)  # [N, 3, s*H, s*W]

        s = self.config.scale
        return enlarged[:, :, : s * height, : s * width]


def _block(config: RFDNConfig) -> nn.Module:
    if config.block == "imdb":
        return IMDB(config.channels, config.distilled)
    if config.block == "imdb-r":
        return IMDBR(config.channels, config.distilled)
    residual = config.block in ("rfdb", "srb")
    return RFDB(config.channels, config.distilled, config.attention, residual)
