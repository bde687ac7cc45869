"""``rfdn-video batch SRC... -o DST``: folders of files, several at a time, each of them once."""

from __future__ import annotations

import argparse
import json
import os
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from rfdn_video.batch.delivery import ON_SUCCESS
from rfdn_video.batch.serving.address import Address, parse_address
from rfdn_video.batch.sources import VIDEO_PATTERNS, Selection, Source, find_sources
from rfdn_video.cli.console import say, warn
from rfdn_video.cli.environment import options_from
from rfdn_video.cli.options import (
    add_ray_argument,
    add_settings_arguments,
    for_argparse,
    parse_patience,
    settings_of,
)
from rfdn_video.cli.parser import Parser
from rfdn_video.errors import InputError, OutputError, RFDNError, UsageError

if TYPE_CHECKING:
    from rfdn_video.batch.ledger import Ledger
    from rfdn_video.batch.owner import Options, Owner
    from rfdn_video.cli.batch_report import Report

__all__ = ["EXAMPLES", "add_arguments", "execute", "join_options"]

FATE = "the same command goes on with what was begun"
RAY_JOBS = 4
"""Files at a time: while one is joined, segments of the others keep the machines busy."""

EXAMPLES = """\
examples:
  rfdn-video batch films/ -o enlarged/ --jobs 2
  rfdn-video batch films/ more/film.mkv -o enlarged/ --include '*.mkv' --exclude '*sample*' --preset archive
  rfdn-video batch films/ -o enlarged/ --on-success move --move-to films_done/
  rfdn-video batch incoming/ -o enlarged/ --watch
  rfdn-video batch status enlarged/        what is done, running, waiting, and why what failed

Options may also be environment variables, RFDN_BATCH_SCALE=3 for --scale 3; those of the command line win,
--height over RFDN_BATCH_SCALE too.
The same command again does what is not done yet. exit codes: 0 all done, else that of the first failure:
2 usage, 3 input, 4 output, 5 weights, 6 device, 7 failed its own check, 130/143 interrupted
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the options of the command: its own, and those of the main job."""
    parser.add_argument(
        "sources", nargs="+", type=Path, metavar="SRC", help="files, and folders with all that is in them"
    )
    parser.add_argument(
        "-o", "--output", type=Path, required=True, metavar="DST", help="folder of the results; the tree is kept"
    )
    _add_batch_arguments(parser.add_argument_group("batch"))
    add_settings_arguments(parser)
    add_ray_argument(parser)


def _add_batch_arguments(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--include",
        action="append",
        metavar="GLOB",
        help="of folders, only such files; again for more (default: videos)",
    )
    group.add_argument("--exclude", action="append", default=[], metavar="GLOB", help="and none of these")
    group.add_argument(
        "--jobs",
        type=int,
        metavar="N",
        help="files at a time (default: one, or one for each device of --device; 4 with --ray)",
    )
    group.add_argument(
        "--retries", type=int, default=1, metavar="N", help="further tries after a failure of the device (default 1)"
    )
    group.add_argument(
        "--on-success",
        choices=ON_SUCCESS,
        default="keep",
        help="what becomes of a source: it stays (default), goes to --move-to, or is replaced by its result",
    )
    group.add_argument("--move-to", type=Path, metavar="DIR", help="folder for the sources that are done")
    group.add_argument("--watch", action="store_true", help="go on, and do what is put into the folders, when complete")
    group.add_argument(
        "--settle",
        type=parse_patience,
        default=5.0,
        metavar="S",
        help="with --watch: a file is complete when it has not changed for S seconds (default 5)",
    )
    add_serve_argument(group)
    group.add_argument("--dry-run", action="store_true", help="list what would be done")
    group.add_argument("--json", action="store_true", help="one JSON object a line for everything that happens")
    group.add_argument("-v", "--verbose", action="store_true", help="tracebacks")


def add_serve_argument(group: argparse._ActionsContainer) -> None:
    """Declares ``--serve``."""
    group.add_argument(
        "--serve",
        type=for_argparse(parse_address),
        metavar="[HOST:]PORT",
        help="show a status page, /status.json and /metrics there; to this machine only, unless a HOST is given",
    )


def serving_if(address: Address | None, destination: Path) -> AbstractContextManager[str | None]:
    """The server where one is wanted; gives its URL."""
    if address is None:
        return nullcontext()
    from rfdn_video.batch.serving.server import serving

    if not address.is_loopback:
        warn(f"--serve {address}: whoever reaches this machine sees file names and pictures; there is no password")
    return serving(address, destination)


def join_options(argv: Sequence[str]) -> list[str]:
    """Those of the environment, then those of the command line, which win."""
    parser = Parser(prog="rfdn-video batch")
    add_arguments(parser)
    return [*options_from(os.environ, parser, ("SRC", "-o", "DST"), argv), *argv]


def execute(args: argparse.Namespace) -> int:
    """Does the batch; the first failure gives the exit code."""
    options = _options(args)
    from rfdn_video.batch.ledger import Ledger, ledger_path
    from rfdn_video.batch.lock import sole_owner
    from rfdn_video.cli.batch_report import Report
    from rfdn_video.cli.signals import interruptible

    if args.dry_run:
        return _list(args, options)
    path = ledger_path(args.output)
    try:
        with (
            interruptible(FATE),
            serving_if(args.serve, args.output) as url,
            sole_owner(args.output, path.parent),
            closing(Ledger(args.output, create=True)) as ledger,
            closing(Report(ledger, as_json=args.json, verbose=args.verbose)) as report,
        ):
            if url is not None:
                report.serving(url)
            return _run(args, options, ledger, report)
    except sqlite3.Error as error:
        remedy = "see whether the disk is there and has room; the same command goes on from there"
        raise OutputError(f"{path}: cannot be used any more: {error}; {remedy}") from None


