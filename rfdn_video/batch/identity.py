"""When two results are the same: the same content, done by the same settings and weights."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from rfdn_video.errors import InputError, ModelError
from rfdn_video.settings import Settings

__all__ = ["settings_digest", "sha256_of"]

# How and where it is computed, and how the file is handled, do not change what the result is meant to be.
_INDIFFERENT = {"cuda_graphs", "device", "engine", "hwaccel", "overwrite", "resume", "segment_frames", "tile"}
_INDIFFERENT |= {"verify", "weights"}
_PART = 1 << 20  # bytes
_BUNDLED = Path(__file__).parent.parent / "weights"


def sha256_of(path: Path, on_read: Callable[[], None] = lambda: None) -> str:
    """SHA-256 of a whole file, hexadecimal.

    Args:
        path: of the file.
        on_read: called before the file is opened, and whenever a part of it has been read.

    Raises:
        InputError: it cannot be read.
    """
    digest = hashlib.sha256()
    on_read()
    try:
        with path.open("rb") as file:
            while part := file.read(_PART):
                digest.update(part)
                on_read()
            return digest.hexdigest()
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None


def settings_digest(settings: Settings) -> str:
    """SHA-256 of all that decides a result but the source: settings, and the weights that may be used.

    Raises:
        ModelError: the weights file cannot be read.
    """
    values = {name: value for name, value in asdict(settings).items() if name not in _INDIFFERENT}
    try:
        values["weights"] = [sha256_of(path) for path in _weights(settings)]
    except InputError as error:
        raise ModelError(str(error)) from None
    return hashlib.sha256(json.dumps(values, default=str, sort_keys=True).encode()).hexdigest()


def _weights(settings: Settings) -> list[Path]:
    if settings.weights is not None:
        return [settings.weights]
    tune = "*" if settings.tune == "auto" else settings.tune
    return sorted(_BUNDLED.glob(f"{settings.model}_x*_{tune}.safetensors"))
