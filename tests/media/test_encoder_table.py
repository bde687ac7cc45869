"""The table of encoders against the builds: every option in it exists there, and every value is one that it takes.

No hardware is opened, so that this holds for hardware encoders where there is no hardware.
"""

from __future__ import annotations

import shutil
from fractions import Fraction

import pytest
from av.codec.context import CodecContext, CodecOption
from av.video.codeccontext import VideoCodecContext

from rfdn_video.frame import PixelFormat
from rfdn_video.media.encoding.builds import LibavBuild
from rfdn_video.media.encoding.encoders import ENCODERS, EncoderTraits, encoder_options
from rfdn_video.media.encoding.ffmpeg_program import FFmpegBuild
from rfdn_video.media.encoding.target import choose_container, choose_encoder
from rfdn_video.settings import Settings

YUV420P8, YUV420P10 = PixelFormat("yuv", 8, 1, 1), PixelFormat("yuv", 10, 1, 1)
HERE = [traits for name, traits in ENCODERS.items() if LibavBuild().has_encoder(name)]
HARDWARE = [traits for traits in HERE if not traits.software]


def known(encoder: str) -> dict[str, CodecOption]:
    options = CodecContext.create(encoder, "w").supported_options
    return {option.name: option for option in (*options.generic, *options.private)}


@pytest.mark.parametrize("traits", HERE, ids=lambda t: t.name)
def test_options_exist_and_take_our_values(traits: EncoderTraits) -> None:
    there = known(traits.name)
    for name, value in encoder_options(traits.name, YUV420P8, None, None, {}).items():
        option = there[name]
        choices = [choice.name for choice in option.choices]
        if value.lstrip("+") not in choices and value.replace(".", "", 1).isdigit():
            assert option.min <= float(value) <= option.max, name
        elif choices:
            assert value.lstrip("+") in choices, name


@pytest.mark.parametrize("traits", [t for t in HERE if t.quality], ids=lambda t: t.name)
def test_scales_of_quality_are_whole(traits: EncoderTraits) -> None:
    assert traits.quality is not None
    there, (low, high) = known(traits.name), sorted((traits.quality.best, traits.quality.worst))
    for name in traits.quality.options:
        option = there[name]
        assert option.min <= low * traits.quality.unit
        assert high * traits.quality.unit <= option.max
        if name in ("cq", "qp_i", "qp_p", "qp_b"):  # these say where they end
            assert option.max == high


@pytest.mark.parametrize("traits", [t for t in HERE if t.preset], ids=lambda t: t.name)
def test_presets_exist(traits: EncoderTraits) -> None:
    """x264 and x265 keep theirs to themselves: those are opened."""
    preset = traits.preset
    assert preset is not None
    assert preset.takes(preset.default)
    option = known(traits.name)[preset.option]
    for speed in (*preset.names, *preset.numbers):
        if traits.name in ("libx264", "libx265"):
            _open(traits.name, {"preset": str(speed)})
        elif isinstance(speed, str):
            assert speed in {choice.name for choice in option.choices}
        else:
            assert option.min <= speed <= option.max


def _open(encoder: str, options: dict[str, str]) -> None:
    context = CodecContext.create(encoder, "w")
    assert isinstance(context, VideoCodecContext)
    context.width, context.height, context.pix_fmt, context.time_base = 128, 128, "yuv420p", Fraction(1, 25)
    context.options = options | {"threads": "1"}
    context.open()


@pytest.mark.parametrize("traits", HARDWARE, ids=lambda t: t.name)
def test_hardware_gets_samples_that_it_takes(traits: EncoderTraits) -> None:
    """Eight bits always; ten with all but H.264 of Intel, whose refusal names another."""
    container, settings = choose_container(None, None, "", "mkv"), Settings(encoder=traits.name)  # type: ignore[arg-type]
    eight = choose_encoder(container, YUV420P8, settings, LibavBuild()).pix_fmt
    assert eight == ("nv12" if traits.name.endswith("_qsv") else "yuv420p")
    if traits.name != "h264_qsv":
        assert choose_encoder(container, YUV420P10, settings, LibavBuild()).pix_fmt == "p010le"


def test_hardware_is_looked_at_here() -> None:
    """The wheels of PyAV for Linux and Windows list them, so the tests above are not empty."""
    assert {"hevc_nvenc", "hevc_qsv"} <= {traits.name for traits in HARDWARE}


@pytest.mark.parametrize("name", ENCODERS)
def test_the_ffmpeg_program_knows_the_options(name: str) -> None:
    if shutil.which("ffmpeg") is None or not FFmpegBuild().has_encoder(name):
        pytest.skip(f"no ffmpeg program with {name}")
    FFmpegBuild().check_options(name, encoder_options(name, YUV420P8, None, None, {}))
