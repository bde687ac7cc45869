"""Exported networks: what ONNX Runtime and OpenVINO make of them is what torch computes."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from rfdn_video.cli import export
from rfdn_video.errors import OutputError, UsageError
from rfdn_video.models.networks import NETWORKS, network_config
from rfdn_video.models.rfdn import RFDN
from rfdn_video.models.weights import load_weights

onnxruntime = pytest.importorskip("onnxruntime")
openvino = pytest.importorskip("openvino")

BUNDLED = Path(export.__file__).parent.parent / "weights" / "e-rfdn_x2_clean.safetensors"
CODE_VALUE = 1e-3 / 255  # a thousandth of one


def _export(*arguments: object) -> int:
    parser = ArgumentParser()
    export.add_arguments(parser)
    return export.execute(parser.parse_args([str(argument) for argument in arguments]))


def _random_weights(name: str, path: Path) -> Path:
    """Of the range 0..255, which the exported network does not have."""
    torch.manual_seed(4)
    state = RFDN(network_config(name, 3)).state_dict()
    save_file(state, path, metadata={"network": name, "pixel_range": "255.0"})
    return path


def _expected(weights: Path, image: np.ndarray) -> np.ndarray:
    loaded = load_weights(weights)
    with torch.inference_mode():
        enlarged: torch.Tensor = loaded.build()(torch.from_numpy(image) * loaded.pixel_range) / loaded.pixel_range
    return enlarged.numpy()


def _onnxruntime(path: Path, image: np.ndarray) -> np.ndarray:
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    result: np.ndarray = session.run(None, {session.get_inputs()[0].name: image})[0]
    return result


def _openvino(path: Path, image: np.ndarray) -> np.ndarray:
    compiled = openvino.Core().compile_model(path, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    result: np.ndarray = compiled(image)[0]
    return result


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("fixed", [False, True])
def test_runtimes_agree_with_torch(name: str, fixed: bool, tmp_path: Path) -> None:
    weights, path = _random_weights(name, tmp_path / "w.safetensors"), tmp_path / "net.onnx"
    assert _export(path, "-w", weights, *(["--size", "37x22"] if fixed else [])) == 0
    image = np.random.default_rng(1).random((1 if fixed else 2, 3, 22, 37), np.float32)
    expected = _expected(weights, image)
    assert expected.std() > 100 * CODE_VALUE
    for run in (_onnxruntime, _openvino):
        np.testing.assert_allclose(run(path, image), expected, rtol=0, atol=CODE_VALUE)


@pytest.mark.parametrize("size", [(1, 1), (40, 9), (14, 33)])
def test_a_fixed_size_may_be_smaller_than_the_attention_needs(size: tuple[int, int], tmp_path: Path) -> None:
    path = tmp_path / "net.onnx"
    _export(path, "-w", BUNDLED, "--size", f"{size[0]}x{size[1]}")
    image = np.random.default_rng(2).random((1, 3, size[1], size[0]), np.float32)
    for run in (_onnxruntime, _openvino):
        np.testing.assert_allclose(run(path, image), _expected(BUNDLED, image), rtol=0, atol=CODE_VALUE)


def test_half_precision_is_near(tmp_path: Path) -> None:
    path = tmp_path / "net.onnx"
    _export(path, "--tune", "clean", "--precision", "fp16")
    image = np.random.default_rng(3).random((1, 3, 24, 32), np.float32)
    result = _onnxruntime(path, image.astype(np.float16))
    assert result.dtype == np.float16
    assert np.abs(result.astype(np.float32) - _expected(BUNDLED, image)).max() * 255 < 1


def test_what_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "net.onnx"
    path.write_bytes(b"mine")
    with pytest.raises(OutputError, match="-y"):
        _export(path)
    assert path.read_bytes() == b"mine"
    with pytest.raises(OutputError, match="cannot write"):
        _export(tmp_path / "no" / "net.onnx")
    with pytest.raises(UsageError, match="size"):
        _export(tmp_path / "other.onnx", "--size", "3")
    assert _export(path, "-y") == 0
