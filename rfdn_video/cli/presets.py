"""``rfdn-video presets``: what the bundled presets set."""

from __future__ import annotations

import argparse
import json
from typing import Any

from rfdn_video.settings import describe_preset, load_preset, preset_names

__all__ = ["add_arguments", "execute"]


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
    for name, preset in found.items():
        print(f"{name:<8} {preset['description']}")
        print("         " + ", ".join(f"{key} {_text(value)}" for key, value in preset["settings"].items()))
    return 0


def _text(value: object) -> str:
    return " ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
