"""Files of a training: checkpoints to go on from, and weights to use. Written whole or not at all."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save
from torch import nn

from rfdn_video.errors import InputError, OutputError

__all__ = ["load_checkpoint", "save_checkpoint", "save_weights", "write_json", "write_text"]


def save_checkpoint(path: Path, content: Mapping[str, Any]) -> None:
    """Writes tensors, numbers and texts.

    Raises:
        OutputError: it cannot be written.
    """
    _write(path, lambda unfinished: torch.save(dict(content), unfinished))


def load_checkpoint(path: Path) -> dict[str, Any]:
    """Reads a checkpoint; nothing in it is executed.

    Raises:
        InputError: it is missing or damaged.
    """
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # whatever a damaged archive or pickle makes torch trip over
        reason = (str(error).splitlines() or [""])[0]
        raise InputError(f"{path}: no checkpoint to go on from: {reason}") from None
    if not isinstance(content, dict) or not {"step", "best", "recipe", "learner"} <= content.keys():
        raise InputError(f"{path}: not a checkpoint of a training")
    return content


def save_weights(path: Path, network: nn.Module, metadata: Mapping[str, str]) -> None:
    """Writes a network's tensors as safetensors, float32.

    Raises:
        OutputError: it cannot be written.
    """
    tensors = {name: tensor.detach().float().cpu().contiguous() for name, tensor in network.state_dict().items()}
    _write(path, lambda unfinished: unfinished.write_bytes(save(tensors, dict(metadata))))


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Writes plain data for people and programs to read; raises as :func:`save_weights`."""
    write_text(path, json.dumps(content, indent=2) + "\n")


def write_text(path: Path, text: str) -> None:
    """Writes UTF-8; raises as :func:`save_weights`."""
    _write(path, lambda unfinished: unfinished.write_text(text, encoding="utf-8"))


def _write(path: Path, write: Callable[[Path], object]) -> None:
    unfinished = path.with_name(f".{path.name}.unfinished")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write(unfinished)
        with unfinished.open("rb") as file:
            os.fsync(file.fileno())
        unfinished.replace(path)
    except (OSError, RuntimeError) as error:
        unfinished.unlink(missing_ok=True)
        raise OutputError(f"{path}: cannot be written: {error}") from None
