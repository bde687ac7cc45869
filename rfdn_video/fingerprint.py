"""What must be the same for two runs to give the same pictures: finished segments are kept under it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from rfdn_video.errors import InputError
from rfdn_video.media.keeping.content import content_digest
from rfdn_video.plan import FilePlan
from rfdn_video.settings import Settings

if TYPE_CHECKING:
    import torch

    from rfdn_video.inference.upscaler import Upscaler

__all__ = ["INPUT", "conditions", "differences", "fingerprint"]

INPUT = "input"

# What these settings come to is told by the plan and the upscaler.
_DECIDED = frozenset(
    (
        *("scale", "width", "height", "pix_fmt", "container", "segment_frames", "audio_from"),
        *("encoder", "encoder_backend", "encoder_preset", "encoder_options", "crf"),
        *("model", "tune", "weights", "device", "precision", "engine", "tile"),
    )
)
# No finished segment depends on these: it holds pictures alone.
_NEUTRAL = frozenset(("audio", "verify", "salvage", "strict", "overwrite", "resume"))


def fingerprint(
    files: FilePlan, upscaler: Upscaler, settings: Settings, tiling: str, segment_frames: int
) -> Mapping[str, str]:
    """Names in a user's words, and values; reads the source.

    Raises:
        InputError: the source cannot be read, or not any more.
    """
    sides = files.info.sides if files.info.sides != files.info.path else None
    return {
        INPUT: _content(files.info.path),
        "audio_from": "none" if sides is None else _content(sides),
        **conditions(files, upscaler, settings, tiling, segment_frames),
    }


def conditions(
    files: FilePlan, upscaler: Upscaler, settings: Settings, tiling: str, segment_frames: int
) -> Mapping[str, str]:
    """The same without what is in the source: all that it is done with."""
    target, weights = files.target, upscaler.weights
    others = {field.name for field in fields(Settings)} - _DECIDED - _NEUTRAL
    return {
        **{field.name: str(getattr(files.layout, field.name)) for field in fields(files.layout)},
        "pix_fmt": target.pix_fmt,
        "container": target.container.name,
        "encoder": target.encoder,
        **{f"encoder's {name}": value for name, value in target.options.items()},
        "FFmpeg": target.build.version,
        "network": f"{weights.network} x{weights.scale}",
        "weights": weights.sha256,
        "device": _device(upscaler.device),
        "precision": str(upscaler.precision).removeprefix("torch."),
        "engine": _engine(upscaler.engine),
        "tile": tiling,
        "segment_frames": str(segment_frames),
        **{name: version(name) for name in ("rfdn-video", "torch")},
        **{name: str(getattr(settings, name)) for name in sorted(others)},
    }


def _content(path: Path) -> str:
    try:
        return content_digest(path)
    except OSError as error:
        raise InputError(f"{path}: cannot be read any more: {error.strerror}; it must stay where it is") from None


def _engine(name: str) -> str:
    return f"{name} {version('openvino')}" if name.startswith("openvino") else name


def _device(device: torch.device) -> str:
    import torch

    return f"cuda, {torch.cuda.get_device_name(device)}" if device.type == "cuda" else str(device)


def differences(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """What is not the same, in words."""
    names = [name for name in {**before, **now} if before.get(name) != now.get(name)]
    return [f"{name} (was {before.get(name, 'not known')}, is {now.get(name, 'not known')})" for name in names]
