"""What a terminal shows: aligned tables of any width, colour only where it is wanted, hints, completion."""

from __future__ import annotations

import os
import pty
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from rfdn_video.cli.main import COMMANDS, main

type CommandLine = Callable[..., subprocess.CompletedProcess[str]]


def on_a_terminal(columns: int, *arguments: str, **environment: str) -> str:
    """What a command writes to a terminal so wide."""
    script = "import os, sys; os.execv(sys.executable, [sys.executable, '-m', 'rfdn_video', *sys.argv[1:]])"
    master, slave = pty.openpty()
    variables = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "FORCE_COLOR")}
    variables |= {"TERM": "xterm-256color", "COLUMNS": str(columns), **environment}
    command = [sys.executable, "-c", script, *arguments]
    with subprocess.Popen(command, stdout=slave, stderr=slave, env=variables) as process:
        os.close(slave)
        text = b""
        while True:
            try:
                part = os.read(master, 4096)
            except OSError:
                break
            if not part:
                break
            text += part
        assert process.wait() == 0, text
    os.close(master)
    return text.decode().replace("\r\n", "\n")


def test_tables_are_bold_on_a_terminal_only(command_line: CommandLine) -> None:
    assert "\x1b[1m" in on_a_terminal(100, "presets", "film")
    assert "\x1b" not in on_a_terminal(100, "presets", "film", NO_COLOR="1")
    assert "\x1b" not in on_a_terminal(100, "presets", "film", TERM="dumb")
    assert "\x1b" not in command_line("presets", "film").stdout


def test_a_narrow_window_folds_words_and_a_pipe_nothing(command_line: CommandLine) -> None:
    narrow = re.sub("\x1b\\[[0-9;]*m", "", on_a_terminal(50, "presets")).splitlines()
    assert max(map(len, narrow)) <= 50
    column = narrow[1].index(narrow[1].split()[1])
    assert all(line[:column].strip() == "" or line[column - 1] == " " for line in narrow[1:])
    piped = command_line("presets").stdout.splitlines()
    assert len(piped) == 2 * 8 + 1
    assert max(map(len, piped)) > 100


def test_numbers_end_flush(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models"]) == 0
    table = capsys.readouterr().out.split("\n\n")[1].splitlines()
    heading, *rows = table
    ends = {heading.index("parameters") + len("parameters")}
    assert {row.index(row.split()[2]) + len(row.split()[2]) for row in rows} == ends


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_has_what_a_command_needs(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([*command.split(), "--help"])
    assert ended.value.code == 0
    shown = capsys.readouterr().out
    assert shown.startswith(f"usage: rfdn-video {command}".rstrip())
    if command in ("", "compare", "completion", "eval", "export", "presets", "preview"):
        assert "examples:\n" in shown
    if command == "":
        for group in ("result", "encoder", "network", "part of the video", "report"):
            assert f"\n{group}:\n" in shown
        assert all(f"rfdn-video {name} " in shown for name in COMMANDS)
        assert "on standard output (with -o -, on standard error)" in " ".join(shown.split())


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (["a.mp4", "--overwrit2"], "did you mean --overwrite?"),
        (["a.mp4", "--tune", "vidoe"], "did you mean video?"),
        (["a.mp4", "--precision", "fp61"], "did you mean fp16?"),
        (["comprae", "a.mp4", "b.mp4"], "did you mean compare?"),
        (["preset"], "did you mean presets?"),
        (["batch", "stauts", "out"], "batch stauts: neither a file nor a command; did you mean status?"),
        (["a.mp4", "--deinterlace", "feild"], "did you mean field?"),
        (["compare", "a.mp4", "b.mp4", "--ofset", "1"], "did you mean --offset?"),
    ],
)
def test_slips_are_answered_with_what_is_nearest(
    arguments: list[str], hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert hint in error
    assert len(error.splitlines()) == 1


@pytest.fixture(scope="module")
def scripts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("completion")
    for shell in ("bash", "zsh", "fish"):
        command = [sys.executable, "-m", "rfdn_video", "completion", shell]
        (folder / f"script.{shell}").write_bytes(subprocess.run(command, capture_output=True, check=True).stdout)
    for name in ("compilation.mp4", "film.mkv"):
        (folder / name).touch()
    (folder / "stills").mkdir()
    return folder


CASES = [
    ("comp", {"compare", "completion", "compilation.mp4"}),
    ("fi", {"film.mkv"}),
    ("film.mkv --tun", {"--tune"}),
    ("film.mkv --tune v", {"video"}),
    ("film.mkv --preset a", {"anime", "archive", "av1"}),
    ("film.mkv comp", {"compilation.mp4"}),
    ("compare fi", {"film.mkv"}),
    ("compare film.mkv --vm", {"--vmaf"}),
    ("completion z", {"zsh"}),
    ("batch st", {"status", "stills"}),
    ("batch fi", {"film.mkv"}),
    ("batch film.mkv --set", {"--settle"}),
    ("batch film.mkv -o st", {"stills"}),
    ("batch status st", {"stills"}),
    ("batch status --ch", {"--check"}),
    ("batch status stills --js", {"--json"}),
]


@pytest.mark.parametrize(("typed", "expected"), CASES)
def test_completion_in_bash(scripts: Path, typed: str, expected: set[str]) -> None:
    script = """
        source script.bash
        COMP_WORDS=(rfdn-video "$@"); COMP_CWORD=$#; COMP_LINE="${COMP_WORDS[*]}"; COMP_POINT=${#COMP_LINE}
        _shtab_rfdn_video rfdn-video "${@: -1}" "${COMP_WORDS[COMP_CWORD-1]}"
        printf '%s\\n' "${COMPREPLY[@]}"
    """
    command = ["bash", "-c", script, "bash", *typed.split()]
    done = subprocess.run(command, cwd=scripts, capture_output=True, text=True, check=True)
    assert {line for line in done.stdout.splitlines() if line} == expected


@pytest.mark.skipif(shutil.which("fish") is None, reason="no fish: its completion was NOT tried")
@pytest.mark.parametrize(("typed", "expected"), CASES)
def test_completion_in_fish(scripts: Path, typed: str, expected: set[str]) -> None:
    command = ["fish", "--no-config", "-c", f"source script.fish; complete -C 'rfdn-video {typed}'"]
    done = subprocess.run(command, cwd=scripts, capture_output=True, text=True, check=True)
    assert {line.split("\t")[0].rstrip("/") for line in done.stdout.splitlines()} >= expected


@pytest.mark.skipif(shutil.which("zsh") is None, reason="no zsh: its completion was NOT tried")
def test_completion_in_zsh_is_a_script_that_zsh_reads(scripts: Path) -> None:
    subprocess.run(["zsh", "-n", "script.zsh"], cwd=scripts, check=True)
    assert "#compdef rfdn-video" in (scripts / "script.zsh").read_text()
