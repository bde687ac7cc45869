"""Every network of the paper: its size to the parameter, its cost, its function and its file."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from collections.abc import Mapping
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from rfdn_video.cli import models as models_command
from rfdn_video.errors import ModelError, UsageError
from rfdn_video.models.catalog import BUNDLED
from rfdn_video.models.complexity import measure_complexity
from rfdn_video.models.networks import NETWORKS, network_config
from rfdn_video.models.rfdn import RFDN
from rfdn_video.models.weights import load_weights

PARAMETERS = {
    "e-rfdn": (417_212, 423_977, 433_448),
    "rfdn": (534_288, 540_783, 549_876),
    "rfdn-l": (625_608, 632_643, 642_492),
    "imdn": (694_404, 703_059, 715_176),
}


@pytest.mark.parametrize("name", PARAMETERS)
def test_parameters_are_the_papers(name: str) -> None:
    counted = tuple(sum(p.numel() for p in RFDN(network_config(name, s)).parameters()) for s in (2, 3, 4))
    assert counted == PARAMETERS[name]


def test_cost_of_e_rfdn_is_that_of_the_aim_report() -> None:
    cost = measure_complexity(network_config("e-rfdn", 4), 256, 256)
    assert cost.parameters == 433_448
    assert round(cost.multiply_adds / 1e9, 2) == 27.03
    assert round(cost.activations / 1e6, 2) == 112.03


@pytest.mark.parametrize(("one", "other"), [("rfdn", "rfdn-fdc"), ("rfdn-srb", "rfdn-base"), ("imdn", "imdn-r")])
def test_rewritten_blocks_cost_the_same(one: str, other: str) -> None:
    costs = [measure_complexity(network_config(name, 4), 64, 48) for name in (one, other)]
    assert costs[0] == costs[1]


def _split_convolutions(state: Mapping[str, Tensor], distilled: int) -> dict[str, Tensor]:
    """Weights of an IMDN with IMDB blocks for one with IMDB-R blocks: what is distilled, and the rest."""
    carried = {}
    for name, tensor in state.items():
        block, _, rest = name.partition(".")
        conv, _, kind = rest.partition(".")
        if block[0] == "B" and conv in ("c1", "c2", "c3"):
            carried[f"{block}.{conv}_d.{kind}"] = tensor[:distilled]
            carried[f"{block}.{conv}_r.{kind}"] = tensor[distilled:]
        else:
            carried[name] = tensor
    return carried


def test_imdb_r_is_imdb() -> None:
    torch.manual_seed(1)
    imdn = RFDN(network_config("imdn", 2)).eval().double()
    imdn_r = RFDN(network_config("imdn-r", 2)).eval().double()
    imdn_r.load_state_dict(_split_convolutions(imdn.state_dict(), 16))
    image = torch.rand(2, 3, 13, 17, dtype=torch.float64)
    with torch.inference_mode():
        torch.testing.assert_close(imdn_r(image), imdn(image), rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", ["rfdn", "rfdn-srb"])
def test_the_residual_is_there_only_where_it_belongs(name: str) -> None:
    """With all 3x3 kernels of the block zero, an SRB passes its input on and a plain one nothing."""
    plain = {"rfdn": "rfdn-fdc", "rfdn-srb": "rfdn-base"}[name]
    torch.manual_seed(2)
    state = RFDN(network_config(name, 2)).state_dict()
    for tensor in state:
        if "_r." in tensor:
            state[tensor].zero_()
    outputs = []
    for kind in (name, plain):
        block = RFDN(network_config(kind, 2))
        block.load_state_dict(state)
        with torch.inference_mode():
            outputs.append(block.get_submodule("B1")(torch.zeros(1, 48, 8, 8).fill_(3.0)))
    assert (outputs[0] - outputs[1]).abs().max() > 0.01


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("size", [(1, 1), (2, 17), (15, 14)])
def test_small_images_come_out_whole(name: str, size: tuple[int, int]) -> None:
    network = RFDN(network_config(name, 3)).eval()
    with torch.inference_mode():
        output = network(torch.rand(1, 3, *size))
    assert output.shape == (1, 3, 3 * size[0], 3 * size[1])
    assert torch.isfinite(output).all()


@pytest.mark.parametrize("name", NETWORKS)
def test_a_file_describes_itself(name: str, tmp_path: Path) -> None:
    config = network_config(name, 4)
    path = tmp_path / "weights.safetensors"
    save_file(RFDN(config).state_dict(), path, metadata={"network": name, "pixel_range": "1.0"})
    weights = load_weights(path)
    assert (weights.network, weights.config) == (name, config)
    assert weights.config.is_local == (name == "e-rfdn")
    assert weights.build()(torch.rand(1, 3, 16, 16)).shape == (1, 3, 64, 64)


@pytest.mark.parametrize("ratio", [0.25, 0.5, 0.75])
def test_the_distillation_ratio_is_read_from_the_tensors(ratio: float, tmp_path: Path) -> None:
    config = network_config("rfdn", 2, ratio)
    assert config.distilled == 48 * ratio
    save_file(RFDN(config).state_dict(), tmp_path / "r.safetensors", metadata={"pixel_range": "1.0"})
    assert load_weights(tmp_path / "r.safetensors").config == config


def test_blocks_named_as_by_imdns_authors_load(tmp_path: Path) -> None:
    state = RFDN(network_config("imdn", 4)).state_dict()
    renamed = {f"IMDB{name[1:]}" if name[0] == "B" else name: tensor for name, tensor in state.items()}
    torch.save(renamed, tmp_path / "imdn.pth")
    assert load_weights(tmp_path / "imdn.pth").network == "imdn"


def test_a_file_with_a_tensor_that_is_a_number_is_refused(tmp_path: Path) -> None:
    state = RFDN(network_config("e-rfdn", 2)).state_dict()
    state["B1.c4.weight"] = torch.tensor(1.0)
    save_file(state, tmp_path / "odd.safetensors")
    with pytest.raises(ModelError, match=r"B1\.c4\.weight is a single number"):
        load_weights(tmp_path / "odd.safetensors")


def test_cca_has_a_finite_gradient_on_a_black_patch() -> None:
    network = RFDN(network_config("rfdn", 2))
    network(torch.zeros(1, 3, 8, 8)).abs().mean().backward()
    assert all(torch.isfinite(p.grad).all() for p in network.parameters() if p.grad is not None)


def test_what_is_not_known_is_refused() -> None:
    with pytest.raises(ModelError, match="rfdn-xl"):
        network_config("rfdn-xl", 2)
    with pytest.raises(ModelError, match="scale 5"):
        network_config("rfdn", 5)
    with pytest.raises(ModelError, match="distil"):
        network_config("rfdn-base", 2, 0.5)


@pytest.mark.parametrize("ratio", [float("nan"), float("inf"), 0.0, 1.0, 0.05, 0.999])
def test_a_ratio_that_leaves_nothing_to_distil_or_to_weigh_is_refused(ratio: float) -> None:
    with pytest.raises(ModelError, match=f"ratio {ratio:g}"):
        network_config("rfdn", 2, ratio)
    RFDN(network_config("rfdn", 2, 4 / 48))(torch.rand(1, 3, 8, 8))  # the least that CCA can weigh


def run_models(*arguments: str) -> int:
    parser = ArgumentParser()
    models_command.add_arguments(parser)
    return models_command.execute(parser.parse_args(arguments))


def test_models_command_lists_networks_and_weights(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_models("--json", "--size", "256x256") == 0
    listed = json.loads(capsys.readouterr().out)
    row = next(n for n in listed["networks"] if (n["name"], n["scale"]) == ("e-rfdn", 4))
    assert row == {
        "name": "e-rfdn",
        "scale": 4,
        "parameters": 433_448,
        "multiply_adds": 27_033_648_384,
        "activations": 112_034_240,
    }
    assert {w["sha256"] for w in listed["weights"]} == {b.sha256 for b in BUNDLED}
    assert run_models() == 0
    table = capsys.readouterr().out
    assert "433,448" in table
    assert "27.03 G" in table
    assert "112.03 M" in table


@pytest.mark.parametrize("size", ["256", "0x5", "axb", "-1x4", "99999x2"])
def test_models_command_refuses_a_wrong_size(size: str) -> None:
    with pytest.raises(UsageError, match="size"):
        run_models(f"--size={size}")
