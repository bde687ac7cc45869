"""What the Dockerfile promises, as far as it shows without building it; test_image.py runs what it builds."""

from __future__ import annotations

import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

from rfdn_video import __version__
from rfdn_video.cli.main import _command
from tests.container.dockerfile import ROOT, assigned, command, said, stage

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def test_both_stages_are_of_one_base_that_may_be_replaced() -> None:
    assert assigned("ARG", 0) == {"BASE": "python:3.12-slim"}
    assert said("FROM", 1) == ["${BASE} AS build"]
    assert said("FROM", 2) == ["${BASE}"]


def test_the_default_command_watches_in_and_writes_to_out() -> None:
    *init, program = command("ENTRYPOINT")
    assert init == ["tini", "--"]
    assert program in PROJECT["project"]["scripts"]
    parser, _, rest = _command(command("CMD"))
    given = parser.parse_args(rest)
    assert (given.sources, given.output, given.watch) == ([Path("/in")], Path("/out"), True)


def test_its_health_is_the_heartbeat_of_that_batch() -> None:
    program, *words = command("HEALTHCHECK")
    assert program == command("ENTRYPOINT")[-1]
    parser, _, rest = _command(words)
    given = parser.parse_args(rest)
    assert (given.destination, given.check) == (Path("/out"), True)


def test_nothing_is_done_as_root_after_the_user_is_set() -> None:
    names = [name for name, _ in stage(2)]
    user, group = said("USER")[0].split(":")
    assert int(user) > 0
    assert int(group) > 0
    assert not {"RUN", "COPY", "ADD"} & set(names[names.index("USER") :])


def test_a_gpu_is_given_with_its_encoders_and_decoders() -> None:
    environment = assigned("ENV")
    assert environment["NVIDIA_VISIBLE_DEVICES"] == "all"
    assert set(environment["NVIDIA_DRIVER_CAPABILITIES"].split(",")) == {"compute", "utility", "video"}


def test_its_labels_say_what_it_is() -> None:
    labels = {name.removeprefix("org.opencontainers.image."): value for name, value in assigned("LABEL").items()}
    assert labels["title"] == PROJECT["project"]["name"]
    assert labels["licenses"] == PROJECT["project"]["license"]
    assert labels["version"] == "${VERSION}"
    assert assigned("ARG")["VERSION"] == __version__


def test_what_the_wheel_is_made_of_is_copied_and_not_ignored() -> None:
    copied = {word for rest in said("COPY", 1) for word in rest.split()[:-1]}
    wheel = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]
    needed = {"pyproject.toml", PROJECT["project"]["readme"], *PROJECT["project"]["license-files"]}
    assert copied == needed | set(wheel["packages"]) | set(wheel["force-include"])
    kept = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert copied == kept
    assert all((ROOT / name).exists() for name in copied)


def test_its_extras_exist_and_are_those_of_batch() -> None:
    extras = assigned("ARG", 1)["EXTRAS"].split(",")
    assert {"watch", "serve"} <= set(extras)
    assert set(extras) <= set(PROJECT["project"]["optional-dependencies"])


@pytest.mark.parametrize(
    ("index", "words"),
    [("", []), ("file:///torch files", ["--index-url", "file:///torch files"])],
)
def test_torch_comes_from_the_index_that_is_given(tmp_path: Path, index: str, words: list[str]) -> None:
    (line,) = (rest for rest in said("RUN", 1) if "torch" in rest)
    pip = tmp_path / "pip"
    pip.write_text('#!/bin/sh\nfor word; do echo "$word"; done')
    pip.chmod(0o755)
    environment = {"PATH": str(tmp_path), "TORCH_INDEX_URL": index}
    shell = str(shutil.which("sh"))
    done = subprocess.run([shell, "-c", line], env=environment, capture_output=True, text=True, check=True)
    (required,) = (name for name in PROJECT["project"]["dependencies"] if name.startswith("torch"))
    assert done.stdout.splitlines() == ["install", "--no-cache-dir", *words, required]


def test_no_registry_is_named() -> None:
    assert "://" not in (ROOT / "Dockerfile").read_text()
