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
        sha256="add6f861a0c3340ce7ed36a175271a671f98789f54c4591eed77f738b59f4b24",
        psnr_y=(("Set5", 37.49), ("BSD100", 31.92)),
    ),
    BundledWeights(
        network="e-rfdn",
        tune="light",
        scale=2,
        sha256="3b6720286a57926a42566f17f099f51ee8fa1c2a66927d3820e60dc8956823a7",
        psnr_y=(("Set5", 37.19), ("BSD100", 31.75)),
    ),
    BundledWeights(
        network="e-rfdn",
        tune="video",
        scale=2,
        sha256="f29927ede1406e309b6d4bd48e1fbc0aedcba733e7971f4c5eec3a3636aac6dd",
        psnr_y=(("Set5", 35.58), ("BSD100", 31.29)),
    ),
    BundledWeights(
        network="e-rfdn",
        tune="clean",
        scale=4,
        sha256="befcb60e7f8308a74279741fffd294d72d902b0594581e361abc9def5f5df3d2",
        psnr_y=(("Set5", 31.39), ("BSD100", 27.27)),
    ),
    BundledWeights(
        network="e-rfdn",
        tune="light",
        scale=4,
        sha256="afebcd8236ddaee4e9eee8139b9ac47700de70e4c940cdf9961bc3165a87ca84",
        psnr_y=(("Set5", 31.25), ("BSD100", 27.20)),
    ),
    BundledWeights(
        network="e-rfdn",
        tune="video",
        scale=4,
        sha256="091a0802788de8c1c5bf1668e3adcbd188530045d256204f3135fc881be5df88",
        psnr_y=(("Set5", 30.83), ("BSD100", 27.04)),
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
        raise ModelError(f"no weights of {network} for {tune!r} are bundled; give a file with --weights")
    best = next((b for b in candidates if b.scale >= wanted_scale), candidates[-1])
    return load_weights(best.path, sha256=best.sha256)
