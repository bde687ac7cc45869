"""What is known of each encoder: how its quality is set, our defaults, and what it must be told to do good work.

Every encoder of FFmpeg can be used; those that are not in this table get no options but the user's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from rfdn_video.errors import OutputError, UsageError
from rfdn_video.frame import PixelFormat
from rfdn_video.hints import did_you_mean

__all__ = ["ENCODERS", "EncoderTraits", "Preset", "Quality", "encoder_options", "traits_of"]

_LAMBDA = 118  # FF_QP2LAMBDA: the unit in which libavcodec counts a quality scale


@dataclass(frozen=True)
class Quality:
    """An encoder's scale of constant quality.

    Attributes:
        default: ours; visually lossless, or nearly, at the enlarged size.
        best, worst: the ends of the scale.
        options: that take the value.
        unit: the options count in this.
    """

    default: int
    best: int
    worst: int
    options: tuple[str, ...] = ("crf",)
    unit: int = 1


@dataclass(frozen=True)
class Preset:
    """An encoder's names of its speeds.

    Attributes:
        option: that takes one.
        default: ours.
        names: that it knows.
        numbers: that it takes too, or instead.
    """

    option: str
    default: str
    names: tuple[str, ...] = ()
    numbers: range = range(0)

    def takes(self, speed: str) -> bool:
        """It is one of them."""
        return speed in self.names or speed in map(str, self.numbers)

    def __str__(self) -> str:
        numbers = (f"{self.numbers[0]} to {self.numbers[-1]}",) if self.numbers else ()
        return ", ".join((*self.names, *numbers))


@dataclass(frozen=True)
class EncoderTraits:
    """One encoder.

    Attributes:
        name: FFmpeg's.
        codec: what it makes; encoders of the same codec stand in for each other.
        quality: its scale of constant quality; None where it has none, lossless ones too.
        preset: its speeds; None where it has none.
        fixed: options that are always given, unless the user gives them.
        min_side: pixels that a picture must have at least in either direction.
        alpha: containers in which what it makes keeps an alpha channel; None is any.
        alpha_formats: those with alpha that decoders know, where it takes others too; empty is all it takes.
        captions: it takes closed captions from the pictures that it is given.
    """

    name: str
    codec: str
    quality: Quality | None = None
    preset: Preset | None = None
    fixed: Mapping[str, str] = field(default_factory=dict)
    min_side: int = 1
    alpha: tuple[str, ...] | None = ()
    alpha_formats: tuple[str, ...] = ()
    captions: bool = False

    def keeps_alpha_in(self, container: str) -> bool:
        """Alpha comes back from such a file."""
        return self.alpha is None or container in self.alpha

    @property
    def software(self) -> bool:
        """It runs on any processor."""
        return not self.name.endswith(("_nvenc", "_qsv", "_amf", "_videotoolbox"))


# A user's option of these takes the place of our constant quality, which encoders would go by instead.
_RATE_CONTROLS = frozenset(("b", "qp", "lossless"))
_NVENC = {"rc": "vbr", "b": "0", "tune": "hq"}

_SPEEDS = ("veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow")
# Of x264, and x265 has the same.
_X26X = Preset("preset", "medium", ("ultrafast", "superfast", *_SPEEDS, "placebo"), range(10))
_NVENC_SPEEDS = Preset("preset", "p5", (*(f"p{number}" for number in range(1, 8)), "fast", "medium", "slow"))
_AMF_SPEEDS = Preset("quality", "quality", ("speed", "balanced", "quality", "high_quality"))


def _x264_options() -> dict[str, str]:
    """With AVX-512, x264 165 was seen to give other pictures in every run (macroblock tree, several threads)."""
    found = np.show_config(mode="dicts")["SIMD Extensions"]["found"]
    has_avx512 = any(name.startswith("AVX512") or name == "X86_V4" for name in found)
    return {"x264-params": "asm=avx2"} if has_avx512 else {}


def _nvenc(name: str, codec: str, default: int, worst: int = 51) -> EncoderTraits:
    quality = Quality(default, 1, worst, ("cq",))  # 0 would be "automatic"
    return EncoderTraits(name, codec, quality, _NVENC_SPEEDS, _NVENC)


# A quality and no bit rate: the intelligent constant quality mode of the driver.
def _qsv(name: str, codec: str, default: int) -> EncoderTraits:
    return EncoderTraits(name, codec, Quality(default, 1, 51, ("global_quality",)), Preset("preset", "slow", _SPEEDS))


def _amf(
    name: str, codec: str, default: int, worst: int = 51, options: tuple[str, ...] = ("qp_i", "qp_p")
) -> EncoderTraits:
    quality = Quality(default, 0, worst, options)
    return EncoderTraits(name, codec, quality, _AMF_SPEEDS, {"rc": "cqp"})


# On Apple's own processors only: elsewhere it knows no constant quality, and refuses.
def _videotoolbox(name: str, codec: str) -> EncoderTraits:
    return EncoderTraits(name, codec, Quality(70, 100, 1, ("global_quality",), _LAMBDA))


def _mpeg4(name: str, codec: str = "mpeg4") -> EncoderTraits:
    return EncoderTraits(name, codec, Quality(2, 1, 31, ("global_quality",), _LAMBDA))


_TABLE = (
    EncoderTraits("libx264", "h264", Quality(18, 0, 51), _X26X, _x264_options(), captions=True),
    # Below 72 pixels, x265 4.3 was seen to write beyond its memory.
    EncoderTraits(
        "libx265",
        "hevc",
        Quality(20, 0, 51),
        _X26X,
        {"x265-params": "log-level=error"},
        min_side=72,
    ),
    EncoderTraits("libsvtav1", "av1", Quality(24, 1, 63), Preset("preset", "6", numbers=range(-1, 14)), min_side=64),
    EncoderTraits(
        "libvpx-vp9",
        "vp9",
        Quality(24, 0, 63),
        Preset("cpu-used", "2", numbers=range(-8, 9)),
        {"b": "0", "row-mt": "1", "deadline": "good"},
        alpha=("webm", "mkv"),  # beside the pictures; MP4 has no place for it
        alpha_formats=("yuva420p",),
    ),
    # RFC 9043, version 3: every slice carries a checksum, every picture stands alone.
    EncoderTraits("ffv1", "ffv1", fixed={"level": "3", "slicecrc": "1", "g": "1", "slices": "16"}, alpha=None),
    EncoderTraits("prores_ks", "prores", fixed={"vendor": "apl0"}, alpha=None),
    EncoderTraits(
        "libaom-av1",
        "av1",
        Quality(24, 0, 63),
        Preset("cpu-used", "4", numbers=range(9)),
        {"b": "0", "row-mt": "1"},
    ),
    EncoderTraits("librav1e", "av1", Quality(80, 0, 255, ("qp",)), Preset("speed", "6", numbers=range(11))),
    EncoderTraits("libtheora", "theora", Quality(9, 10, 0, ("global_quality",), _LAMBDA)),
    _mpeg4("mpeg4"),
    _mpeg4("libxvid"),
    _mpeg4("mpeg2video", "mpeg2video"),
    _nvenc("h264_nvenc", "h264", 19),
    _nvenc("hevc_nvenc", "hevc", 21),
    _nvenc("av1_nvenc", "av1", 25, worst=63),
    _qsv("h264_qsv", "h264", 19),
    _qsv("hevc_qsv", "hevc", 21),
    _qsv("av1_qsv", "av1", 25),
    _amf("h264_amf", "h264", 19, options=("qp_i", "qp_p", "qp_b")),
    _amf("hevc_amf", "hevc", 21),
    _amf("av1_amf", "av1", 60, worst=255),
    _videotoolbox("h264_videotoolbox", "h264"),
    _videotoolbox("hevc_videotoolbox", "hevc"),
    EncoderTraits("rawvideo", "rawvideo", alpha=None),
)
ENCODERS = {traits.name: traits for traits in _TABLE}
"""By name, the usual ones first."""

# Lists of an encoder library's own parameters in one option: the user's go behind ours.
_PARAMETER_LISTS = ("x264-params", "x265-params", "svtav1-params", "aom-params", "rav1e-params")


def traits_of(encoder: str) -> EncoderTraits:
    """What is known of an encoder; nothing but its name where it is not in the table."""
    return ENCODERS.get(encoder, EncoderTraits(encoder, encoder))


def encoder_options(
    encoder: str, layout: PixelFormat, crf: int | None, preset: str | None, extra: Mapping[str, str]
) -> dict[str, str]:
    """All options that an encoder is opened with.

    Args:
        encoder: FFmpeg's name.
        layout: of the pictures; it decides the profile of ProRes.
        crf: value on the encoder's own scale of quality; None takes our default, or none where ``extra`` has
            a bit rate or another rate control.
        preset: the encoder's own name of a speed; None takes our default.
        extra: the user's, which win.

    Raises:
        UsageError: a crf outside the encoder's scale, or a preset that it does not know.
        OutputError: a crf or preset for an encoder that has none.
    """
    traits = traits_of(encoder)
    own_rate = crf is None and not _RATE_CONTROLS.isdisjoint(extra)
    options = dict(traits.fixed) | ({} if own_rate else _quality(traits, crf)) | _speed(traits, preset)
    if encoder == "prores_ks":
        options["profile"] = "4444" if layout.sub_w == 0 else "hq"
    for name, value in extra.items():
        both = name in _PARAMETER_LISTS and name in options
        options[name] = f"{options[name]}:{value}" if both else value
    return options


def _quality(traits: EncoderTraits, crf: int | None) -> dict[str, str]:
    quality = traits.quality
    if quality is None:
        if crf is not None:
            having = ", ".join(name for name, other in ENCODERS.items() if other.quality is not None)
            raise OutputError(f"encoder {traits.name} has no scale of quality for --crf; these have one: {having}")
        return {}
    value = quality.default if crf is None else crf
    if not min(quality.best, quality.worst) <= value <= max(quality.best, quality.worst):
        raise UsageError(f"crf {value}: encoder {traits.name} takes {quality.best} (best) to {quality.worst}")
    options = {option: str(value * quality.unit) for option in quality.options}
    return options | ({"flags": "+qscale"} if quality.unit == _LAMBDA else {})


def _speed(traits: EncoderTraits, preset: str | None) -> dict[str, str]:
    if traits.preset is None:
        if preset is not None:
            having = ", ".join(name for name, other in ENCODERS.items() if other.preset is not None)
            raise OutputError(f"encoder {traits.name} has no preset; these have one: {having}")
        return {}
    speed = traits.preset.default if preset is None else preset
    if not traits.preset.takes(speed):
        hint = did_you_mean(speed, traits.preset.names)
        raise UsageError(f"encoder preset {speed!r}: {traits.name} takes {traits.preset}{hint}")
    return {traits.preset.option: speed}
