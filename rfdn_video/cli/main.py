"""Entry point: finds the command, runs it, turns errors into one line and an exit code.

Importing this module, and asking for help, imports neither torch nor av.
"""

from __future__ import annotations

import argparse
import re
import sys
import traceback
from collections.abc import Sequence
from errno import ENAMETOOLONG
from importlib import import_module
from pathlib import Path
from typing import NoReturn

from rfdn_video import __version__
from rfdn_video.cli import upscale
from rfdn_video.cli.console import be_patient, fail
from rfdn_video.cli.parser import Parser
from rfdn_video.errors import RFDNError, UsageError
from rfdn_video.hints import did_you_mean

__all__ = ["main", "run"]

COMMANDS = {
    "batch": ("rfdn_video.cli.batch", "does folders of files, several at a time, and remembers what is done"),
    "bench": ("rfdn_video.cli.bench", "measures every stage here, and suggests settings"),
    "compare": ("rfdn_video.cli.compare", "measures videos against a reference: PSNR, SSIM, flicker, seams"),
    "completion": ("rfdn_video.cli.completion", "prints a script that completes in bash, zsh or fish"),
    "doctor": ("rfdn_video.cli.doctor", "shows versions, devices, encoders and weights"),
    "eval": ("rfdn_video.cli.eval", "measures PSNR and SSIM of weights on a folder of images"),
    "export": ("rfdn_video.cli.export", "writes a network as an ONNX file"),
    "models": ("rfdn_video.cli.models", "lists networks, their cost, and the bundled weights"),
    "preview": ("rfdn_video.cli.preview", "writes a page that shows crops enlarged in several ways"),
    "presets": ("rfdn_video.cli.presets", "lists the presets and what each sets"),
    "study": ("rfdn_video.cli.study", "trains and compares the paper's blocks, ratios and networks"),
    "train": ("rfdn_video.cli.train", "trains a network by a recipe"),
}
"""Name -> (module with add_arguments and execute, what it does). Without a command, files are upscaled."""

SUBCOMMANDS = {"batch status": ("rfdn_video.cli.batch_status", "says what a batch has done and is doing")}
"""The same, for two words."""


def run() -> NoReturn:
    """Runs the command line of this process."""
    be_patient()
    sys.exit(main(sys.argv[1:]))


def main(argv: Sequence[str]) -> int:
    """Runs a command line; returns the exit code."""
    verbose = "-v" in argv or "--verbose" in argv
    try:
        parser, execute, rest = _command(argv)
        return execute(parser.parse_line(rest))
    except RFDNError as error:
        if verbose:
            traceback.print_exc()
        return fail(error)
    except OSError as error:  # whoever asks for a file may meet it
        if error.errno != ENAMETOOLONG:
            raise
        return fail(UsageError(f"{error.filename}: {error.strerror}; give a shorter one"))
    except KeyboardInterrupt:
        print("rfdn-video: interrupted", file=sys.stderr)
        return 130


def _check_command(argv: Sequence[str]) -> None:
    """A word in the place of a command that is neither a file nor looks like one may be a command mistyped."""
    for place, word in enumerate(argv[:2]):
        before = list(argv[:place])
        commands = {words[-1] for name in COMMANDS | SUBCOMMANDS if (words := name.split())[:-1] == before}
        if word in commands or not re.fullmatch(r"[a-z]+", word) or Path(word).exists():
            continue
        if hint := did_you_mean(word, commands):
            wrong = " ".join((*before, word))
            raise UsageError(f"{wrong}: neither a file nor a command{hint} rfdn-video --help lists all")


def _command(argv: Sequence[str]) -> tuple[Parser, upscale.Execute, list[str]]:
    _check_command(argv)
    known = COMMANDS | SUBCOMMANDS
    name = next((name for name in (" ".join(argv[:2]), *argv[:1]) if name in known), None)
    if name is not None:
        module_name, purpose = known[name]
        module = import_module(module_name)
        parser = Parser(
            prog=f"rfdn-video {name}",
            description=f"{purpose[0].upper()}{purpose[1:]}.",
            epilog=getattr(module, "EXAMPLES", None),
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        module.add_arguments(parser)
        rest = list(argv[len(name.split()) :])
        return parser, module.execute, getattr(module, "join_options", list)(rest)
    commands = "\n".join(f"  rfdn-video {name:<12} {text}" for name, (_, text) in known.items())
    parser = Parser(
        prog="rfdn-video",
        usage="rfdn-video INPUT... [options]",
        description="Makes videos larger and sharper with RFDN / E-RFDN. Sound, subtitles and timestamps stay.",
        epilog=f"{upscale.EXAMPLES}\ncommands (rfdn-video COMMAND --help says more):\n{commands}\n",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"rfdn-video {__version__}")
    upscale.add_arguments(parser)
    return parser, upscale.execute, list(argv)
