"""``rfdn-video batch status DST``: what a batch has done, is doing and will do."""

from __future__ import annotations

import argparse
import json
import sqlite3
import sys
import threading
from contextlib import closing
from pathlib import Path

from rfdn_video.batch.ledger import Ledger
from rfdn_video.batch.status import Status, read_status
from rfdn_video.cli.batch import add_serve_argument, serving_if
from rfdn_video.cli.batch_report import print_entries
from rfdn_video.cli.console import duration
from rfdn_video.errors import RFDNError

__all__ = ["EXAMPLES", "add_arguments", "execute"]

EXAMPLES = """\
exit code: 0, but with --check 1 where no batch is at work, or was ever
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the options of the command."""
    parser.add_argument("destination", type=Path, metavar="DST", help="the folder of results of a batch")
    parser.add_argument("--json", action="store_true", help="print all of it as one JSON object")
    parser.add_argument("--check", action="store_true", help="print nothing; exit code 0 if a batch is alive, else 1")
    add_serve_argument(parser)


def execute(args: argparse.Namespace) -> int:
    """Prints the state of the batch."""
    if args.check:
        return 0 if _is_alive(args.destination) else 1
    with closing(Ledger(args.destination)) as ledger:
        status = read_status(ledger)
    if args.serve:
        return _serve(args)
    if args.json:
        print(json.dumps(status.record()))
    else:
        _print(status)
    return 0


def _is_alive(destination: Path) -> bool:
    """Nothing is where no ledger is, or none that can be read; containers know no other answer."""
    try:
        with closing(Ledger(destination)) as ledger:
            return read_status(ledger).alive
    except (RFDNError, sqlite3.Error):
        return False


def _serve(args: argparse.Namespace) -> int:
    """Until a signal comes."""
    from rfdn_video.cli.signals import interruptible

    with interruptible(), serving_if(args.serve, args.destination) as url:
        print(f"status page: {url}", file=sys.stderr)
        threading.Event().wait()
    return 0


def _print(status: Status) -> None:
    counts = ", ".join(f"{count} {state}" for state, count in sorted(status.counts.items())) or "no files"
    print(f"{counts}; {_activity(status)}")
    print_entries([*status.running, *status.failed, *status.queued, *status.done])


def _activity(status: Status) -> str:
    if not status.alive or status.progress is None or status.run is None:
        return "no batch is at work"
    left = status.progress.seconds_left
    rest = "" if left is None else f", {duration(left)} left"
    return f"process {status.run.pid} is at work: {100 * status.progress.fraction:.0f} %{rest}"
