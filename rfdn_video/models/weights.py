"""From a weights file to a network: a file describes itself.

Network, scale, channels, blocks, distillation and attention are read from the tensors, the pixel
range from the metadata or, where there is none, by measurement. Nobody has to type them. Nothing in
a file is executed.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
import stat
import warnings
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import safetensors.torch
import torch
import torch.nn.functional as F
from safetensors import SafetensorError
from torch import Tensor, nn

from rfdn_video.errors import ModelError
from rfdn_video.limits import MAX_WEIGHTS_BYTES
from rfdn_video.models.networks import NETWORKS, network_name
from rfdn_video.models.rfdn import RFDN, BlockKind, RFDNConfig

__all__ = ["Weights", "load_weights"]

PIXEL_RANGES = (1.0, 255.0)
# Training frameworks wrap the tensors: {"params_ema": {...}} (BasicSR), {"state_dict": {...}} (Lightning).
WRAPPERS = ("params_ema", "params", "state_dict", "model")
_AUTHORS_IMDB = re.compile(r"^IMDB(?=\d+\.)")  # IMDN's authors name their blocks so
_BLOCK = re.compile(r"B\d+\.")


@dataclass(frozen=True)
class Weights:
    """The contents of a weights file, described.

    Attributes:
        network: catalogue name, such as ``"e-rfdn"``.
        config: the shape of the network.
        pixel_range: largest pixel value the network takes and gives, 1.0 or 255.0.
        tune: what it was trained for, ``"clean"``, ``"light"`` or ``"video"``; None where the file does not say.
        path: where it was read from.
        sha256: of the whole file, hexadecimal.
        state: tensors by name, float32, on the CPU.
    """

    network: str
    config: RFDNConfig
    pixel_range: float
    tune: str | None
    path: Path
    sha256: str
    state: Mapping[str, Tensor]

    @property
    def scale(self) -> int:
        """The factor the network enlarges by."""
        return self.config.scale

    def build(self) -> nn.Module:
        """A new network with these weights, in evaluation mode, float32, on the CPU."""
        return _build(self.config, {name: tensor.clone() for name, tensor in self.state.items()})


def load_weights(path: str | Path, *, sha256: str | None = None) -> Weights:
    """Reads and checks a ``.safetensors`` or ``.pth`` file.

    Args:
        path: the file. A ``.pth`` may hold tensors only; it is read with ``weights_only=True``.
        sha256: if given, the hash that the file must have.

    Raises:
        ModelError: the file is missing, damaged, holds anything but tensors, is of a network that
            is not known here, or has values that are not finite.
    """
    path = Path(path)
    digest = _sha256(path)
    if sha256 is not None and digest != sha256:
        raise ModelError(
            f"{path}: the file is damaged: its SHA-256 is {digest}, expected {sha256}; reinstall rfdn-video"
        )
    tensors, metadata = _read_safetensors(path) if path.suffix.lower() == ".safetensors" else _read_pth(path)
    tensors = {_AUTHORS_IMDB.sub("B", name): tensor for name, tensor in tensors.items()}
    config = _describe(tensors, metadata.get("network"), path)
    _check_values(tensors, path)
    try:
        network = _build(config, tensors)
    except RuntimeError as error:
        first = str(error).splitlines()[1:2] or [str(error)]
        name = f"{network_name(config)} x{config.scale}"
        raise ModelError(f"{path}: looks like {name} but does not fit it: {first[0].strip()}") from None
    return Weights(
        network=network_name(config),
        config=config,
        pixel_range=_pixel_range(metadata.get("pixel_range"), network, path),
        tune=metadata.get("tune"),
        path=path,
        sha256=digest,
        state=tensors,
    )


def _sha256(path: Path) -> str:
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise ModelError(f"{path}: is not a regular file; give a .safetensors or .pth file")
        if status.st_size > MAX_WEIGHTS_BYTES:
            raise ModelError(f"{path}: {status.st_size} bytes; weights files of up to {MAX_WEIGHTS_BYTES} are read")
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ModelError(f"{path}: cannot read the weights: {error.strerror}") from None


def _read_safetensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    try:
        content = path.read_bytes()  # safe_open takes names that are UTF-8 only
        tensors = safetensors.torch.load(content)
        header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
        return _as_floats(tensors, path), header.get("__metadata__") or {}
    except (SafetensorError, OSError, LookupError, TypeError, ValueError, RuntimeError) as error:
        raise ModelError(f"{path}: not a readable safetensors file: {error}") from None


def _read_pth(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    try:
        _check_archive(path)
        with warnings.catch_warnings(action="ignore"):  # of odd pickles; what cannot be read is said below
            content = torch.load(path, map_location="cpu", weights_only=True)
    except ModelError:
        raise
    except Exception:  # whatever a damaged archive or pickle makes torch trip over
        raise ModelError(
            f"{path}: not a weights file of tensors only (anything else is refused, it could run code); "
            "give a .safetensors or .pth file"
        ) from None
    for wrapper in WRAPPERS:
        if isinstance(content, dict) and isinstance(content.get(wrapper), dict):
            content = content[wrapper]
    if not isinstance(content, dict) or not content or not all(isinstance(t, Tensor) for t in content.values()):
        raise ModelError(f"{path}: holds no tensors by name; give the state_dict of a network")
    return _as_floats({str(name).removeprefix("module."): tensor for name, tensor in content.items()}, path), {}


def _check_archive(path: Path) -> None:
    if not zipfile.is_zipfile(path):
        return
    with zipfile.ZipFile(path) as archive:
        entries = archive.infolist()
    if any("/code/" in entry.filename for entry in entries):
        raise ModelError(f"{path}: a TorchScript archive holds code; give a .safetensors or .pth file of tensors")
    _check_bytes(sum(entry.file_size for entry in entries), path)  # packed, they may be few


def _as_floats(tensors: Mapping[str, Tensor], path: Path) -> dict[str, Tensor]:
    """In float32. A tensor may repeat a single number as often as it likes: the file can be far smaller."""
    _check_bytes(sum(4 * tensor.numel() for tensor in tensors.values()), path)
    return {name: tensor.detach().to_dense().float() for name, tensor in tensors.items()}


def _check_bytes(count: int, path: Path) -> None:
    if count > MAX_WEIGHTS_BYTES:
        raise ModelError(f"{path}: unpacks to {count} bytes; up to {MAX_WEIGHTS_BYTES} are taken")


def _describe(tensors: Mapping[str, Tensor], declared: str | None, path: Path) -> RFDNConfig:
    """Reads the network's shape off the tensors' names and shapes."""
    if scalar := next((name for name, tensor in tensors.items() if not tensor.ndim), None):
        raise ModelError(f"{path}: {scalar} is a single number; weights and biases are allowed")
    try:
        channels = tensors["fea_conv.weight"].shape[0]
        outputs = tensors["upsampler.0.weight"].shape[0]
        last = tensors["B1.c4.weight"].shape[0]
    except KeyError as error:
        raise ModelError(
            f"{path}: no tensor {error}; not an RFDN, E-RFDN or IMDN (it has {len(tensors)} tensors, "
            f"the first is {next(iter(tensors), 'none')!r})"
        ) from None
    scale = math.isqrt(outputs // 3)
    if scale not in (2, 3, 4) or outputs != 3 * scale * scale:
        raise ModelError(f"{path}: upsampler.0 has {outputs} outputs; 12, 27 and 48 (x2, x3, x4) are allowed")
    block = _block_kind(tensors, declared)
    return RFDNConfig(
        scale=scale,
        channels=channels,
        blocks=len({name.split(".")[0] for name in tensors if _BLOCK.match(name)}),
        distilled=0 if block in ("srb", "base") else last,
        block=block,
        attention="esa" if "B1.esa.conv1.weight" in tensors else "cca",
    )


def _block_kind(tensors: Mapping[str, Tensor], declared: str | None) -> BlockKind:
    """Only whether convolutions have a residual leaves no trace in the tensors; the metadata says it."""
    if "B1.c1.weight" in tensors:
        return "imdb"
    distilling = tensors.get("B1.c1_d.weight")
    if distilling is not None and distilling.shape[-1] == 3:
        return "imdb-r"
    residual = declared is None or declared not in NETWORKS or NETWORKS[declared].block not in ("fdc", "base")
    if distilling is None:
        return "srb" if residual else "base"
    return "rfdb" if residual else "fdc"


def _check_values(tensors: Mapping[str, Tensor], path: Path) -> None:
    for name, tensor in tensors.items():
        if not torch.isfinite(tensor).all():
            raise ModelError(f"{path}: {name} holds NaN or infinity; the training went wrong or the file is damaged")


def _build(config: RFDNConfig, state: Mapping[str, Tensor]) -> nn.Module:
    with torch.device("meta"):
        network = RFDN(config)
    network.load_state_dict(state, assign=True)
    return network.eval().requires_grad_(False)


def _pixel_range(declared: str | None, network: nn.Module, path: Path) -> float:
    if declared is None:
        return _measure_pixel_range(network)
    if declared not in ("1.0", "1", "255.0", "255"):
        raise ModelError(f"{path}: pixel_range is {declared!r}; 1.0 and 255.0 are allowed")
    return float(declared)


@torch.inference_mode()
def _measure_pixel_range(network: nn.Module) -> float:
    """Finds the range in which a smooth picture comes out as itself, enlarged.

    The biases of a trained network are of the size of its pixels: fed with the other range, a
    gradient comes out far off.
    """
    ramp = torch.linspace(0.2, 0.8, 32)
    image = torch.stack((ramp.expand(32, 32), ramp.flip(0).expand(32, 32), ramp[:, None].expand(32, 32)))[None]

    def error(pixel_range: float) -> float:
        output = network(image * pixel_range) / pixel_range
        expected = F.interpolate(image, size=output.shape[2:], mode="bilinear", align_corners=False)
        return float((output - expected).abs().mean())

    return min(PIXEL_RANGES, key=error)
