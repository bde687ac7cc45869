"""What a user may ask for, validated when it is built. Presets (presets/*.toml) load into it."""

from __future__ import annotations

import re
import stat
import tomllib
from dataclasses import dataclass, fields
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal, get_args

from rfdn_video.encoder_files import file_option
from rfdn_video.encoder_names import encoder_name
from rfdn_video.errors import UsageError
from rfdn_video.hints import did_you_mean
from rfdn_video.limits import MAX_TOML_BYTES

__all__ = [
    "CONTAINERS",
    "MAX_SCALE",
    "Backend",
    "Deinterlace",
    "Dither",
    "Precision",
    "Reuse",
    "Settings",
    "Tile",
    "Tune",
    "Verify",
    "check_device",
    "describe_preset",
    "exact_scale",
    "load_preset",
    "preset_names",
    "read_toml",
    "with_preset",
]

type Tune = Literal["auto", "video", "light", "clean"]
type Dither = Literal["none", "ordered"]
type Deinterlace = Literal["frame", "field"]
type Verify = Literal["packets", "full"]
type Backend = Literal["av", "ffmpeg"]
type Precision = Literal["auto", "fp32", "fp16", "bf16"]
type HWAccelName = Literal["cuda"]
type Tile = Literal["auto", "off"] | int
type Reuse = Literal["exact", "near", "off"]