def _run(args: argparse.Namespace, options: Options, ledger: Ledger, report: Report) -> int:
    from rfdn_video.batch.owner import Owner
    from rfdn_video.cli.signals import interruptible

    if options.ray is not None:  # a cluster of this machine lives as long as this process
        from rfdn_video.cluster.connect import connect, shortage

        options = replace(options, ray=connect(options.ray))
        if (missing := shortage(options.settings.device)) is not None:
            report.note(missing)

    code = 1
    owner = Owner(options, ledger, report.take)
    try:
        with interruptible(FATE):  # so that what the ledger says is not a fault of ours
            _work(args, owner, report)
        code = report.exit_code(owner.run)
    except RFDNError as error:
        code = error.exit_code
        raise
    finally:
        ledger.end_run(owner.run, code)
    report.summarize(owner.run)
    return code


def _work(args: argparse.Namespace, owner: Owner, report: Report) -> None:
    if args.watch:
        _watch(args, owner, report)
        return
    owner.consider(_sources(args, report.note, report.unread))
    owner.work()


def _watch(args: argparse.Namespace, owner: Owner, report: Report) -> None:
    """Until a signal comes."""
    from rfdn_video.batch.scanner import Scanner
    from rfdn_video.batch.watch import Watch, watching

    told: set[str] = set()

    def tell_once(text: str) -> None:
        if text not in told:
            told.add(text)
            scanner.tell(text)

    scanner, selection = Scanner(report.note), _selection(args)
    with watching(args.sources) as changed:
        watch = Watch(
            args.sources,
            lambda root: find_sources([root], selection, tell_once),
            args.settle,
            changed,
            scanner.tell,
        )

        def more() -> bool:
            owner.consider(scanner.found())
            return True

        with scanner.searching(watch.complete):
            owner.work(more, least=1)  # so that a device that is not there is known before a file comes


def _options(args: argparse.Namespace) -> Options:
    from rfdn_video.batch.owner import Options

    if args.output == Path("-"):
        raise UsageError("-o -: a batch writes files, nothing to standard output; give a folder")
    settings = settings_of(args)
    if args.on_success == "replace":
        if (settings.start, settings.end, settings.frames) != (None, None, None):
            raise UsageError("--on-success replace: without --start, --end and --frames; a part must not replace all")
        if settings.salvage:
            raise UsageError("--on-success replace: without --salvage, which may leave only a part of the source")
        settings = replace(settings, verify="full")
    if (args.on_success == "move") != (args.move_to is not None):
        raise UsageError("--on-success move and --move-to DIR go together: the folder for the sources that are done")
    devices = settings.device.count(",") + 1
    jobs = args.jobs if args.jobs is not None else RAY_JOBS if args.ray is not None else devices
    if jobs < 1 or args.retries < 0:
        raise UsageError("--jobs: 1 or more, --retries: 0 or more")
    if not all((*(args.include or []), *args.exclude)):
        raise UsageError("--include, --exclude: a pattern is empty; '*' fits every file")
    moved_to = None if args.move_to is None else args.move_to.resolve()  # sources are known by such paths too
    return Options(
        destination=args.output.resolve(),
        settings=settings,
        jobs=jobs,
        retries=args.retries,
        on_success=args.on_success,
        moved_to=moved_to,
        stall_timeout=args.stall_timeout,
        thumbnails=args.serve is not None,
        ray=args.ray,
    )


def _list(args: argparse.Namespace, options: Options) -> int:
    """What a batch would take up, without beginning one."""
    from rfdn_video.batch.identity import settings_digest
    from rfdn_video.batch.known import is_done, is_result
    from rfdn_video.batch.ledger import Ledger, ledger_path

    unread: list[str] = []
    sources, settings = _sources(args, warn, unread.append), settings_digest(options.settings)
    if ledger_path(args.output).exists():
        with closing(Ledger(args.output)) as ledger:
            paths = [source.path for source in sources]
            done = {path for path in paths if is_result(ledger, path) or is_done(ledger, path, settings)}
    else:
        done = set()
    for source in sources:
        state, name = "done" if source.path in done else "queued", str(source.path)
        say(json.dumps({"event": state, "input": name}) if args.json else f"{state:<7} {name}")
    for text in unread:
        warn(text)
    return InputError.exit_code if unread else 0


def _selection(args: argparse.Namespace) -> Selection:
    avoid = [args.output, args.move_to] if args.move_to else [args.output]
    include = tuple(args.include) if args.include else VIDEO_PATTERNS
    return Selection(include, tuple(args.exclude), tuple(path.resolve() for path in avoid))


def _sources(args: argparse.Namespace, note: Callable[[str], None], unread: Callable[[str], None]) -> list[Source]:
    sources = list(find_sources(args.sources, _selection(args), unread))
    if not sources:
        note("no file is taken: none in the folders fits --include (by default: names of videos) and --exclude")
    return sources
