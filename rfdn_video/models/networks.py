"""The networks of the paper by name, each a configuration of one body.

Parameters at x2 / x3 / x4: E-RFDN 417,212 / 423,977 / 433,448; RFDN 534,288 / 540,783 / 549,876;
RFDN-L 625,608 / 632,643 / 642,492; IMDN 694,404 / 703,059 / 715,176.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from rfdn_video.errors import ModelError
from rfdn_video.hints import did_you_mean
from rfdn_video.models.blocks import CCA_REDUCTION
from rfdn_video.models.rfdn import RFDNConfig

__all__ = ["NETWORKS", "network_config", "network_name"]

_RFDN = RFDNConfig(scale=2, channels=48, blocks=6, distilled=24, attention="cca")
_IMDN = RFDNConfig(scale=2, channels=64, blocks=6, distilled=16, attention="cca", block="imdb")

NETWORKS: Mapping[str, RFDNConfig] = {
    "e-rfdn": RFDNConfig(scale=2, channels=50, blocks=4, distilled=25),
    "rfdn": _RFDN,
    "rfdn-l": replace(_RFDN, channels=52, distilled=26),
    "imdn": _IMDN,
    "imdn-r": replace(_IMDN, block="imdb-r"),
    "rfdn-fdc": replace(_RFDN, block="fdc"),
    "rfdn-srb": replace(_RFDN, block="srb", distilled=0),
    "rfdn-base": replace(_RFDN, block="base", distilled=0),
}
"""Names that ``-m`` takes, with the shape of each at x2. The last three are the ablation of table 1."""


def network_config(name: str, scale: int, ratio: float | None = None) -> RFDNConfig:
    """The shape of a network.

    Args:
        name: of ``NETWORKS``.
        scale: 2, 3 or 4.
        ratio: distilled channels over channels (table 2), instead of the network's own.

    Raises:
        ModelError: no such network, or no such scale or ratio for it.
    """
    if name not in NETWORKS:
        raise ModelError(f"no network {name!r}; known: {', '.join(NETWORKS)}{did_you_mean(name, NETWORKS)}")
    if scale not in (2, 3, 4):
        raise ModelError(f"scale {scale}: 2, 3 and 4 are allowed for a network; others are made from these")
    config = replace(NETWORKS[name], scale=scale)
    if ratio is None:
        return config
    if not config.distilled or not 0 < ratio < 1:
        raise ModelError(f"ratio {ratio:g}: above 0 and below 1 is allowed, for networks that distil")
    distilled = round(config.channels * ratio)
    least, most = CCA_REDUCTION // 4 if config.attention == "cca" else 1, config.channels - 1
    if not least <= distilled <= most:
        raise ModelError(
            f"ratio {ratio:g}: {name} would distil {distilled} of its {config.channels} channels; "
            f"{least} to {most} are allowed"
        )
    return replace(config, distilled=distilled)


def network_name(config: RFDNConfig) -> str:
    """The catalogue's name for a shape; for one with other channels or blocks, that of its kind."""
    same = replace(config, scale=2)
    for name, known in NETWORKS.items():
        if known == same:
            return name
    for name, known in NETWORKS.items():
        if (known.block, known.attention) == (config.block, config.attention):
            return name
    return "e-rfdn" if config.is_local else "rfdn"
