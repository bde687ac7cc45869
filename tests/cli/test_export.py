"""``rfdn-video export``: which network is written; what it computes is tested with the graph."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from rfdn_video.cli.export import add_arguments
from rfdn_video.cli.main import main
from rfdn_video.cli.parser import Parser
from rfdn_video.models.catalog import BUNDLED


@pytest.mark.parametrize(("words", "scale"), [([], 2), (["-s", "2"], 2), (["-s", "4", "--tune", "clean"], 4)])
def test_the_bundled_weights_by_their_scale(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], scale: int
) -> None:
    path = tmp_path / "net.onnx"
    assert main(["export", str(path), "--size", "8x8", *words]) == 0
    assert capsys.readouterr().out == f"wrote {path}: e-rfdn x{scale}, fp32, 8x8, RGB 0..1\n"


def test_every_bundled_scale_can_be_asked_for() -> None:
    parser = Parser()
    add_arguments(parser)
    scales = next(action.choices for action in parser._actions if action.dest == "scale")
    assert scales is not None
    assert set(scales) == {bundled.scale for bundled in BUNDLED}


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["-s", "2", "-w", "a.pth"], "--scale is of the bundled weights; leave it away"),
        (["-s", "5"], "invalid choice: 5 (choose from 2, 3, 4)"),
        (["--tune", "clean", "-w", "a.pth"], "not allowed with"),
    ],
)
def test_refused(tmp_path: Path, refused: Callable[..., None], words: list[str], complaint: str) -> None:
    refused(tmp_path, ["export", "net.onnx", *words], 2, complaint)


def test_a_scale_that_is_bundled_for_other_pictures_only(tmp_path: Path, refused: Callable[..., None]) -> None:
    refused(tmp_path, ["export", "net.onnx", "-s", "3"], 5, "no weights x3 of e-rfdn for 'video' are bundled")
