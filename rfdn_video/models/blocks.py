"""The building blocks of the networks, named as in the paper and as in its checkpoints.

Shapes in the comments: N images, C channels, H x W pixels.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

__all__ = ["ESA", "RFDB", "act"]

ESA_MIN_SIZE = 15
"""Smallest side, in pixels, that ESA's unpadded stride and its pooling leave anything of."""


def act(x: Tensor) -> Tensor:
    """LeakyReLU of slope 0.05, the only activation of the trunk (arXiv 2009.11551, section 3)."""
    return F.leaky_relu(x, negative_slope=0.05)


class ESA(nn.Module):
    """Enhanced spatial attention: a per-pixel, per-channel mask from a coarse view of the features.

    Source: arXiv 2009.11551, section 4.1 (after RFANet). Input and output are [N, C, H, W] with
    H and W at least ``ESA_MIN_SIZE``.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        f = channels // 4
        self.conv1 = nn.Conv2d(channels, f, 1)
        self.conv_f = nn.Conv2d(f, f, 1)
        self.conv2 = nn.Conv2d(f, f, 3, stride=2)
        self.conv_max = nn.Conv2d(f, f, 3, padding=1)
        self.conv3 = nn.Conv2d(f, f, 3, padding=1)
        self.conv3_ = nn.Conv2d(f, f, 3, padding=1)
        self.conv4 = nn.Conv2d(f, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        reduced = self.conv1(x)  # [N, C/4, H, W]
        coarse = F.max_pool2d(self.conv2(reduced), kernel_size=7, stride=3)  # about H/6 x W/6
        coarse = F.relu(self.conv_max(coarse))
        coarse = F.relu(self.conv3(coarse))
        coarse = self.conv3_(coarse)
        spread = F.interpolate(coarse, size=x.shape[2:], mode="bilinear", align_corners=False)
        return x * torch.sigmoid(self.conv4(spread + self.conv_f(reduced)))


class RFDB(nn.Module):
    """Residual feature distillation block of E-RFDN.

    Three times, a 1x1 convolution distils d channels and a shallow residual block (SRB:
    ``act(conv3x3(x) + x)``) refines the rest; what was distilled is fused by a 1x1 convolution
    and weighted by :class:`ESA`. Source: arXiv 2009.11551, figure 2 and section 4.
    [N, C, H, W] in and out.
    """

    def __init__(self, channels: int, distilled: int) -> None:
        super().__init__()
        c, d = channels, distilled
        self.c1_d, self.c1_r = nn.Conv2d(c, d, 1), nn.Conv2d(c, c, 3, padding=1)
        self.c2_d, self.c2_r = nn.Conv2d(c, d, 1), nn.Conv2d(c, c, 3, padding=1)
        self.c3_d, self.c3_r = nn.Conv2d(c, d, 1), nn.Conv2d(c, c, 3, padding=1)
        self.c4 = nn.Conv2d(c, d, 3, padding=1)
        self.c5 = nn.Conv2d(4 * d, c, 1)
        self.esa = ESA(c)

    def forward(self, x: Tensor) -> Tensor:
        d1, x = act(self.c1_d(x)), act(self.c1_r(x) + x)
        d2, x = act(self.c2_d(x)), act(self.c2_r(x) + x)
        d3, x = act(self.c3_d(x)), act(self.c3_r(x) + x)
        d4 = act(self.c4(x))
        fused: Tensor = self.esa(self.c5(torch.cat((d1, d2, d3, d4), dim=1)))  # 4d -> C channels
        return fused
