"""RFDN, the residual feature distillation network, read from top to bottom.

Source: arXiv 2009.11551, figure 1. E-RFDN (the AIM 2020 entry) has 4 blocks of 50 channels with
ESA: 417,212 / 423,977 / 433,448 parameters at x2 / x3 / x4.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from rfdn_video.models.blocks import ESA_MIN_SIZE, RFDB, act

__all__ = ["RFDN", "RFDNConfig"]


@dataclass(frozen=True)
class RFDNConfig:
    """The shape of one network; everything in it can be read off a checkpoint's tensors."""

    scale: int
    channels: int = 50
    blocks: int = 4
    distilled: int = 25


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
            self.add_module(f"B{i}", RFDB(c, config.distilled))
        self.c = nn.Sequential(nn.Conv2d(config.blocks * c, c, 1))
        self.LR_conv = nn.Conv2d(c, c, 3, padding=1)
        self.upsampler = nn.Sequential(nn.Conv2d(c, 3 * s * s, 3, padding=1), nn.PixelShuffle(s))

    def forward(self, image: Tensor) -> Tensor:
        height, width = image.shape[2:]
        short_h, short_w = max(0, ESA_MIN_SIZE - height), max(0, ESA_MIN_SIZE - width)
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
