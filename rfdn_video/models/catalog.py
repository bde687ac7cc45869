"""Which networks there are by name, and which weights are bundled for them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from rfdn_video.errors import ModelError
from rfdn_video.hints import did_you_mean
from rfdn_video.models.networks import NETWORKS
from rfdn_video.models.weights import Weights, load_weights

__all__ = ["BUNDLED", "NETWORKS", "BundledWeights", "load_bundled"]

_FOLDER = Path(__file__).parent.parent / "weights"


@dataclass(frozen=True)
class BundledWeights:
    """A weights file that travels with the package.

    ``psnr_y`` holds what it reaches on test sets reduced by MATLAB's bicubic, in dB on Y, as
    ``rfdn-video eval`` measures it: (set, value) pairs.
    """

    network: str
    tune: str
    scale: int
    sha256: str
    psnr_y: tuple[tuple[str, float], ...]

    @property
    def path(self) -> Path:
        """Where the file lies."""
        return _FOLDER / f"{self.network}_x{self.scale}_{self.tune}.safetensors"


BUNDLED = (
    BundledWeights(
        network="e-rfdn",
        tune="clean",
        scale=2,
        sha256="e54b14e28a6180b22e4cd2023da545140f404b60d8a7eb5b20d4bcf6051fd148",
        psnr_y=(("Set5", 37.66), ("BSD100", 32.02)),
    ),
    BundledWeights(
        network="e-rfdn",
        tune="light",
        scale=2,
        sha256="34e1cf3bdcf9a76785466eb4b6f3e2f1978c65c908d21f6691dd0d6732b9c22a",
        psnr_y=(("Set5", 36.84), ("BSD100", 31.74)),
    ),
    BundledWeights(
        network="e-rfdn",
        tune="video",
        scale=2,
        sha256="86b744c431f36f3e899f4c50f585b46649921fb5253e059a503ac653b763f998",
        psnr_y=(("Set5", 36.61), ("BSD100", 31.59)),
    ),
    BundledWeights(
        network="e-rfdn",
        tune="clean",
        scale=3,
        sha256="b09d6259e5cb8ec01cb5b902031a857d8d1f841be2934284f9c6879a9e5c1480",
        psnr_y=(("Set5", 33.84), ("BSD100", 28.89)),
    ),
    BundledWeights(
        network="e-rfdn",
        tune="clean",
        scale=4,
        sha256="442990c82c22727f43b2d94dd9f31a49473b74edee5100db45c910809f00456d",
        psnr_y=(("Set5", 31.71), ("BSD100", 27.43)),
    ),
    BundledWeights(
        network="e-rfdn",
        tune="light",
        scale=4,
        sha256="59c4724c06558040e9b8280e6e2a026fd162e0c8602c5b76509add64ef62e49d",
        psnr_y=(("Set5", 31.16), ("BSD100", 27.15)),
    ),
    BundledWeights(
        network="e-rfdn",
        tune="video",
        scale=4,
        sha256="1efb3fffdc1baf76ceef430764a4fbecba407bf5730a198bad52f6cbbad38ebf",
        psnr_y=(("Set5", 30.96), ("BSD100", 27.14)),
    ),
    BundledWeights(
        network="rfdn",
        tune="clean",
        scale=2,
        sha256="d33573e64f07308a11dc7fc1035b33cb28acc3e9cdf4bf1bde84f805aeaf7aa2",
        psnr_y=(("Set5", 37.45), ("BSD100", 31.89)),
    ),
)


def load_bundled(network: str, tune: str, wanted_scale: float) -> Weights:
    """Loads the bundled weights whose scale serves ``wanted_scale`` best.

    That is the smallest scale that reaches it, else the largest there is (it is then run again on
    its own result).

    Raises:
        ModelError: no such network, or none bundled for it and ``tune``.
    """
    if network not in NETWORKS:
        raise ModelError(f"no network {network!r}; known: {', '.join(NETWORKS)}{did_you_mean(network, NETWORKS)}")
    candidates = sorted((b for b in BUNDLED if (b.network, b.tune) == (network, tune)), key=lambda b: b.scale)
    if not candidates:
        tunes = sorted({b.tune for b in BUNDLED if b.network == network})
        others = f" (there are some for {', '.join(tunes)}: --tune)" if tunes else ""
        raise ModelError(f"no weights of {network} for {tune!r} are bundled{others}; give a file with --weights")
    best = next((b for b in candidates if b.scale >= wanted_scale), candidates[-1])
    return load_weights(best.path, sha256=best.sha256)
