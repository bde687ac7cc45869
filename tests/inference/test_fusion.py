"""Rewritten networks compute what the plain ones do."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from rfdn_video.inference.fusion import fuse
from rfdn_video.models.networks import NETWORKS, network_config
from rfdn_video.models.rfdn import RFDN
from rfdn_video.models.weights import Weights, load_weights

ATOL = 1e-9


def _weights(name: str, scale: int, pixel_range: float) -> Weights:
    torch.manual_seed(scale)
    config = network_config(name, scale)
    state = RFDN(config).double().state_dict()
    return Weights(name, config, pixel_range, None, Path("random"), "", state)


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize(("scale", "pixel_range"), [(2, 1.0), (3, 255.0), (4, 255.0)])
@torch.inference_mode()
def test_fused_networks_equal_the_plain_ones(name: str, scale: int, pixel_range: float) -> None:
    weights = _weights(name, scale, pixel_range)
    before = {key: tensor.clone() for key, tensor in weights.state.items()}
    image = torch.rand(2, 3, 19, 26, dtype=torch.float64)
    expected = weights.build()(image * pixel_range) / pixel_range
    fused = fuse(weights)
    torch.testing.assert_close(fused.build()(image), expected, rtol=0, atol=ATOL)
    assert fused.pixel_range == 1
    assert fused.config.block not in ("rfdb", "srb")  # an addition less in every SRB
    for key, tensor in weights.state.items():
        assert torch.equal(tensor, before[key])


@pytest.mark.shared
@torch.inference_mode()
def test_the_authors_network_fused_is_theirs(shared: Path) -> None:
    """The weights that everybody has, of the range 0..255."""
    found = sorted(shared.rglob("RFDN_AIM.pth"))
    assert found, "RFDN_AIM.pth is not in the shared material"
    weights = load_weights(found[0])
    doubled = replace(weights, state={key: tensor.double() for key, tensor in weights.state.items()})
    image = torch.rand(1, 3, 24, 31, dtype=torch.float64)
    expected = doubled.build()(image * 255) / 255
    torch.testing.assert_close(fuse(doubled).build()(image), expected, rtol=0, atol=ATOL)
