"""``rfdn-video INPUT...``: the main job."""

from __future__ import annotations

import argparse
import json
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from rfdn_video.cli.console import describe, fail
from rfdn_video.cli.options import add_progress_argument, add_ray_argument, add_settings_arguments, settings_of
from rfdn_video.cli.output_folder import for_several, made_folder
from rfdn_video.errors import Interrupted, RFDNError, UsageError
from rfdn_video.media.reading.quarantine import prepare_to_try

if TYPE_CHECKING:
    from rfdn_video.settings import Settings

__all__ = ["EXAMPLES", "Execute", "add_arguments", "execute"]

type Execute = Callable[[argparse.Namespace], int]

EXAMPLES = """\
examples:
  rfdn-video film.mp4                      film_x2.mp4, twice as large, beside it
  rfdn-video film.mp4 --height 1080 -o out/
  rfdn-video film.mkv -s 1.5 --start 1:30 --frames 100 --dry-run
  rfdn-video film.mp4 --preset archive     lossless FFV1 in Matroska
  rfdn-video film.mp4 -o - | ffmpeg -i - -c:v libsvtav1 film_x2.webm
  rfdn-video photo.jpg -s 2                still images too

exit codes: 0 done, 2 usage, 3 input, 4 output, 5 weights, 6 device, 7 failed its own check, 130/143 interrupted
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the options of the main job."""
    parser.add_argument(
        "inputs", nargs="+", metavar="INPUT", help="videos, still images, VapourSynth scripts (run as they are)"
    )
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE|DIR|-",
        help="default: <stem>_x2.<ext> beside the input; out/ is a directory, and made where it is not there; "
        "- writes NUT (or --container y4m) to standard output",
    )
    add_settings_arguments(parser)
    add_ray_argument(parser)
    _add_report_arguments(parser.add_argument_group("report"))


def _add_report_arguments(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--dry-run", action="store_true", help="print what would be done, and how long it may take")
    add_progress_argument(group)
    group.add_argument(
        "--json",
        action="store_true",
        help="a summary as one JSON object on standard output (with -o -, on standard error)",
    )
    group.add_argument("-v", "--verbose", action="store_true", help="tracebacks, and FFmpeg's own messages")


def execute(args: argparse.Namespace) -> int:
    """Does every input in turn; a bad one does not stop the others. The first failure gives the exit code."""
    settings = settings_of(args, args.output if len(args.inputs) == 1 else None)
    if len(args.inputs) > 1:
        _check_inputs(args.inputs, args.output)
    _decide_output(args)
    prepare_to_try()  # while what follows is loaded
    from rfdn_video.cli.job import result_stream, run_input
    from rfdn_video.cli.signals import interruptible

    code = 0
    with interruptible(), made_folder(args.output):
        if len(args.inputs) > 1:
            _check_collisions(args, settings)
        for name in args.inputs:
            try:
                run_input(Path(name), args, settings)
            except Interrupted:
                raise
            except RFDNError as error:
                if args.json:
                    record = {"input": name, "error": describe(error), "exit_code": error.exit_code}
                    print(json.dumps(record), file=result_stream(args), flush=True)
                if len(args.inputs) == 1:
                    raise
                failed = fail(error, Path(name))
                code = code or failed
    return code


def _check_inputs(names: list[str], output: str | None) -> None:
    """A word too many is often meant as the output, as with other tools. What is wrong in a file is said later."""
    wrong = next((name for name in names if not _is_file(Path(name))), None)
    if wrong is None:
        return
    is_folder = Path(wrong).is_dir()
    meant = output is None and wrong == names[-1] and (is_folder or len(names) == 2)
    hint = f"; to write to it, give -o {wrong}" if meant else ""
    raise UsageError(f"{wrong}: {'is a directory' if is_folder else 'no such file'}{hint}; nothing was begun")


def _is_file(path: Path) -> bool:
    """A file or the like; what cannot be looked at may be one."""
    try:
        return not stat.S_ISDIR(path.stat().st_mode)
    except FileNotFoundError:
        return False
    except (OSError, ValueError):
        return True


def _decide_output(args: argparse.Namespace) -> None:
    if len(args.inputs) > 1 and args.output is not None:
        args.output = for_several(args.output, len(args.inputs))
    if args.output == "-" and sys.stdout.isatty() and not args.dry_run:
        raise UsageError("standard output is a terminal; pipe it into a program or give --output FILE")


def _check_collisions(args: argparse.Namespace, settings: Settings) -> None:
    """Found before the first input is begun; what is wrong with an input is said when its turn comes."""
    from rfdn_video.cli.job import planned_output

    taken: dict[Path, str] = {}
    inputs = {Path(name).resolve(): name for name in args.inputs}
    for name in args.inputs:
        output = planned_output(Path(name), args, settings)
        if output is None:
            continue
        if output in taken:
            raise UsageError(f"{taken[output]} and {name} would both be written to {output}; do them one by one")
        if output in inputs:
            raise UsageError(f"{name} would be written over {inputs[output]}, an input too; give another --output")
        taken[output] = name
