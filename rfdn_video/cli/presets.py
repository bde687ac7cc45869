"""``rfdn-video presets``: what the bundled presets set."""

from __future__ import annotations

import argparse
import json
from typing import Any

from rfdn_video.cli.terminal import print_table
from rfdn_video.settings import describe_preset, load_preset, preset_names

__all__ = ["EXAMPLES", "add_arguments", "execute"]

EXAMPLES = """\
examples:
  rfdn-video presets                              all of them
  rfdn-video presets mine.toml                    what a file of yours sets
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the options of the command."""
    parser.add_argument("name", nargs="?", metavar="NAME", help="show this one only; a .toml file too")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("-v", "--verbose", action="store_true", help="tracebacks")


def execute(args: argparse.Namespace) -> int:
    """Prints one preset, or all."""
    names = [args.name] if args.name else preset_names()
    found: dict[str, dict[str, Any]] = {
        name: {"description": describe_preset(name), "settings": load_preset(name)} for name in names
    }
    if args.json:
        print(json.dumps(found, default=str, indent=2))
        return 0
    rows = [row for name, preset in found.items() for row in _rows(name, preset)]
    print_table(["preset", ""], rows, words=2)
    return 0


def _rows(name: str, preset: dict[str, Any]) -> list[tuple[str, str]]:
    settings = ", ".join(f"{key} {_text(value)}" for key, value in preset["settings"].items())
    return [(name, preset["description"]), ("", settings)]


def _text(value: object) -> str:
    return " ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
