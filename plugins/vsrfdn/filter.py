"""A thin, strict adapter: VapourSynth frames to the public ``Upscaler`` and back."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from queue import SimpleQueue

import numpy as np
import torch
import vapoursynth as vs  # type: ignore[import-untyped]
from torch import Tensor

from rfdn_video import RFDNError, Upscaler, Weights

__all__ = ["rfdn"]

type Modifier = Callable[[int, list[vs.VideoFrame]], vs.VideoFrame]


def rfdn(
    clip: vs.VideoNode,
    scale: float | Fraction = 2,
    *,
    model: str = "e-rfdn",
    tune: str = "video",
    weights: Weights | str | Path | None = None,
    device: str = "auto",
    device_index: int | None = None,
    num_streams: int = 1,
    precision: str = "auto",
) -> vs.VideoNode:
    """Enlarges a clip.

    Args:
        clip: RGBS or RGBH on the 0..1 scale, of constant format and size.
        scale: factor, above 1 and at most 8; a fraction is reached by the next larger network and
            resampling.
        model: name of the network whose bundled weights are used.
        tune: which of them, ``"video"`` for compressed or ``"clean"`` for pristine sources.
        weights: a file, or what :func:`rfdn_video.load_weights` gave, instead of the bundled ones.
        device: ``"auto"``, ``"cpu"``, ``"cuda"``, ``"cuda:N"``, ``"mps"`` or ``"xpu"``.
        device_index: which device of its kind, from 0; with ``device="auto"`` of CUDA's.
        num_streams: frames enlarged at the same time. Each stream has its own copy of the network;
            more than ``core.num_threads`` are never busy.
        precision: of the network; ``"auto"`` is fp16 on CUDA, else fp32.

    Returns:
        A clip of the same format, length, frame durations and frame properties, larger. Its values
        are not clamped.

    Raises:
        vapoursynth.Error: a clip or a value that is not allowed, weights that cannot be used, a
            device that is absent; from a frame, a device that ran out of memory.
    """
    _check_clip(clip)
    if num_streams < 1:
        raise vs.Error(f"rfdn: num_streams {num_streams}: 1 or more are allowed")
    if device_index is not None:
        device = f"{'cuda' if device == 'auto' else device}:{device_index}"
    # One upscaler serves one thread at a time; the queue lends them out.
    idle: SimpleQueue[Upscaler] = SimpleQueue()
    try:
        for _ in range(num_streams):
            upscaler = Upscaler(
                scale=scale, model=model, tune=tune, weights=weights, device=device, precision=precision
            )
            idle.put(upscaler)
        width, height = upscaler.output_size(clip.width, clip.height)
    except RFDNError as error:
        raise vs.Error(f"rfdn: {error}") from None
    target = clip.std.BlankClip(width=width, height=height, keep=True).std.CopyFrameProps(clip)
    enlarge = _modifier(idle)
    # ModifyFrame alone runs one callback at a time; one of its own for each frame runs in parallel.
    return target.std.FrameEval(
        lambda n: target.std.ModifyFrame([clip, target], enlarge),  # noqa: ARG005 (VapourSynth passes n by name)
        clip_src=[clip, target],
    )


def _check_clip(clip: object) -> None:
    if not isinstance(clip, vs.VideoNode):
        raise vs.Error(f"rfdn: {type(clip).__name__} is not a video clip; give a vs.VideoNode")
    if clip.gpu_resident:
        raise vs.Error("rfdn: the clip's frames lie on the GPU; give core.std.GPUDownload(clip)")
    if clip.format.id == vs.NONE or not clip.width or not clip.height:
        raise vs.Error("rfdn: the clip changes its format or size; give a clip of constant format and size")
    if clip.format.id not in (vs.RGBS, vs.RGBH):
        raise vs.Error(f"rfdn: {clip.format.name}: RGBS and RGBH are allowed; first {_conversion(clip.format)}")


def _conversion(source: vs.VideoFormat) -> str:
    if source.color_family == vs.RGB:
        return "clip = core.resize.Bicubic(clip, format=vs.RGBS)"
    return 'clip = core.resize.Bicubic(clip, format=vs.RGBS, matrix_in_s="709") (SD: "170m")'


def _modifier(idle: SimpleQueue[Upscaler]) -> Modifier:
    """What ModifyFrame calls with a source frame and a blank one that has its properties."""

    def enlarge(n: int, f: list[vs.VideoFrame]) -> vs.VideoFrame:
        source, result = f[0], f[1].copy()
        upscaler = idle.get()
        try:
            _write_planes(upscaler(_read_planes(source)), result)
        except RFDNError as error:
            raise vs.Error(f"rfdn: frame {n}: {error}") from None
        finally:
            idle.put(upscaler)
        return result

    return enlarge


def _read_planes(frame: vs.VideoFrame) -> Tensor:
    """[3, H, W], float32 or float16; a copy, since the planes of a source frame are read-only."""
    return torch.from_numpy(np.stack([np.asarray(frame[plane]) for plane in range(3)]))


def _write_planes(image: Tensor, frame: vs.VideoFrame) -> None:
    for plane, values in enumerate(image.numpy()):
        np.copyto(np.asarray(frame[plane]), values)
