"""What a batch says while it works, and in the end: text with a bar, or JSON lines."""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from typing import Any

from tqdm import tqdm

from rfdn_video.batch.entry import Entry, Run
from rfdn_video.batch.ledger import Ledger
from rfdn_video.batch.owner import Event, Kind
from rfdn_video.batch.status import entry_record, measure
from rfdn_video.cli.console import counted, duration, one_line, warn
from rfdn_video.cli.terminal import print_table
from rfdn_video.errors import InputError

__all__ = ["Report", "print_entries"]

REFRESH_SECONDS = 1.0
"""Between two looks at the ledger for the bar: thousands of files are queued at once."""
TABLE_ROWS = 50
"""Beyond that the summary lists failures only; every file has been reported when its turn was over."""


class Report:
    """Prints events.

    Args:
        ledger: to see how far the whole batch is.
        as_json: one JSON object a line instead of text.
        verbose: tracebacks, and what was skipped.
    """

    def __init__(self, ledger: Ledger, *, as_json: bool, verbose: bool) -> None:
        self._ledger, self._as_json, self._verbose = ledger, as_json, verbose
        self._kinds: Counter[Kind] = Counter()
        self._has_unread = False
        self._shown = -REFRESH_SECONDS
        self._bar: tqdm[Any] = tqdm(
            total=1.0,
            file=sys.stderr,
            disable=as_json or not sys.stderr.isatty(),
            dynamic_ncols=True,
            leave=False,
            bar_format="{percentage:3.0f}%|{bar}| {desc}",
        )

    def close(self) -> None:
        """Takes the bar away."""
        self._bar.close()

    def take(self, event: Event) -> None:
        """Says what has happened."""
        self._kinds[event.kind] += 1
        if self._as_json:
            self._print_json(event)
        else:
            self._print_text(event)
            self._show_progress()

    def note(self, text: str) -> None:
        """Says something that is about no file of the batch."""
        self.take(Event("note", None, text))

    def unread(self, text: str) -> None:
        """Says that something among the sources could not be read: the batch is no success then."""
        self._has_unread = True
        self.note(text)

    def serving(self, url: str) -> None:
        """Says where the status page is."""
        if self._as_json:
            print(json.dumps({"event": "serving", "url": url}), flush=True)
        else:
            print(f"status page: {url}", file=sys.stderr)

    def _print_json(self, event: Event) -> None:
        record: dict[str, Any] = {"event": event.kind}
        if event.entry is not None:
            record |= entry_record(event.entry)
        if event.kind in ("note", "skipped", "retried"):
            record["text"] = event.text
        if event.kind == "progress" and (run := self._ledger.last_run()) is not None:
            progress = measure(self._ledger, run)
            eta = progress.seconds_left
            record["batch"] = {
                "fraction": round(progress.fraction, 4),
                "eta_seconds": None if eta is None else round(eta, 1),
            }
        print(json.dumps(record), flush=True)

    def _print_text(self, event: Event) -> None:
        entry = event.entry
        if entry is None:
            warn(event.text)
        elif event.kind == "finished":
            for note in entry.notes:
                warn(f"{entry.source}: {note}")
            self._write(f"wrote {entry.output}: {counted(entry.frames or 0, 'frame')} in {duration(entry.seconds)}")
        elif event.kind == "failed":
            if self._verbose and event.text:
                tqdm.write(event.text, file=sys.stderr)
            self._complain(_with_source(entry))
        elif event.kind == "retried":
            self._complain(f"{entry.source}: {event.text}; it is tried again")
        elif event.kind == "skipped" and self._verbose:
            self._write(f"skipped {entry.source}: {event.text}")

    def _write(self, text: str) -> None:
        tqdm.write(one_line(text), file=sys.stdout)
        sys.stdout.flush()

    def _complain(self, text: str) -> None:
        tqdm.write(f"rfdn-video: {one_line(text)}", file=sys.stderr)

    def _show_progress(self) -> None:
        now = time.monotonic()
        if self._bar.disable or now - self._shown < REFRESH_SECONDS or (run := self._ledger.last_run()) is None:
            return
        self._shown = now
        progress = measure(self._ledger, run)
        counts = progress.counts
        parts = [f"{counts.get('done', 0)} of {sum(counts.values())} files"]
        if failed := counts.get("failed", 0):
            parts.append(f"{failed} failed")
        if progress.seconds_left is not None:
            parts.append(f"{duration(progress.seconds_left)} left")
        self._bar.set_description_str(", ".join(parts), refresh=False)
        self._bar.n = progress.fraction
        self._bar.refresh()

    def exit_code(self, run: Run) -> int:
        """That of the first failure, by the files' names; else whether all sources could be read."""
        failed = sorted(self._ledger.in_state("failed", run=run), key=lambda entry: entry.source)
        unread = InputError.exit_code if self._has_unread else 0
        return next((entry.exit_code or 1 for entry in failed), unread)

    def summarize(self, run: Run) -> None:
        """Prints what became of all files."""
        kinds = self._kinds
        record = {"done": kinds["finished"], "failed": kinds["failed"], "skipped": kinds["skipped"]}
        if self._as_json:
            print(json.dumps({"event": "summary"} | record | {"exit_code": self.exit_code(run)}), flush=True)
            return
        self._bar.close()
        entries = sorted(self._ledger.in_state("done", "failed", run=run), key=lambda entry: entry.source)
        if len(entries) > TABLE_ROWS:
            entries = [entry for entry in entries if entry.state == "failed"]
        print_entries(entries)
        print(", ".join(f"{count} {what}" for what, count in record.items()), flush=True)


def print_entries(entries: list[Entry]) -> None:
    """Prints a table of files."""
    rows = [
        (
            str(entry.source),
            entry.state if entry.exit_code is None else f"{entry.state} ({entry.exit_code})",
            _result(entry),
            "" if entry.frames is None else str(entry.frames),
            duration(entry.seconds),
        )
        for entry in entries
    ]
    if rows:
        print_table(("file", "state", "result", "frames", "time"), rows, words=3)


def _result(entry: Entry) -> str:
    if entry.reason is not None and entry.state == "failed":
        return entry.reason.removeprefix(f"{entry.source}: ")
    return str(entry.output) if entry.state == "done" else ""


def _with_source(entry: Entry) -> str:
    reason = entry.reason or ""
    return reason if str(entry.source) in reason else f"{entry.source}: {reason}"
