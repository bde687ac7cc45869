"""The options that several commands share, and what they come to."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from dataclasses import fields
from fractions import Fraction
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING

from rfdn_video.errors import UsageError
from rfdn_video.hints import did_you_mean

if TYPE_CHECKING:
    from rfdn_video.settings import Settings

__all__ = [
    "add_deinterlace_argument",
    "add_network_arguments",
    "add_progress_argument",
    "add_ray_argument",
    "add_settings_arguments",
    "add_size_arguments",
    "add_weights_arguments",
    "for_argparse",
    "parse_patience",
    "parse_scale",
    "parse_seconds",
    "parse_tile",
    "settings_of",
]

_DEINTERLACE = ("frame", "field")


def add_settings_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the options that :func:`settings_of` reads."""
    _add_result_arguments(parser.add_argument_group("result"))
    _add_encoder_arguments(parser.add_argument_group("encoder"))
    add_network_arguments(parser.add_argument_group("network"))
    _add_part_arguments(parser.add_argument_group("part of the video"))
    _add_trouble_arguments(parser.add_argument_group("interruptions and damage"))


def add_ray_argument(parser: argparse.ArgumentParser) -> None:
    """Declares whose machines do the work."""
    parser.add_argument_group("many machines").add_argument(
        "--ray",
        metavar="auto|local|ADDRESS",
        help="do it on a Ray cluster, in segments: the one this machine is part of, one of this machine, or that of a "
        "head node; needs rfdn-video[ray] and a folder that all machines share (docs/cluster.md)",
    )


def add_size_arguments(group: argparse._ArgumentGroup) -> None:
    """Declares how large the result shall be."""
    size = group.add_mutually_exclusive_group()
    size.add_argument(
        "-s", "--scale", type=parse_scale, metavar="S", help="factor, above 1 and up to 8: 2, 3, 1.5 ... (default 2)"
    )
    size.add_argument("--height", type=int, metavar="H", help="target height in pixels")
    size.add_argument("--width", type=int, metavar="W", help="target width in pixels")


def _add_result_arguments(group: argparse._ArgumentGroup) -> None:
    add_size_arguments(group)
    group.add_argument("--overwrite", action="store_true", default=None, help="replace existing outputs")
    group.add_argument(
        "--container",
        metavar="C",
        help="mp4, mov, mkv, webm; nut or y4m (default: by the output's name, else the source's, else mkv)",
    )
    group.add_argument(
        "--dither",
        choices=("none", "ordered"),
        help="rounding to code values: ordered hides banding in slow gradients (default: none)",
    )
    group.add_argument(
        "--audio", metavar="copy|none|E", help="copy the sound (default), drop it, or encode it: aac, libopus, flac ..."
    )
    group.add_argument(
        "--audio-from", type=Path, metavar="FILE", help="sound, subtitles and chapters for a script, which has none"
    )
    group.add_argument(
        "--verify",
        choices=("packets", "full"),
        help="check of the finished file: read every packet (default), or decode all of it too",
    )
    group.add_argument(
        "--preset",
        metavar="P",
        help="settings by name (see: rfdn-video presets) or from a .toml file; options win",
    )


def _add_encoder_arguments(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--encoder",
        metavar="E",
        help="h264, hevc, av1, vp9, ffv1, prores, hevc_nvenc ... or any name of FFmpeg's (default: by container)",
    )
    group.add_argument(
        "--crf",
        type=int,
        metavar="N",
        help="constant quality on the encoder's own scale (default: 18 for x264, 20 for x265, 24 for AV1 and VP9)",
    )
    group.add_argument(
        "--encoder-backend", choices=("av", "ffmpeg"), help="ffmpeg: the encoders of the ffmpeg program on the PATH"
    )
    group.add_argument("--encoder-preset", metavar="P", help="speed, as the encoder calls it: slow, p6, 4 ...")
    group.add_argument(
        "--encoder-opt",
        dest="encoder_options",
        action="append",
        metavar="K=V",
        help="an option of the encoder, such as tune=film; again for more",
    )
    group.add_argument(
        "--pix-fmt",
        metavar="F",
        help="such as yuv420p10le (default: the source's, but 4:2:0 for RGB in MP4, MOV and WebM)",
    )


def add_weights_arguments(group: argparse._ActionsContainer) -> None:
    """Declares which network runs, and where."""
    group.add_argument("-m", "--model", metavar="M", help="network (default e-rfdn)")
    group.add_argument(
        "--tune",
        choices=("auto", "video", "light", "clean"),
        help="bundled weights for compressed video, for what lost little (H.264 of CRF 23 and below), or for pristine "
        "pictures (default: by the source)",
    )
    group.add_argument(
        "-w", "--weights", type=Path, metavar="FILE", help=".safetensors or .pth instead of the bundled ones"
    )
    group.add_argument(
        "--device",
        metavar="D",
        help="auto, cpu, cuda, cuda:N, mps, xpu (default auto); cuda:0,1 deals the frames to several",
    )


