"""``rfdn-video completion``: a script that completes commands, options and files in bash, zsh or fish.

The first word may be a command or a file, and the one after ``batch`` too: more than shtab writes for bash and zsh.
"""

from __future__ import annotations

import argparse
from importlib import import_module
from pathlib import Path
from typing import Any

__all__ = ["EXAMPLES", "add_arguments", "execute"]

EXAMPLES = """\
examples:
  bash   rfdn-video completion bash > ~/.local/share/bash-completion/completions/rfdn-video
  zsh    rfdn-video completion zsh > "${fpath[1]}/_rfdn-video"
  fish   rfdn-video completion fish > ~/.config/fish/completions/rfdn-video.fish
"""

BASH_FIRST_WORD = """\
_rfdn_video_inputs() {{
  (( COMP_CWORD > 1 )) || compgen -W "{commands}" -- "$1"
  compgen -f -- "$1"
}}
_rfdn_video_sources() {{
  (( COMP_CWORD > 2 )) || compgen -W "status" -- "$1"
  compgen -f -- "$1"
}}
"""
ZSH_END = "\ntypeset -A opt_args\n"
ZSH_FIRST_WORD = """
_shtab_rfdn_video() {{
  local options=_shtab_rfdn_video_options
  local -a commands=({commands})
  if (( CURRENT == 2 )) && [[ $PREFIX != -* ]]; then
    _alternative "commands:command:($commands)" "inputs:input:_files"
    return
  fi
  if (( $commands[(Ie)$words[2]] )); then
    options=_shtab_rfdn_video_$words[2]_options
    shift words
    (( CURRENT-- ))
    if [[ $words[1] == batch ]]; then
      if (( CURRENT == 2 )) && [[ $PREFIX != -* ]]; then
        _alternative "commands:command:(status)" "inputs:input:_files"
        return
      fi
      if [[ $words[2] == status ]]; then
        options=_shtab_rfdn_video_batch_status_options
        shift words
        (( CURRENT-- ))
      fi
    fi
  fi
  _arguments -s ${{(@P)options}} || [[ $PREFIX == -* || $words[CURRENT-1] == -* ]] || _files
}}
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the options of the command."""
    parser.add_argument("shell", choices=("bash", "zsh", "fish"))


def execute(args: argparse.Namespace) -> int:
    """Prints the script."""
    import shtab

    from rfdn_video.cli.main import COMMANDS

    commands = " ".join(COMMANDS)
    bash = BASH_FIRST_WORD.format(commands=commands)
    preamble: Any = {"bash": bash}  # annotated as str there, used as this
    script = shtab.complete(_whole_parser(), shell=args.shell, preamble=preamble)
    if args.shell == "zsh":
        before, end, after = script.rpartition(ZSH_END)
        script = before + ZSH_FIRST_WORD.format(commands=commands) + end + after
    print(script)
    return 0


def _whole_parser() -> argparse.ArgumentParser:
    """All commands in one, beside the main job; for its options only, never to parse with."""
    from rfdn_video.cli import upscale
    from rfdn_video.cli.main import COMMANDS, SUBCOMMANDS

    parser = argparse.ArgumentParser(prog="rfdn-video")
    upscale.add_arguments(parser)
    _name_files(parser)
    _add_commands(parser, "", COMMANDS | SUBCOMMANDS)
    return parser


def _add_commands(parser: argparse.ArgumentParser, prefix: str, known: dict[str, tuple[str, str]]) -> None:
    """Those whose names begin with ``prefix`` and have one word more; then those of two words below them."""
    names = [name for name in known if name.startswith(prefix) and " " not in name.removeprefix(prefix)]
    commands = parser.add_subparsers() if names else None
    for name in names:
        assert commands is not None
        command = commands.add_parser(name.removeprefix(prefix), help=known[name][1])
        import_module(known[name][0]).add_arguments(command)
        _name_files(command)
        _add_commands(command, f"{name} ", known)


def _name_files(parser: argparse.ArgumentParser) -> None:
    import shtab

    from rfdn_video.settings import preset_names

    inputs = shtab.FILE | {"bash": "_rfdn_video_inputs"}
    sources = shtab.FILE | {"bash": "_rfdn_video_sources"}
    for action in parser._actions:
        metavar = str(action.metavar)
        if action.dest == "preset":
            action.choices = preset_names()
        elif metavar in ("DIR", "DST"):
            action.complete = shtab.DIRECTORY  # type: ignore[attr-defined]
        elif metavar == "INPUT":
            action.complete = inputs  # type: ignore[attr-defined]
        elif metavar == "SRC":
            action.complete = sources  # type: ignore[attr-defined]
        elif action.type is Path or "FILE" in metavar:
            action.complete = shtab.FILE  # type: ignore[attr-defined]
