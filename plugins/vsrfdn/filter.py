"""A thin, strict adapter: VapourSynth clips to the public ``Upscaler`` and back."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import lru_cache
from numbers import Integral, Number
from pathlib import Path
from threading import BoundedSemaphore
from types import UnionType
from typing import Any, Literal

import numpy as np
import torch
import vapoursynth as vs  # type: ignore[import-untyped]
from torch import Tensor

from rfdn_video import PixelFormat, RFDNError, Upscaler, Weights, suit_vectors
from vsrfdn.frames import is_interlaced, pixel_format, read_color, read_frame, write_frame

__all__ = ["rfdn"]

type Modifier = Callable[[int, list[vs.VideoFrame]], vs.VideoFrame]

ENDLESS = (2**31 - 1) // 16
"""Frames that mpv says its clip has, or more. It has none to give before the script has run."""


def rfdn(
    clip: vs.VideoNode,
    scale: float | Fraction = 2,
    *,
    model: str = "e-rfdn",
    tune: str = "video",
    weights: Weights | str | Path | None = None,
    device: str = "auto",
    device_index: int | None = None,
    num_streams: int | None = None,
    precision: str = "auto",
    tile: Literal["auto", "off"] | int = "auto",
    engine: str = "auto",
    reuse: Literal["exact", "near", "off"] = "exact",
) -> vs.VideoNode:
    """Enlarges a clip.

    Args:
        clip: RGBS or RGBH on the 0..1 scale, or YUV, gray or RGB of 8 to 16 bit; of constant format
            and size, progressive. Integer samples mean what ``_Matrix``, ``_Range`` and
            ``_ChromaLocation`` say; what is not set follows :func:`rfdn_video.decide_color`.
        scale: factor, above 1 and at most 8; a fraction is reached by the next larger network and
            resampling.
        model: name of the network whose bundled weights are used.
        tune: which of them, ``"video"`` for compressed, ``"light"`` for hardly compressed or ``"clean"`` for pristine
            sources.
        weights: a file, or what :func:`rfdn_video.load_weights` gave, instead of the bundled ones.
        device: ``"auto"``, ``"cpu"``, ``"cuda"``, ``"cuda:N"``, ``"mps"`` or ``"xpu"``.
        device_index: which device of its kind, from 0; with ``device="auto"`` of CUDA's.
        num_streams: frames enlarged at the same time, by one network; more than
            ``core.num_threads`` never are. None is as many as the engine is made for on a CPU, and else
            2, so that copies and work overlap.
        precision: of the network; ``"auto"`` is fp16 on CUDA, else fp32.
        tile: rows of the bands in which a frame is done, ``"off"`` for whole frames, or ``"auto"``.
        engine: what computes the network: ``"torch"``, ``"winograd"``, ``"openvino"``, ``"openvino:GPU"``, or
            ``"auto"``.
        reuse: of integer samples, what did not change since the frame that was enlarged before is taken
            from there: ``"exact"`` where that gives the same bits, ``"near"`` also where only something
            far away changed, ``"off"`` nowhere.

    Returns:
        A clip of the same format, length, frame durations and frame properties, larger. Integer
        samples are the code values of the command line, with the decided ``_Matrix``, ``_Range``
        and ``_ChromaLocation`` set; floating point is not clamped.

    Raises:
        vapoursynth.Error: a clip or a value that is not allowed, weights that cannot be used, a
            device that is absent; from a frame, one that is interlaced or of an unknown matrix, or
            a device that ran out of memory.
    """
    layout = _check_clip(clip)
    _check_kind("a number", Number | str, scale=scale)
    _check_kind("a name", str, model=model, tune=tune, device=device, precision=precision, engine=engine, reuse=reuse)
    _check_kind("a file, or what load_weights gave,", Weights | str | Path | None, weights=weights)
    _check_kind("a whole number", Integral | None, device_index=device_index, num_streams=num_streams)
    _check_kind("auto, off, or a number of rows", int | str, tile=tile)
    if num_streams is not None and num_streams < 1:
        raise vs.Error(f"rfdn: num_streams {num_streams}: 1 or more are allowed")
    if device_index is not None:
        device = f"{'cuda' if device == 'auto' else device}:{device_index}"
    suit_vectors([precision])
    try:
        upscaler = _open(
            scale=scale,
            model=model,
            tune=tune,
            weights=weights,
            device=device,
            precision=precision,
            tile=tile,
            engine=engine,
            reuse=reuse,
            size=(clip.width, clip.height),
            many=True,
        )
        width, height = upscaler.output_size(clip.width, clip.height, layout)
    except RFDNError as error:
        raise vs.Error(f"rfdn: {error}") from None
    target = clip.std.BlankClip(width=width, height=height, keep=True).std.CopyFrameProps(clip)
    enlarge = _modifier(upscaler, layout, num_streams or (upscaler.at_once if upscaler.device.type == "cpu" else 2))
    # ModifyFrame alone runs one callback at a time; one of its own for each frame runs in parallel.
    return target.std.FrameEval(
        lambda n: target.std.ModifyFrame([clip, target], enlarge),  # noqa: ARG005 (VapourSynth passes n by name)
        clip_src=[clip, target],
    )


def _check_kind(allowed: str, kind: type | UnionType, **values: object) -> None:
    for name, value in values.items():
        if not isinstance(value, kind):
            raise vs.Error(f"rfdn: {name} {value!r}: {allowed} is allowed")


def _check_clip(clip: object) -> PixelFormat | None:
    """The layout of a clip of integers; None for RGBS and RGBH."""
    if not isinstance(clip, vs.VideoNode):
        raise vs.Error(f"rfdn: {type(clip).__name__} is not a video clip; give a vs.VideoNode")
    if clip.gpu_resident:
        raise vs.Error("rfdn: the clip's frames lie on the GPU; give core.std.GPUDownload(clip)")
    if clip.format.id == vs.NONE or not clip.width or not clip.height:
        raise vs.Error("rfdn: the clip changes its format or size; give a clip of constant format and size")
    layout = pixel_format(clip.format)
    if layout is None and clip.format.id not in (vs.RGBS, vs.RGBH):
        raise vs.Error(
            f"rfdn: {clip.format.name}: RGBS, RGBH, and YUV, gray and RGB of 8 to 16 bit are allowed"
            f"{_advice(clip.format)}"
        )
    if clip.num_frames < ENDLESS:
        _check_frame(0, clip.get_frame(0), layout)
    return layout


def _advice(samples: vs.VideoFormat) -> str:
    if samples.sample_type == vs.INTEGER:  # of 32 bit, which the resizer does not take either
        return ""
    nearest = str(samples.replace(sample_type=vs.INTEGER, bits_per_sample=16).name).replace("Gray", "GRAY")
    return f"; first clip = core.resize.Bicubic(clip, format=vs.{nearest})"


def _check_frame(n: int, frame: vs.VideoFrame, layout: PixelFormat | None) -> None:
    if is_interlaced(frame):
        raise vs.Error(
            f"rfdn: frame {n} is interlaced, enlarging would tear it; deinterlace first, or where it is progressive: "
            "clip = core.std.SetFieldBased(clip, 0)"
        )
    try:
        if layout is not None:
            read_color(frame, layout)
    except RFDNError as error:
        raise vs.Error(f"rfdn: frame {n}: {error}") from None


def _open(*, weights: Weights | str | Path | None, **options: Any) -> Upscaler:
    """Players and previewers run a script again at every seek: the same network serves them all."""
    if isinstance(weights, Weights):
        return Upscaler(weights=weights, **options)
    changed = Path(weights).stat().st_mtime_ns if weights is not None and Path(weights).is_file() else None
    return _open_file(weights=weights, changed=changed, **options)


@lru_cache(maxsize=4)
def _open_file(*, weights: str | Path | None, changed: int | None, **options: Any) -> Upscaler:  # noqa: ARG001
    return Upscaler(weights=weights, **options)


def _modifier(upscaler: Upscaler, layout: PixelFormat | None, num_streams: int) -> Modifier:
    """What ModifyFrame calls with a source frame and a blank one that has its properties."""
    streams = BoundedSemaphore(num_streams)

    def enlarge(n: int, f: list[vs.VideoFrame]) -> vs.VideoFrame:
        source, result = f[0], f[1].copy()
        _check_frame(n, source, layout)
        try:
            with streams:
                if layout is None:
                    _write_rgb(upscaler(_read_rgb(source)), result)
                else:
                    write_frame(upscaler.enlarge(read_frame(n, source, layout)), result)
        except RFDNError as error:
            raise vs.Error(f"rfdn: frame {n}: {error}") from None
        return result

    return enlarge


def _read_rgb(frame: vs.VideoFrame) -> Tensor:
    """[3, H, W], float32 or float16; a copy, since the planes of a source frame are read-only."""
    return torch.from_numpy(np.stack([np.asarray(frame[plane]) for plane in range(3)]))


def _write_rgb(image: Tensor, frame: vs.VideoFrame) -> None:
    for plane, values in enumerate(image.numpy()):
        np.copyto(np.asarray(frame[plane]), values)
