"""The building blocks of the networks, named as in the paper and as in its checkpoints.

Shapes in the comments: N images, C channels, H x W pixels.
"""

from __future__ import annotations

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

__all__ = ["CCA", "CCA_REDUCTION", "ESA", "ESA_MIN_SIZE", "IMDB", "IMDBR", "RFDB", "SLOPE", "Attention", "act"]

type Attention = Literal["esa", "cca"]

ESA_MIN_SIZE = 15
"""Smallest side, in pixels, that ESA's unpadded stride and its pooling leave anything of."""

CCA_REDUCTION = 16
"""Channels that CCA weighs by one of those it looks at them through (IMDN, arXiv 1909.11856, section 3.3)."""

SLOPE = 0.05
"""Of the negative half of LeakyReLU, the only activation of the trunk (arXiv 2009.11551, section 3)."""


def act(x: Tensor) -> Tensor:
    """LeakyReLU of slope ``SLOPE``."""
    return F.leaky_relu(x, negative_slope=SLOPE)


class ESA(nn.Module):
    """Enhanced spatial attention: a per-pixel, per-channel mask from a coarse view of the features.

    Source: arXiv 2009.11551, section 4.1 (after RFANet). Input and output are [N, C, H, W] with
    H and W at least ``ESA_MIN_SIZE``. Local: an output sees some 31 pixels around itself.
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


class CCA(nn.Module):
    """Contrast-aware channel attention: a per-channel factor from its standard deviation plus its mean.

    Source: IMDN, arXiv 1909.11856, section 3.3. Input and output are [N, C, H, W]. Not local: the
    statistics are those of the whole image.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        f = channels // CCA_REDUCTION
        self.conv_du = nn.Sequential(nn.Conv2d(channels, f, 1), nn.ReLU(), nn.Conv2d(f, channels, 1), nn.Sigmoid())

    def forward(self, x: Tensor) -> Tensor:
        # Half precision cannot hold the sums of a frame. The square root of a channel that is
        # constant (a black patch) would have an infinite slope: 1e-12 keeps it finite.
        variance, mean = torch.var_mean(x.float(), dim=(2, 3), correction=0, keepdim=True)
        factor: Tensor = self.conv_du(((variance + 1e-12).sqrt() + mean).to(x.dtype))  # [N, C, 1, 1]
        return x * factor


class RFDB(nn.Module):
    """Residual feature distillation block, and the blocks of the paper's ablation.

    Three times, a 1x1 convolution distils d channels and a shallow residual block (SRB:
    ``act(conv3x3(x) + x)``) refines the rest; what was distilled is joined and fused by a 1x1
    convolution. RFDN weighs the joined channels by :class:`CCA` before the fusion, E-RFDN the
    fused ones by :class:`ESA` after it. Source: arXiv 2009.11551, figure 2 and section 4.
    [N, C, H, W] in and out.

    Args:
        channels: C.
        distilled: d; 0 leaves the distillation away, and a chain of convolutions remains.
        attention: ``"esa"`` or ``"cca"``.
        residual: whether the 3x3 convolutions are SRBs. With ``distilled`` this makes table 1:
            RFDB (both), FDC (no SRB), SRB (no distillation), Base (neither).
    """

    def __init__(self, channels: int, distilled: int, attention: Attention, residual: bool = True) -> None:
        super().__init__()
        c, d = channels, distilled
        self.distilled, self.residual = distilled, residual
        for i in (1, 2, 3):
            if d:
                self.add_module(f"c{i}_d", nn.Conv2d(c, d, 1))
            self.add_module(f"c{i}_r", nn.Conv2d(c, c, 3, padding=1))
        joined = 4 * d or c
        self.c4 = nn.Conv2d(c, d or c, 3, padding=1)
        self.c5 = nn.Conv2d(joined, c, 1)
        self.cca = CCA(joined) if attention == "cca" else None
        self.esa = ESA(c) if attention == "esa" else None

    def forward(self, x: Tensor) -> Tensor:
        distilled = []
        for i in (1, 2, 3):
            if self.distilled:
                distilled.append(act(self.get_submodule(f"c{i}_d")(x)))  # [N, d, H, W]
            refined = self.get_submodule(f"c{i}_r")(x)
            x = act(refined + x if self.residual else refined)
        distilled.append(act(self.c4(x)))
        joined = torch.cat(distilled, dim=1)  # [N, 4d, H, W]
        fused: Tensor = self.c5(self.cca(joined) if self.cca is not None else joined)
        return fused if self.esa is None else self.esa(fused)


class IMDB(nn.Module):
    """Information multi-distillation block of IMDN.

    Three times, a 3x3 convolution makes C channels, of which d are kept and the rest is refined
    further. Source: arXiv 1909.11856, figure 2. [N, C, H, W] in and out.
    """

    def __init__(self, channels: int, distilled: int) -> None:
        super().__init__()
        c, d = channels, distilled
        self.split = [d, c - d]
        self.c1 = nn.Conv2d(c, c, 3, padding=1)
        self.c2 = nn.Conv2d(c - d, c, 3, padding=1)
        self.c3 = nn.Conv2d(c - d, c, 3, padding=1)
        self.c4 = nn.Conv2d(c - d, d, 3, padding=1)
        self.c5 = nn.Conv2d(4 * d, c, 1)
        self.cca = CCA(4 * d)

    def forward(self, x: Tensor) -> Tensor:
        d1, rest = torch.split(act(self.c1(x)), self.split, dim=1)
        d2, rest = torch.split(act(self.c2(rest)), self.split, dim=1)
        d3, rest = torch.split(act(self.c3(rest)), self.split, dim=1)
        joined = torch.cat((d1, d2, d3, self.c4(rest)), dim=1)
        fused: Tensor = self.c5(self.cca(joined))
        return fused + x


class IMDBR(nn.Module):
    """IMDB with each convolution split in two, a distilling (``_d``) and a refining one (``_r``).

    The same function as :class:`IMDB`, written so that the distillation stands apart from the
    refinement: the step from which RFDB follows. Source: arXiv 2009.11551, section 3.1.
    """

    def __init__(self, channels: int, distilled: int) -> None:
        super().__init__()
        c, d = channels, distilled
        self.c1_d, self.c1_r = nn.Conv2d(c, d, 3, padding=1), nn.Conv2d(c, c - d, 3, padding=1)
        self.c2_d, self.c2_r = nn.Conv2d(c - d, d, 3, padding=1), nn.Conv2d(c - d, c - d, 3, padding=1)
        self.c3_d, self.c3_r = nn.Conv2d(c - d, d, 3, padding=1), nn.Conv2d(c - d, c - d, 3, padding=1)
        self.c4 = nn.Conv2d(c - d, d, 3, padding=1)
        self.c5 = nn.Conv2d(4 * d, c, 1)
        self.cca = CCA(4 * d)

    def forward(self, x: Tensor) -> Tensor:
        d1, rest = act(self.c1_d(x)), act(self.c1_r(x))
        d2, rest = act(self.c2_d(rest)), act(self.c2_r(rest))
        d3, rest = act(self.c3_d(rest)), act(self.c3_r(rest))
        joined = torch.cat((d1, d2, d3, self.c4(rest)), dim=1)
        fused: Tensor = self.c5(self.cca(joined))
        return fused + x
