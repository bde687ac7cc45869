"""Containers and encoders: sensible defaults, refusals that name alternatives."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rfdn_video.errors import OutputError, UsageError
from rfdn_video.frame import PixelFormat
from rfdn_video.media.encoding.builds import LibavBuild
from rfdn_video.media.encoding.target import Target, choose_container, choose_encoder, container_advice
from rfdn_video.media.formats import planar_layout
from rfdn_video.settings import Settings

YUV420P8, YUV420P10, YUV444P12 = PixelFormat("yuv", 8, 1, 1), PixelFormat("yuv", 10, 1, 1), PixelFormat("yuv", 12)
MOV = "mov,mp4,m4a,3gp,3g2,mj2"


@pytest.mark.parametrize(
    ("source", "demuxer", "expected"),
    [
        ("a.mp4", MOV, "mp4"),
        ("a.mov", MOV, "mov"),
        ("a.webm", "matroska,webm", "webm"),
        ("a.mkv", "matroska,webm", "mkv"),
        ("a.ts", "mpegts", "mkv"),
        ("a.mp4", "flv", "mkv"),  # its content counts
        ("a.avi", "avi", "mkv"),
    ],
)
def test_container_follows_the_source(source: str, demuxer: str, expected: str) -> None:
    assert choose_container(None, Path(source), demuxer, None).name == expected


def test_container_follows_the_output_before_the_source() -> None:
    assert choose_container(Path("b.WEBM"), Path("a.mp4"), MOV, None).name == "webm"
    with pytest.raises(UsageError, match=r"'\.xyz'.*\.mkv"):
        choose_container(Path("b.xyz"), Path("a.mp4"), MOV, None)


@pytest.mark.parametrize(
    ("container", "layout", "encoder"),
    [
        ("mp4", YUV420P8, "libx264"),
        ("mp4", YUV420P10, "libx264"),
        ("mp4", YUV444P12, "libx265"),
        ("webm", YUV420P8, "libvpx-vp9"),
        ("webm", YUV420P10, "libsvtav1"),
        ("mkv", PixelFormat("rgb", 16), "ffv1"),
        ("nut", YUV420P10, "rawvideo"),
    ],
)
def test_default_encoder_takes_the_format_as_it_is(container: str, layout: PixelFormat, encoder: str) -> None:
    chosen = choose_container(None, Path("a"), "", container)
    assert choose_encoder(chosen, layout, Settings(), LibavBuild()).encoder == encoder


def choose(container: str, layout: PixelFormat, **settings: Any) -> Target:
    return choose_encoder(choose_container(None, Path("a"), "", container), layout, Settings(**settings), LibavBuild())


@pytest.mark.parametrize(
    ("container", "layout", "settings", "words"),
    [
        ("mkv", YUV420P10, {"encoder": "vp9"}, r"does not take yuv420p10le; use --encoder libx264 or libx265 or ffv1"),
        ("webm", YUV420P10, {"encoder": "vp9"}, r"use --encoder libsvtav1, or"),
        ("mkv", YUV420P8, {"encoder": "libx266"}, r"did you mean libx26\d\? Well-known .*--encoder-backend ffmpeg"),
        ("mkv", YUV420P8, {"encoder": "ffv1", "crf": 20}, "no scale of quality.*these have one: libx264"),
        ("mkv", YUV420P8, {"encoder": "ffv1", "encoder_preset": "slow"}, "no preset; these have one: libx264"),
        (
            "webm",
            YUV444P12,
            {},
            r"no encoder for yuv444p12le in webm .*write to .mkv and use --encoder libx265 or ffv1",
        ),
        ("mp4", YUV420P8, {"encoder": "prores"}, r"take yuv420p; .*, or --pix-fmt yuv422p10le in .mov or .mkv$"),
        ("nut", YUV420P8, {"encoder": "ffv1", "pix_fmt": "gbrp", "crf": 1}, "no scale"),
    ],
)
def test_refusals_name_alternatives(container: str, layout: PixelFormat, settings: dict[str, Any], words: str) -> None:
    with pytest.raises(OutputError, match=words):
        choose(container, layout, **settings)


@pytest.mark.parametrize(
    ("refusing", "encoder", "pix_fmt", "words"),
    [
        ("mkv", "dnxhd", "yuv422p", ", or write to .mov"),
        ("mkv", "cfhd", "yuv422p10le", ", or write to .mov"),
        ("mp4", "prores_ks", "yuv422p10le", ", or write to .mov or .mkv"),
        ("mkv", "huffyuv", "yuv422p", ", or write to .nut"),
        ("webm", "mpeg4", "yuv420p", ", or write to .mkv"),
        ("webm", "libx265", "yuv420p", ", or write to .mp4 or .mov or .mkv"),
    ],
)
def test_the_containers_advised_take_the_codec(
    ffmpeg: Callable[..., bytes], tmp_path: Path, refusing: str, encoder: str, pix_fmt: str, words: str
) -> None:
    options = ("-profile:v", "dnxhr_sq") if encoder == "dnxhd" else ()
    advised = container_advice(choose(refusing, planar_layout(pix_fmt), encoder=encoder))
    assert advised.endswith(words)
    for suffix in words.split(" write to ")[1].split(" or "):
        picture = ("-f", "lavfi", "-i", "color=s=256x128:d=0.1", "-pix_fmt", pix_fmt)
        ffmpeg(*picture, "-c:v", encoder, *options, tmp_path / f"o{suffix}")


@pytest.mark.parametrize(
    ("encoder", "layout", "words"),
    [
        ("prores", YUV420P8, "or --pix-fmt yuv422p10le$"),
        ("prores", PixelFormat("yuv", 8, 0, 0), "or --pix-fmt yuv444p10le$"),
        ("h264", PixelFormat("yuv", 12, 1, 1), "or --pix-fmt yuv420p10le$"),
        ("av1", PixelFormat("yuv", 8, 1, 0), "or --pix-fmt yuv420p in .mp4 or .mkv or .webm$"),
        ("prores", PixelFormat("rgb", 8), "or --pix-fmt yuv444p10le$"),
        ("png", PixelFormat("rgb", 8), "or another --pix-fmt$"),  # RGB in packed form alone, or gray
    ],
)
def test_the_nearest_pixel_format_is_advised(encoder: str, layout: PixelFormat, words: str) -> None:
    with pytest.raises(OutputError, match=words):
        choose("mov", layout, encoder=encoder)


def test_quality_outside_the_scale() -> None:
    with pytest.raises(UsageError, match=r"crf 52: encoder libx264 takes 0 \(best\) to 51"):
        choose("mkv", YUV420P8, encoder="h264", crf=52)
    assert choose("webm", YUV420P8, encoder="av1", crf=63).options["crf"] == "63"
    with pytest.raises(UsageError, match="libsvtav1 takes 1"):  # 0 is its word for "not set", which becomes 35
        choose("webm", YUV420P8, encoder="av1", crf=0)


@pytest.mark.parametrize(
    ("encoder", "option"),
    [("h264", "b=300k"), ("hevc", "qp=30"), ("av1", "b=300k"), ("vp9", "lossless=1"), ("mpeg4", "b=300k")],
)
def test_a_rate_of_the_users_takes_the_place_of_our_quality(encoder: str, option: str) -> None:
    ours = choose("mkv", YUV420P8, encoder=encoder).options
    options = choose("mkv", YUV420P8, encoder=encoder, encoder_options=(option,)).options
    name, value = option.split("=")
    assert options[name] == value
    assert set(ours) - set(options) in ({"crf"}, {"global_quality", "flags"})
    asked = choose("mkv", YUV420P8, encoder=encoder, encoder_options=(option,), crf=12).options
    assert set(ours) <= set(asked)


@pytest.mark.parametrize(
    ("encoder", "preset", "words"),
    [
        ("h264", "warp", r"preset 'warp': libx264 takes ultrafast, .*, placebo, 0 to 9$"),
        ("hevc", "slwo", r"libx265 takes .*; did you mean slow\?"),
        ("av1", "slow", r"libsvtav1 takes -1 to 13$"),
        ("vp9", "9", r"libvpx-vp9 takes -8 to 8$"),
        ("hevc_nvenc", "p8", r"hevc_nvenc takes p1, .*, p7, fast"),
    ],
)
def test_presets_that_an_encoder_does_not_know(encoder: str, preset: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        choose("mkv", YUV420P8, encoder=encoder, encoder_preset=preset)


@pytest.mark.parametrize(
    ("wanted", "encoder"),
    [
        ("h264", "libx264"),
        ("HEVC", "libx265"),
        ("x265", "libx265"),
        ("av1", "libsvtav1"),
        ("vp9", "libvpx-vp9"),
        ("mpeg4", "mpeg4"),
    ],
)
def test_encoders_by_their_codec_have_our_options(wanted: str, encoder: str) -> None:
    target = choose("mkv", YUV420P8, encoder=wanted)
    assert target.encoder == encoder
    assert {"crf", "global_quality"} & set(target.options)


def test_options_of_the_user_win_and_add_up() -> None:
    options = ("tune=film", "preset=fast", "x265-params=aq-mode=3:psy-rd=2")
    target = choose("mkv", YUV420P8, encoder="hevc", encoder_options=options)
    assert target.options["preset"] == "fast"
    assert target.options["x265-params"] == "log-level=error:aq-mode=3:psy-rd=2"  # still quiet
    assert choose("mkv", YUV420P8, encoder="vp9", encoder_preset="4").options["cpu-used"] == "4"


@pytest.mark.parametrize(("layout", "profile"), [(PixelFormat("yuv", 10, 1), "hq"), (PixelFormat("yuv", 10), "4444")])
def test_profile_of_prores_follows_the_pixels(layout: PixelFormat, profile: str) -> None:
    assert choose("mov", layout, encoder="prores").options["profile"] == profile


def test_encoders_of_hardware_get_the_samples_in_their_order() -> None:
    assert choose("mkv", YUV420P10, encoder="hevc_nvenc").pix_fmt == "p010le"
    assert choose("mkv", YUV420P8, encoder="hevc_qsv").pix_fmt == "nv12"
    assert choose("mkv", PixelFormat("rgb", 8), encoder="ffv1").pix_fmt == "bgr0"


def test_m4v_is_an_mp4() -> None:
    assert choose_container(Path("a.m4v"), Path("b.mkv"), "matroska", "mp4").name == "mp4"
    with pytest.raises(OutputError, match="another container than mkv"):
        choose_container(Path("a.m4v"), Path("b.mkv"), "matroska", "mkv")


def test_a_name_without_a_suffix_is_of_the_container_that_was_asked_for() -> None:
    assert choose_container(Path("out"), Path("b.mkv"), "matroska", "nut").name == "nut"
    with pytest.raises(UsageError, match="unknown kind of output ''"):
        choose_container(Path("out"), Path("b.mkv"), "matroska", None)
