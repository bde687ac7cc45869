"""``rfdn-video doctor`` names everything that pyproject.toml does."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest

from rfdn_video.cli import doctor

PROJECT = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]


def names(lines: list[str]) -> set[str]:
    return {re.split(r"[\[>]", line)[0] for line in lines}


def test_it_names_every_package_and_says_which_are_optional() -> None:
    found = doctor._requirements()
    needed = names(PROJECT["dependencies"])
    extra = names([line for lines in PROJECT["optional-dependencies"].values() for line in lines])
    assert {name for name, optional in found.items() if not optional} == needed
    assert {name for name, optional in found.items() if optional} == extra - needed


def test_what_is_missing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def version(package: str) -> str:
        if package in ("jinja2", "tensorboard"):
            raise PackageNotFoundError
        return "1"

    monkeypatch.setattr(doctor, "version", version)
    versions = doctor._versions()
    assert (versions["jinja2"], versions["tensorboard"]) == ("missing", "not installed (optional)")


def test_out_of_a_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(package: str) -> list[str]:
        raise PackageNotFoundError(package)

    monkeypatch.setattr(doctor, "requires", none)
    assert set(doctor._requirements()) == {"torch", "av"}
