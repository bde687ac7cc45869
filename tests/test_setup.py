"""What `make` does before any of our Python runs, tried with invented Pythons on a bare PATH."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
REAL = f'exec "{sys.executable}" "$@"'
BROKEN_SHIM = "echo 'command not found'; exit 127"


def pretending(change: str) -> str:
    """A Python in which `change` was run before the code of -c."""
    return f"""exec "{sys.executable}" -c 'import sys; {change}; exec(sys.argv[1])' "$2" """


OLD = pretending("sys.version_info = (3, 11, 9)")
WITHOUT_PIP = pretending('sys.modules["ensurepip"] = None')


@dataclass
class Machine:
    """A checkout and a PATH that hold nothing but what a test puts there."""

    root: Path

    def script(self, path: str, body: str) -> Path:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"#!/bin/sh\n{body}\n")
        file.chmod(0o755)
        return file

    def run(self, script: str, **environment: str) -> subprocess.CompletedProcess[str]:
        found = {"PATH": str(self.root / "bin"), "HOME": str(self.root / "home"), **environment}
        return subprocess.run([self.root / script], env=found, capture_output=True, text=True, check=False)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    shutil.copytree(ROOT / ".ci", tmp_path / ".ci")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    (tmp_path / "bin").mkdir()
    for name in ("sh", "dirname", "mkdir", "cmp", "cp", "chmod", "cat"):
        (tmp_path / "bin" / name).symlink_to(str(shutil.which(name)))
    return Machine(tmp_path)


def test_a_python_that_does_not_run_or_is_too_old_is_passed_over(machine: Machine) -> None:
    machine.script("bin/python3.13", BROKEN_SHIM)
    machine.script("bin/python3.12", WITHOUT_PIP)
    machine.script("bin/python3", OLD)
    good = machine.script("bin/python", REAL)
    assert machine.run(".ci/find-python").stdout == f"{good}\n"


@pytest.mark.parametrize("folder", ["home/.pyenv", "elsewhere"])
def test_pyenv_folders_are_searched_after_the_path(machine: Machine, folder: str) -> None:
    machine.script("bin/python3", OLD)
    machine.script(f"{folder}/versions/3.11.9/bin/python3", OLD)
    good = machine.script(f"{folder}/versions/3.12.1/bin/python3.12", REAL)
    where = {} if folder.startswith("home") else {"PYENV_ROOT": str(machine.root / folder)}
    assert machine.run(".ci/find-python", **where).stdout == f"{good}\n"
    on_path = machine.script("bin/python3.12", REAL)
    assert machine.run(".ci/find-python", **where).stdout == f"{on_path}\n"


def test_an_existing_venv_comes_first(machine: Machine) -> None:
    machine.script("bin/python3.12", REAL)
    machine.script(".venv/bin/python", REAL)
    assert machine.run(".ci/find-python").stdout == ".venv/bin/python\n"


def test_an_unusable_venv_is_named_and_left_alone(machine: Machine) -> None:
    machine.script("bin/python3.12", REAL)
    machine.script(".venv/bin/python", OLD)
    done = machine.run(".ci/find-python")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines() == [
        ".venv holds no working Python 3.12 or newer: remove the folder .venv, then run make again"
    ]


def test_uv_fetches_a_python_when_only_an_old_one_is_there(machine: Machine) -> None:
    new = "$UV_PYTHON_INSTALL_DIR/cpython-3.12.9/bin"
    uv = f"""mkdir -p "{new}"; printf '#!/bin/sh\\n%s\\n' '{REAL}' >"{new}/python3.12"; chmod +x "{new}/python3.12" """
    machine.script("uv", uv)
    pip = f"""[ "$2" = pip ] || {{ {OLD}; }}
        mkdir -p "$6/bin"; cp "{machine.root}/uv" "$6/bin/uv" """
    machine.script("bin/python3", pip)
    fetched = machine.root / ".python/versions/cpython-3.12.9/bin/python3.12"
    assert machine.run(".ci/find-python").stdout == f"{fetched}\n"
    machine.script("bin/python3", OLD)  # the second time nothing is fetched
    again = machine.run(".ci/find-python")
    assert (again.stdout, again.stderr) == (f"{fetched}\n", "")


def test_no_python_at_all_says_so_in_one_line(machine: Machine) -> None:
    machine.script("bin/python3", OLD)
    done = machine.run(".ci/find-python")
    assert (done.returncode, done.stdout) == (1, "")
    assert re.match(
        r"no Python 3\.12 or newer .* install Python 3\.12, then run make again$", done.stderr.splitlines()[-1]
    )


def test_installing_is_done_once_for_each_pyproject(machine: Machine) -> None:
    log = machine.root / "log"
    machine.script(".venv/bin/python", f'echo "$@" >>"{log}"')
    assert machine.run(".ci/install", TORCH_INDEX="file:///torch").returncode == 0
    asked = log.read_text()
    assert "install --quiet --index-url file:///torch torch\n" in asked
    assert asked.endswith("install --quiet --editable .[train,vapoursynth] --group dev\n")

    log.unlink()
    done = machine.run(".ci/install")
    assert (done.returncode, done.stdout, log.exists()) == (0, "", False)

    with (machine.root / "pyproject.toml").open("a") as file:
        file.write("# changed\n")
    assert machine.run(".ci/install").returncode == 0
    assert "--editable" in log.read_text()


def test_a_failed_install_is_tried_again(machine: Machine) -> None:
    machine.script(".venv/bin/python", 'case "$*" in *--editable*) exit 1;; esac')
    assert machine.run(".ci/install").returncode == 1
    machine.script(".venv/bin/python", "exit 0")
    assert "installing" in machine.run(".ci/install").stdout


def test_large_files_are_refused_by_name(machine: Machine) -> None:
    large = machine.root / "film.bin"
    large.write_bytes(bytes(300_001))
    (machine.root / "bin/wc").symlink_to(str(shutil.which("wc")))
    check = [str(machine.root / ".ci/check-size"), str(ROOT / "pyproject.toml"), str(large)]
    done = subprocess.run(check, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        f"{large} has 300001 bytes; at most 300000 are allowed: make it smaller or leave it out"
    ]
