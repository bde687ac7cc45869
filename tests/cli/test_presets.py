"""Presets are shown as they are, and options win over them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from rfdn_video import Settings
from rfdn_video.cli import upscale
from rfdn_video.cli.main import main
from rfdn_video.cli.options import settings_of
from rfdn_video.cli.parser import Parser
from rfdn_video.errors import UsageError
from rfdn_video.frame import PixelFormat
from rfdn_video.media.encoding.builds import LibavBuild
from rfdn_video.media.encoding.target import choose_container, choose_encoder
from rfdn_video.settings import describe_preset, load_preset, preset_names, with_preset

NAMES = ["anime", "archive", "av1", "film", "hevc10", "nvenc", "screen", "web"]


def test_all_are_listed_and_described(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["presets", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert sorted(shown) == NAMES == sorted(preset_names())
    assert all(preset["description"] for preset in shown.values())
    assert shown["archive"]["settings"] == {"encoder": "ffv1", "container": "mkv"}
    assert main(["presets"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[1::2]] == preset_names()


def test_one_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["presets", "film"]) == 0
    out = capsys.readouterr().out
    assert out.splitlines()[1].startswith("film ")
    assert "tune=film" in out
    assert main(["presets", "nosuch"]) == 2


def test_there_are_no_weights_for_drawings_and_the_preset_says_so() -> None:
    assert "no weights trained on drawings" in describe_preset("anime")


@pytest.mark.fault(17)
@pytest.mark.parametrize(
    "option",
    [
        *("stats=f", "passlogfile=f", "flags=+pass1", "x264-params=aq-mode=3:dump-yuv=f", "x264opts=stats=f"),
        *("x265-params=csv=f", "x265-params=aq-mode=1:Analysis_Save=f", r"x265-params=c\\sv=f", "x265-params='csv'=f"),
        *("x265-params=lambda-file=f", "svtav1-params=use-q-file=f", "aom-params=film-grain-table=f"),
    ],
)
def test_a_preset_makes_no_encoder_write_files(tmp_path: Path, option: str) -> None:
    """It may come from anybody; on the command line they are the user's own."""
    (tmp_path / "evil.toml").write_text(f'encoder_options = ["{option}"]\n')
    with pytest.raises(UsageError, match="reads or writes a file"):
        load_preset(str(tmp_path / "evil.toml"))


@pytest.mark.parametrize("option", ["aq-mode=3", "x265-params=aq-mode=3:no-sao=1", "profile=high", "flags=+cgop"])
def test_other_options_are_taken(tmp_path: Path, option: str) -> None:
    (tmp_path / "good.toml").write_text(f'encoder_options = ["{option}"]\n')
    assert load_preset(str(tmp_path / "good.toml")) == {"encoder_options": [option]}


@pytest.mark.parametrize(
    ("arguments", "container"),
    [
        (["-o", "out.mp4"], None),
        (["-o", "folder/"], "mkv"),
        (["-o", "-"], "mkv"),
        ([], "mkv"),
        (["-o", "out.mp4", "--container", "mov"], "mov"),
    ],
)
def test_the_name_of_the_output_wins_over_a_preset(arguments: list[str], container: str | None) -> None:
    parser = Parser()
    upscale.add_arguments(parser)
    args = parser.parse_args(["in.mkv", "--preset", "archive", *arguments])
    assert settings_of(args, args.output).container == container


@pytest.mark.parametrize("name", NAMES)
def test_the_encoder_takes_what_the_preset_sets(name: str) -> None:
    settings = Settings(**load_preset(name))
    if not LibavBuild().has_encoder(str(settings.encoder)):
        assert name == "nvenc"
        pytest.skip("this build has no NVENC")
    container = choose_container(None, Path("a.mkv"), "matroska,webm", settings.container)
    pixels = PixelFormat("yuv", 10 if settings.pix_fmt == "yuv420p10le" else 8, 1, 1)
    assert choose_encoder(container, pixels, settings, LibavBuild()).encoder == settings.encoder


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"crf": 30}, {"encoder": "libx264", "crf": 30, "encoder_options": ("tune=film",)}),
        ({"encoder": "libx265"}, {"encoder": "libx265", "crf": None, "encoder_preset": None, "encoder_options": ()}),
        (
            {"encoder": "H264"},
            {"encoder": "H264", "crf": 17, "encoder_preset": "slow", "encoder_options": ("tune=film",)},
        ),
        ({"encoder_options": ["aq-mode=3"]}, {"encoder_options": ("tune=film", "aq-mode=3"), "crf": 17}),
    ],
)
def test_options_win(given: dict[str, Any], expected: dict[str, Any]) -> None:
    settings = Settings(**with_preset(load_preset("film"), given))
    assert {name: getattr(settings, name) for name in expected} == expected