def add_network_arguments(group: argparse._ArgumentGroup) -> None:
    """Declares which network runs, where, and how."""
    add_weights_arguments(group)
    group.add_argument(
        "--engine",
        metavar="E",
        help="what computes the network: torch, winograd, openvino, openvino:GPU (default on a CPU: winograd for "
        "videos where its vectors are of 256 bit, else openvino where it is installed, else winograd for videos, "
        "else torch)",
    )
    group.add_argument(
        "--precision",
        choices=("auto", "fp32", "fp16", "bf16"),
        help="of the network (default: fp16 on CUDA, else fp32)",
    )
    group.add_argument(
        "--tile",
        type=parse_tile,
        metavar="auto|off|ROWS",
        help="frames in bands of so many rows: less memory, faster on a CPU, no seams (default: auto)",
    )
    group.add_argument(
        "--reuse",
        choices=("exact", "near", "off"),
        help="copy what did not change from the frame before: exact, where that gives the same bits (default); "
        "near, also where only something far away changed; off, never",
    )
    group.add_argument(
        "--cuda-graphs",
        action="store_true",
        default=None,
        help="on CUDA: start the work on a frame as one piece (not measured on hardware yet)",
    )
    group.add_argument(
        "--hwaccel",
        choices=("cuda",),
        help="decode on the GPU (NVDEC), never in software instead (not measured on hardware yet)",
    )


def _add_part_arguments(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--start", type=parse_seconds, metavar="T", help="from this time on: seconds or [h:]m:s")
    group.add_argument("--end", type=parse_seconds, metavar="T", help="up to this time of the source")
    group.add_argument("--video-stream", type=int, metavar="N", help="enlarge this stream (default: the default one)")
    add_deinterlace_argument(
        group, "make interlaced pictures whole: one of each frame (default), or of each field at twice the rate"
    )
    group.add_argument("--frames", type=int, metavar="N", help="at most N frames")


def add_deinterlace_argument(group: argparse._ActionsContainer, purpose: str) -> None:
    """Declares ``--deinterlace``."""
    group.add_argument(
        "--deinterlace", nargs="?", const="frame", type=_parse_deinterlace, choices=_DEINTERLACE, help=purpose
    )


def _add_trouble_arguments(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--resume",
        action=argparse.BooleanOptionalAction,
        help="go on with what an interrupted run has finished of the same output, or throw it away",
    )
    group.add_argument(
        "--segment-frames", type=int, metavar="N", help="finished work is kept in pieces of N frames (docs/resume.md)"
    )
    group.add_argument(
        "--stall-timeout",
        type=parse_patience,
        metavar="S",
        help="give up when nothing moves for S seconds, 0: never (default: 600, and more for large pictures)",
    )
    harm = group.add_mutually_exclusive_group()
    harm.add_argument(
        "--salvage", action="store_true", default=None, help="take what can be decoded of a file cut off or damaged"
    )
    harm.add_argument(
        "--strict", action="store_true", default=None, help="fail where anything is dropped, damaged or repaired"
    )


def add_progress_argument(group: argparse._ActionsContainer) -> None:
    """Declares how progress is shown."""
    group.add_argument(
        "--progress", choices=("bar", "json", "off"), help="on standard error (default: bar on a terminal)"
    )


def settings_of(args: argparse.Namespace, output: str | None = None) -> Settings:
    """What the options and the preset ask for; options win, and so does the name of a single output."""
    from rfdn_video.plan import is_directory
    from rfdn_video.settings import Settings, load_preset, with_preset

    names = {field.name for field in fields(Settings)}
    given = {name: value for name, value in vars(args).items() if name in names and value is not None}
    if not args.preset:
        return Settings(**given)
    preset = load_preset(args.preset)
    if output and not is_directory(output) and Path(output).suffix:
        preset = {name: value for name, value in preset.items() if name != "container"}
    return Settings(**with_preset(preset, given))


def for_argparse[T](parse: Callable[[str], T]) -> Callable[[str], T]:
    """A parser of ours as a ``type`` of argparse, which would put words of its own in the place of ours."""

    @wraps(parse)
    def parse_or_say(text: str) -> T:
        try:
            return parse(text)
        except UsageError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return parse_or_say


@for_argparse
def parse_scale(text: str) -> Fraction:
    """A factor as :func:`rfdn_video.settings.exact_scale` reads it."""
    from rfdn_video.settings import exact_scale

    return exact_scale(text.lower().strip("x"))


def parse_tile(text: str) -> str | int:
    """Of ``--tile``; :class:`Settings` knows what is allowed."""
    return int(text) if text.isdecimal() else text


@for_argparse
def parse_seconds(text: str) -> Fraction:
    """A time: seconds, or [h:]m:s."""
    try:
        parts = [Fraction(part) for part in text.split(":")]
    except (ValueError, ZeroDivisionError):
        parts = []
    if not 1 <= len(parts) <= 3:
        raise UsageError(f"{text!r} is no time; give seconds (90.5) or [h:]m:s (1:30.5)")
    return sum((part * 60**power for power, part in enumerate(reversed(parts))), Fraction(0))


@for_argparse
def _parse_deinterlace(text: str) -> str:
    """What follows may be a file, which the option takes for its value."""
    if text not in _DEINTERLACE:
        hint = did_you_mean(text, _DEINTERLACE) or "; put INPUT before it"
        raise UsageError(f"{text!r}: {' and '.join(_DEINTERLACE)} are allowed{hint}")
    return text


@for_argparse
def parse_patience(text: str) -> float:
    """How long to wait, in seconds."""
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not (math.isfinite(seconds) and seconds >= 0):
        raise UsageError(f"{text!r} is no time to wait; give seconds, 0 or more")
    return seconds
