"""The main job for still images: read -> network -> write, checked as a video is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from rfdn_video.errors import UsageError, VerificationError
from rfdn_video.inference.resample import resample, resize_taps
from rfdn_video.inference.scaling import target_size
from rfdn_video.inference.upscaler import Upscaler
from rfdn_video.media.keeping.publish import Draft, check_output
from rfdn_video.media.still import Still, check_holds, read_still, write_still
from rfdn_video.models.catalog import load_bundled
from rfdn_video.plan import is_directory, output_path
from rfdn_video.settings import Settings

__all__ = ["StillPlan", "plan_still", "upscale_still"]

# What would change the result of a video, and cannot that of a picture; others make no difference, or hold anyway.
_OF_VIDEOS = (
    *("encoder", "encoder_backend", "encoder_preset", "encoder_options", "crf", "pix_fmt", "container", "dither"),
    *("audio", "audio_from", "deinterlace", "video_stream", "start", "end", "frames", "segment_frames"),
    *("salvage", "hwaccel"),
)


@dataclass(frozen=True)
class StillPlan:
    """What is read and what is written; sizes are (width, height)."""

    still: Still
    output: Path
    size: tuple[int, int]
    target: tuple[int, int]
    tune: str


def plan_still(source: Path, output: str | None, settings: Settings) -> StillPlan:
    """Reads the picture and decides where the result goes.

    Raises:
        InputError, OutputError, UsageError: with what to do.
    """
    _check_settings(source, settings)
    still = read_still(source)
    if output is None or is_directory(output):
        path = output_path(source, output, source.suffix.lstrip("."), settings)
    else:
        path = Path(output)
    height, width = still.rgb.shape[:2]
    target = target_size((width, height), scale=settings.scale, width=settings.width, height=settings.height)
    check_holds(path, still, target)
    check_output(path, source, overwrite=settings.overwrite)
    tune = settings.tune if settings.tune != "auto" else "clean"
    return StillPlan(still, path, (width, height), target, tune)


def _check_settings(source: Path, settings: Settings) -> None:
    """Refuses what would be passed over in silence."""
    usual = Settings()
    for name in _OF_VIDEOS:
        if getattr(settings, name) != getattr(usual, name):
            option = name.replace("_", "-").removesuffix("ions")
            raise UsageError(
                f"{source}: --{option} is for videos, and this is a picture; leave it away, and so any preset that "
                "sets it; the suffix of the output decides in what format a picture is written"
            )


def upscale_still(plan: StillPlan, settings: Settings) -> None:
    """Enlarges one picture; the file appears under its name when it has been read back and found right.

    Raises:
        RFDNError: nothing is left behind.
    """
    still = plan.still
    wanted_scale = plan.target[0] / plan.size[0]
    upscaler = Upscaler(
        scale=settings.scale,
        width=settings.width,
        height=settings.height,
        weights=settings.weights or load_bundled(settings.model, plan.tune, wanted_scale),
        device=settings.device,
        precision=settings.precision,
        engine=settings.engine,
        tile=settings.tile,
        size=plan.size,
    )
    image = torch.from_numpy(still.rgb.copy()).permute(2, 0, 1).float() / 255
    rgb = _to_uint8(upscaler(image).permute(1, 2, 0))
    larger = replace(still, rgb=rgb, alpha=None if still.alpha is None else _enlarge_alpha(still.alpha, plan.target))
    with Draft(plan.output, overwrite=settings.overwrite) as draft:
        write_still(draft.path, larger)
        height, width = read_still(draft.path).rgb.shape[:2]
        if (width, height) != plan.target:
            raise VerificationError(f"the finished image is {width}x{height} instead of {plan.target}")
        draft.publish()


def _enlarge_alpha(alpha: NDArray[np.uint8], target: tuple[int, int]) -> NDArray[np.uint8]:
    """Transparency is a mask, not a picture: plain bicubic."""
    height, width = alpha.shape
    plane = torch.from_numpy(alpha.copy()).float() / 255
    return _to_uint8(resample(plane, resize_taps(height, target[1]), resize_taps(width, target[0])))


def _to_uint8(values: torch.Tensor) -> NDArray[np.uint8]:
    result: NDArray[np.uint8] = (values * 255).round().clamp(0, 255).to(torch.uint8).cpu().numpy()
    return result
