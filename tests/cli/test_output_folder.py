"""``-o out/`` where ``out`` is not there, as README has it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from rfdn_video.cli.main import main


@pytest.fixture
def options(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, nearest_x2: Path) -> list[str]:
    """In a folder with two pictures."""
    for name in ("a.png", "b.png"):
        Image.new("RGB", (16, 16)).save(tmp_path / name)
    monkeypatch.chdir(tmp_path)
    return ["-w", str(nearest_x2), "--device", "cpu", "--engine", "torch"]


@pytest.mark.parametrize(
    ("inputs", "output"), [(["a.png"], "out/"), (["a.png", "b.png"], "out/"), (["a.png", "b.png"], "out")]
)
def test_it_is_made(options: list[str], inputs: list[str], output: str) -> None:
    assert main([*inputs, "-o", output, *options, "--dry-run"]) == 0
    assert not Path("out").exists()
    assert main([*inputs, "-o", output, *options]) == 0
    assert sorted(os.listdir("out")) == [name.replace(".", "_x2.") for name in inputs]


def test_one_input_and_no_slash_is_a_file(options: list[str], refused: Callable[..., None]) -> None:
    refused(Path(), ["a.png", "-o", "out", *options], 4, "out: no kind of image")


@pytest.mark.parametrize(
    ("words", "code", "complaint"),
    [
        (["a.png", "-o", "no/out/"], 4, "no: no such directory; make it first"),
        (["a.png", "b.png", "-o", "no/out"], 4, "no: no such directory; make it first"),
        (["a.png", "-o", "b.png/"], 4, "b.png: cannot be made: File exists; give another --output"),
        (["a.png", "b.png", "-o", "out.png"], 2, "2 inputs and one output out.png; give a directory, such as out/"),
        (["a.png", "b.png", "-o", "-"], 2, "2 inputs and one output -; give a directory"),
        (["empty.png", "-o", "out/"], 3, "no such file"),
    ],
)
def test_what_is_refused_leaves_none(
    options: list[str], refused: Callable[..., None], words: list[str], code: int, complaint: str
) -> None:
    refused(Path(), [*words, *options], code, complaint)
    assert sorted(os.listdir()) == ["a.png", "b.png"]