CONTAINERS = ("mp4", "mov", "mkv", "webm", "nut", "y4m")
DEVICE = re.compile(r"auto|(cpu|cuda|mps|xpu)(:N(,N)*)?".replace("N", r"(0|[1-9]\d*)"))
ENGINE = re.compile(r"auto|torch|winograd|openvino(:[A-Za-z]+(\.\d+)?)?")
MAX_SCALE = 8
TIME_TICKS = 1_000_000  # of a second: tells pictures apart, but not a float from what was meant by it
LEAST_SEGMENT = 8  # an encoder's reordering must be over in it


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Everything about one job but its input and output.

    Attributes:
        scale: factor of width and height, above 1 and at most 8; fractions such as 1.5 too.
        width, height: target in pixels instead of ``scale``; the other side follows the shape.
        model: a name of ``rfdn_video.models.catalog.NETWORKS``.
        tune: which bundled weights: ``"video"`` for compressed video, ``"light"`` where little was lost, ``"clean"``
            for pristine pictures; ``"auto"`` goes by the source, see :mod:`rfdn_video.tune`, and is ``"clean"`` for
            still images.
        weights: a weights file instead of the bundled ones.
        device: ``"auto"``, ``"cpu"``, ``"cuda"``, ``"cuda:N"``, ``"mps"`` or ``"xpu"``.
        precision: of the network; ``"auto"`` is fp16 on CUDA, else fp32.
        engine: ``"torch"``; ``"winograd"``, which computes as many frames at once as a CPU has cores, see
            docs/performance.md; ``"openvino"``, or ``"openvino:GPU"`` for another of its devices than the CPU.
            ``"auto"`` for fp32 on a CPU: winograd for videos where vectors are of 256 bit, else OpenVINO where it is
            installed, else winograd for videos, else torch.
        tile: rows of the bands in which a frame is done, ``"off"`` for whole frames, or ``"auto"``; see
            docs/tiling.md. The result is the same but for rounding.
        cuda_graphs: the work on a frame is recorded once and started as one piece; on CUDA. Not measured on
            hardware yet.
        hwaccel: ``"cuda"`` decodes the video on the GPU (NVDEC), never in software instead; None decodes in
            software. Not measured on hardware yet.
        reuse: what did not change since the frame before is taken from there: ``"exact"`` where that gives the
            same bits, ``"near"`` also where only something far away changed, ``"off"`` nowhere; see docs/reuse.md.
        encoder: an FFmpeg video encoder; None takes the container's usual one.
        encoder_backend: ``"av"``, the encoders that come with PyAV, or ``"ffmpeg"``, those of the ffmpeg program
            on the PATH.
        encoder_preset: the encoder's own name of a speed, such as ``"slow"`` or ``"4"``; None takes our default.
        encoder_options: further options of the encoder, each ``"name=value"``.
        crf: constant quality on that encoder's own scale; None takes this project's default for it.
        pix_fmt: FFmpeg's name of the result's pixel format; None keeps the source's.
        audio: ``"copy"``, ``"none"``, or the audio encoder to convert the sound with.
        audio_from: for a VapourSynth script, the file that sound, subtitles and chapters come from.
        dither: how results are rounded to code values: to the nearest, or ``"ordered"``, which breaks the steps
            of slow gradients up into a fine, still pattern.
        deinterlace: what becomes of interlaced pictures: ``"frame"`` makes one of each, ``"field"`` two, at twice
            the rate; None refuses them.
        video_stream: number of the stream to enlarge; None is the default one.
        verify: ``"packets"`` reads every packet of the finished file back, ``"full"`` decodes all of it too.
        container: overrides what the output's name says.
        start, end: range of the source in seconds, from its beginning; of a float the nearest simple fraction.
        frames: stop after this many frames.
        salvage: take what can be decoded of a file that is cut off or badly damaged.
        strict: nothing may be dropped, damaged or repaired.
        overwrite: replace an existing output.
        resume: go on with the unfinished work on the output where there is any; False throws that away, None
            refuses to. See docs/resume.md.
        segment_frames: pictures of a segment, the unit in which finished work is kept; None is about a minute of
            work, no less than the encoder has between two key pictures, and on to the next likely one.

    Raises:
        UsageError: a value that is not allowed.
    """

    scale: Fraction | None = None
    width: int | None = None
    height: int | None = None
    model: str = "e-rfdn"
    tune: Tune = "auto"
    weights: Path | None = None
    device: str = "auto"
    precision: Precision = "auto"
    engine: str = "auto"
    tile: Tile = "auto"
    cuda_graphs: bool = False
    hwaccel: HWAccelName | None = None
    reuse: Reuse = "exact"
    encoder: str | None = None
    encoder_backend: Backend = "av"
    encoder_preset: str | None = None
    encoder_options: tuple[str, ...] = ()
    crf: int | None = None
    pix_fmt: str | None = None
    audio: str = "copy"
    audio_from: Path | None = None
    dither: Dither = "none"
    deinterlace: Deinterlace | None = None
    video_stream: int | None = None
    verify: Verify = "packets"
    container: str | None = None
    start: Fraction | None = None
    end: Fraction | None = None
    frames: int | None = None
    salvage: bool = False
    strict: bool = False
    overwrite: bool = False
    resume: bool | None = None
    segment_frames: int | None = None

    def __post_init__(self) -> None:
        for name in ("width", "height", "crf", "frames", "video_stream", "segment_frames"):
            value = getattr(self, name)
            if value is not None and (not isinstance(value, int) or isinstance(value, bool)):
                raise UsageError(f"{name} {value!r}: a whole number is allowed")
        for name in ("audio", "device", "encoder", "encoder_preset", "engine", "model", "pix_fmt"):
            value = getattr(self, name)
            if not isinstance(value, str) and (value is not None or name in ("audio", "device", "engine", "model")):
                raise UsageError(f"{name} {value!r}: a name is allowed, in quotation marks in a preset")
        self._check_size()
        self._check_range()
        _check_choice("dither", self.dither, get_args(Dither.__value__))
        if self.deinterlace is not None:
            _check_choice("deinterlace", self.deinterlace, get_args(Deinterlace.__value__))
        if self.hwaccel is not None:
            _check_choice("hwaccel", self.hwaccel, get_args(HWAccelName.__value__))
        _check_choice("tune", self.tune, get_args(Tune.__value__))
        _check_choice("precision", self.precision, get_args(Precision.__value__))
        _check_choice("verify", self.verify, get_args(Verify.__value__))
        check_device(self.device)
        if not ENGINE.fullmatch(self.engine):
            raise UsageError(f"engine {self.engine!r}: allowed are auto, torch, winograd, openvino, openvino:GPU")
        if self.tile not in ("auto", "off") and (not isinstance(self.tile, int) or not 1 <= self.tile <= 32768):
            raise UsageError(f"tile {self.tile!r}: auto, off, or 1 to 32768 rows are allowed")
        _check_choice("reuse", self.reuse, get_args(Reuse.__value__))
        if self.container is not None:
            _check_choice("container", self.container, CONTAINERS)
        _check_choice("encoder_backend", self.encoder_backend, get_args(Backend.__value__))
        if self.crf is not None and not 0 <= self.crf <= 255:
            raise UsageError(f"crf {self.crf}: 0 (best) to 51, 63 or 255 by encoder is allowed")
        if not isinstance(self.encoder_options, list | tuple):
            raise UsageError(f"encoder_options {self.encoder_options!r}: a list of NAME=VALUE is allowed")
        object.__setattr__(self, "encoder_options", tuple(map(str, self.encoder_options)))
        for option in self.encoder_options:
            if not re.fullmatch(r"[A-Za-z0-9_-]+=.*", option, re.DOTALL) or option.startswith("-"):
                raise UsageError(f"encoder option {option!r}: write NAME=VALUE, such as aq-mode=3")

    def _check_size(self) -> None:
        given = [name for name in ("scale", "width", "height") if getattr(self, name) is not None]
        if len(given) > 1:
            raise UsageError(f"{' and '.join(given)} were given; give one of scale, width and height")
        if self.scale is not None and not 1 < self.scale <= MAX_SCALE:
            raise UsageError(f"scale {float(self.scale):g}: above 1 and up to {MAX_SCALE} is allowed")
        for name in ("width", "height"):
            value = getattr(self, name)
            if value is not None and not 2 <= value <= 32768:
                raise UsageError(f"{name} {value}: 2 to 32768 pixels are allowed")

    def _check_range(self) -> None:
        for name in ("start", "end"):
            if (value := getattr(self, name)) is not None:
                object.__setattr__(self, name, _exact_seconds(name, value))
        if self.start is not None and self.start < 0:
            raise UsageError(f"start {float(self.start):g}: seconds from the beginning, 0 or more")
        if self.end is not None and self.end <= (self.start or 0):
            raise UsageError(f"end {float(self.end):g}: must be later than the start ({float(self.start or 0):g})")
        if self.frames is not None and self.frames < 1:
            raise UsageError(f"frames {self.frames}: 1 or more are allowed")
        if self.segment_frames is not None and self.segment_frames < LEAST_SEGMENT:
            raise UsageError(f"segment_frames {self.segment_frames}: {LEAST_SEGMENT} or more are allowed")


def exact_scale(scale: float | Fraction | str) -> Fraction:
    """A factor as a fraction: 1.1 is 11/10, "3/2" is 3/2.

    Raises:
        UsageError: it is no number.
    """
    try:
        return Fraction(scale).limit_denominator(1000)
    except (ValueError, OverflowError, ZeroDivisionError, TypeError):
        raise UsageError(f"scale {scale!r} is no factor; give 2, 3, 1.5 or 3/2") from None


def _exact_seconds(name: str, value: float | Fraction) -> Fraction:
    """A time as it was meant: the float 0.2 lies behind a picture at 1/5, and would leave it out."""
    try:
        return Fraction(value).limit_denominator(TIME_TICKS) if isinstance(value, float) else Fraction(value)
    except (ValueError, OverflowError, ZeroDivisionError, TypeError):
        raise UsageError(f"{name} {value!r} is no time; give seconds, such as 90.5") from None


def check_device(name: str) -> None:
    """Refuses what is no name of a device; whether it is there, torch knows.

    Raises:
        UsageError: says what is allowed.
    """
    if not DEVICE.fullmatch(name):
        raise UsageError(f"device {name!r}: auto, cpu, cuda, cuda:N, cuda:0,1, mps and xpu are allowed")


def _check_choice(name: str, value: object, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise UsageError(f"{name} {value!r}: allowed are {', '.join(allowed)}")


# A preset describes a kind of result; which part of which file is done belongs to the call.
_OF_THE_CALL = {
    "audio_from",
    "start",
    "end",
    "frames",
    "salvage",
    "strict",
    "overwrite",
    "resume",
    "segment_frames",
    "weights",
    "device",
    "engine",
    "cuda_graphs",
    "hwaccel",
    "video_stream",
}
_SIZE = frozenset(("scale", "width", "height"))
_OF_THE_ENCODER = frozenset(("crf", "encoder_backend", "encoder_options", "encoder_preset"))
_PRESET_KEYS = {f.name for f in fields(Settings)} - _OF_THE_CALL


def preset_names() -> list[str]:
    """Names of the bundled presets."""
    return sorted(path.stem for path in _preset_folder().glob("*.toml"))


def load_preset(name: str) -> dict[str, Any]:
    """Reads a preset: keyword arguments for :class:`Settings`.

    Args:
        name: a bundled preset's name, or the path of a TOML file (it ends in ``.toml``).

    Raises:
        UsageError: it does not exist, is no flat TOML, has a key that Settings has not, or lets an encoder read or
            write files.
    """
    values = _read_preset(name)
    values.pop("description", None)
    unknown = sorted(set(values) - _PRESET_KEYS)
    if unknown:
        raise UsageError(f"preset {name}: unknown key {unknown[0]!r}; allowed: {', '.join(sorted(_PRESET_KEYS))}")
    if "scale" in values:
        values["scale"] = exact_scale(values["scale"])
    Settings(**values)
    if (option := file_option(values.get("encoder_options", ()))) is not None:
        raise UsageError(
            f"preset {name}: encoder option {option!r} reads or writes a file, which a preset may not; "
            "give it as --encoder-opt"
        )
    return values


def describe_preset(name: str) -> str:
    """What a preset is for, in its own words.

    Raises:
        UsageError: it does not exist, or is no TOML.
    """
    return str(_read_preset(name).get("description", ""))


def with_preset(preset: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """A preset's values with those that were given on top.

    What belongs together is replaced together: a size by a size, and with another encoder goes what
    was meant for the preset's one. Options of the same encoder add up.
    """
    kept = dict(preset)
    if not _SIZE.isdisjoint(given):
        kept = {name: value for name, value in kept.items() if name not in _SIZE}
    if "encoder" in given and encoder_name(given["encoder"]) != encoder_name(preset.get("encoder", "")):
        kept = {name: value for name, value in kept.items() if name not in _OF_THE_ENCODER}
    options = (*kept.get("encoder_options", ()), *given.get("encoder_options", ()))
    return kept | given | ({"encoder_options": options} if options else {})


def _read_preset(name: str) -> dict[str, Any]:
    path = Path(name) if name.endswith(".toml") else _preset_folder() / f"{name}.toml"
    try:
        return read_toml(path)
    except FileNotFoundError:
        hint = did_you_mean(name, preset_names())
        raise UsageError(
            f"no preset {name!r}; bundled: {', '.join(preset_names())}; or give a .toml file{hint}"
        ) from None
    except (OSError, ValueError) as error:
        raise UsageError(f"preset {name}: {error}") from None


def read_toml(path: Path) -> dict[str, Any]:
    """Reads a small TOML file.

    Raises:
        OSError: it cannot be read.
        ValueError: it is no TOML, too large, nested too deeply, or no regular file.
    """
    if not stat.S_ISREG((status := path.stat()).st_mode):
        raise ValueError("not a regular file")
    if status.st_size > MAX_TOML_BYTES:
        raise ValueError(f"{status.st_size} bytes; up to {MAX_TOML_BYTES} are read")
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _preset_folder() -> Path:
    installed = Path(__file__).parent / "presets"
    return installed if installed.is_dir() else Path(__file__).parent.parent / "presets"
