"""A weights file describes itself, and cannot run anything."""

from __future__ import annotations

import os
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch
from safetensors.torch import load_file, save_file

from rfdn_video import load_weights
from rfdn_video.errors import ModelError
from rfdn_video.limits import MAX_WEIGHTS_BYTES
from rfdn_video.models.catalog import BUNDLED, load_bundled

CLEAN = next(b for b in BUNDLED if b.tune == "clean").path


def test_bundled_weights_say_what_they_are() -> None:
    for bundled in BUNDLED:
        weights = load_weights(bundled.path, sha256=bundled.sha256)
        assert (weights.network, weights.scale, weights.tune) == (bundled.network, bundled.scale, bundled.tune)
        assert weights.pixel_range == 1.0


def test_authors_checkpoint_loads_as_it_is(shared: Path) -> None:
    """No metadata: its pixel range is measured."""
    weights = load_weights(shared / "weights" / "RFDN_AIM.pth")
    assert (weights.network, weights.scale, weights.pixel_range) == ("e-rfdn", 4, 255.0)
    assert sum(tensor.numel() for tensor in weights.state.values()) == 433_448


def test_pixel_range_is_measured_where_the_file_is_silent(tmp_path: Path) -> None:
    path = tmp_path / "silent.safetensors"
    save_file(load_file(CLEAN), path)
    assert load_weights(path).pixel_range == 1.0


def test_metadata_that_are_null_and_a_suffix_in_capitals(tmp_path: Path) -> None:
    content = safetensors.torch.save(load_file(CLEAN))
    length = int.from_bytes(content[:8], "little")
    header = b'{"__metadata__":null,' + content[9 : 8 + length]
    path = tmp_path / "NULL.SAFETENSORS"
    path.write_bytes(len(header).to_bytes(8, "little") + header + content[8 + length :])
    assert load_weights(path).pixel_range == 1.0


def test_a_network_that_was_built_is_apart_from_the_weights() -> None:
    weights = load_weights(CLEAN)
    before = {name: tensor.clone() for name, tensor in weights.state.items()}
    with torch.no_grad():
        for parameter in weights.build().parameters():
            parameter.zero_()
    assert all(torch.equal(weights.state[name], tensor) for name, tensor in before.items())


def test_wrapped_state_dicts(tmp_path: Path) -> None:
    state = load_file(CLEAN)
    for name, content in {
        "plain": state,
        "basicsr": {"params": state, "params_ema": state},
        "lightning": {"state_dict": state, "epoch": 3},
        "parallel": {f"module.{key}": tensor for key, tensor in state.items()},
    }.items():
        path = tmp_path / f"{name}.pth"
        torch.save(content, path)
        assert load_weights(path).scale == 2


class _Malicious:
    def __init__(self, proof: Path) -> None:
        self._proof = proof

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self._proof,)


@pytest.mark.fault(65)
def test_nothing_in_a_file_is_executed(tmp_path: Path) -> None:
    proof = tmp_path / "executed"
    for name, save in {"raw": lambda o, p: p.write_bytes(pickle.dumps(o)), "torch": torch.save}.items():
        path = tmp_path / f"{name}.pth"
        save({"fea_conv.weight": _Malicious(proof)}, path)
        with pytest.raises(ModelError, match="not a weights file of tensors only"):
            load_weights(path)
        assert not proof.exists()
    script = tmp_path / "script.pt"
    torch.jit.script(torch.nn.Conv2d(1, 1, 1)).save(str(script))
    with pytest.raises(ModelError, match="TorchScript"):
        load_weights(script)


@pytest.mark.fault(66)
def test_what_is_wrong_is_said(tmp_path: Path) -> None:
    good = load_file(CLEAN)
    missing = {k: v for k, v in good.items() if k != "upsampler.0.weight"}
    misshapen = good | {"B2.c1_r.weight": torch.zeros(50, 49, 3, 3)}
    outputs = good | {"upsampler.0.weight": torch.zeros(13, 50, 3, 3)}
    nan = good | {"LR_conv.bias": torch.full((50,), np.nan)}
    other = {"conv.weight": torch.zeros(3)}
    for state, words in (
        (missing, "upsampler.0.weight"),
        (misshapen, "B2.c1_r.weight"),
        (outputs, "13 outputs"),
        (nan, "LR_conv.bias holds NaN"),
        (other, "conv.weight"),
    ):
        path = tmp_path / "weights.safetensors"
        save_file(state, path)
        with pytest.raises(ModelError, match=words):
            load_weights(path)


@pytest.mark.fault(67)
def test_damage_is_noticed(tmp_path: Path) -> None:
    bundled = BUNDLED[0]
    content = bytearray(bundled.path.read_bytes())
    content[100_000] ^= 1
    damaged, cut = tmp_path / "damaged.safetensors", tmp_path / "cut.safetensors"
    damaged.write_bytes(content)
    cut.write_bytes(content[:50_000])
    with pytest.raises(ModelError, match="damaged"):
        load_weights(damaged, sha256=bundled.sha256)
    with pytest.raises(ModelError, match="not a readable safetensors file"):
        load_weights(cut)


def test_catalogue_serves_the_next_larger_scale() -> None:
    assert load_bundled("e-rfdn", "video", 1.5).scale == 2
    assert load_bundled("e-rfdn", "video", 8).scale == max(b.scale for b in BUNDLED if b.tune == "video")
    with pytest.raises(ModelError, match="known"):
        load_bundled("nothing", "video", 2)
    with pytest.raises(ModelError, match="--weights"):
        load_bundled("e-rfdn", "anime", 2)
    with pytest.raises(ModelError, match="there are some for clean: --tune"):
        load_bundled("rfdn", "video", 2)


@pytest.mark.fault(65)
def test_few_bytes_that_unpack_to_many(tmp_path: Path) -> None:
    """A tensor that repeats one number, an archive of zeros, a file too large, one that never ends."""
    repeated, packed = tmp_path / "repeated.pth", tmp_path / "packed.pth"
    torch.save({"fea_conv.weight": torch.zeros(1).expand(1 << 20, 1 << 20)}, repeated)
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("archive/data/0", "w") as entry:
        for _ in range(1025):
            entry.write(bytes(1 << 20))
    large, endless = tmp_path / "large.safetensors", tmp_path / "endless.safetensors"
    large.touch()
    os.truncate(large, MAX_WEIGHTS_BYTES + 1)
    os.mkfifo(endless)
    for path, words in ((repeated, "unpacks to"), (packed, "unpacks to"), (large, "up to"), (endless, "regular file")):
        with pytest.raises(ModelError, match=words):
            load_weights(path)
