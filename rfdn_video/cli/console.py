"""Standard output and error, which never end the work (their reader may go away), and what is said on them."""

from __future__ import annotations

import io
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any, TextIO

from rfdn_video.errors import RFDNError

__all__ = ["Patient", "be_patient", "counted", "describe", "duration", "fail", "one_line", "say", "warn"]

_CONTROLS = {code: f"\\x{code:02x}" for code in (*range(0x20), *range(0x7F, 0xA0))} | dict.fromkeys(b"\t\n\r", " ")


class Patient(io.TextIOBase):
    """Passes text on for as long as somebody takes it; then it is silent.

    What a strict encoding cannot say is written as an escape: a file's name may be any bytes.

    Args:
        stream: where the text goes; None, as Python has it where the descriptor was closed, is silence.
    """

    def __init__(self, stream: TextIO | None) -> None:
        self._stream = stream
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """Of what is below."""
        return getattr(self._stream, "encoding", None) or "utf-8"

    def isatty(self) -> bool:
        """Somebody may be looking."""
        return self._stream is not None and self._stream.isatty()

    def write(self, text: str) -> int:
        """Takes the text in any case."""
        if self._stream is not None:
            try:
                self._stream.write(text)
            except (OSError, ValueError):
                self._give_up()
        return len(text)

    def flush(self) -> None:
        """Passes on what is buffered."""
        if self._stream is not None:
            try:
                self._stream.flush()
            except (OSError, ValueError):
                self._give_up()

    def _give_up(self) -> None:
        """Python flushes the stream once more when it ends; that must find somebody."""
        stream, self._stream = self._stream, None
        assert stream is not None
        with suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def one_line(text: str) -> str:
    """Without line ends, and what would steer a terminal as escapes: a file's name may hold it."""
    return text.strip().translate(_CONTROLS)


def counted(count: int, thing: str) -> str:
    """``"1 frame"``, ``"2 frames"``."""
    return f"{count} {thing}{'' if count == 1 else 's'}"


def duration(seconds: float | None) -> str:
    """As h:mm:ss, or m:ss."""
    if seconds is None:
        return ""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def say(*lines: str, file: TextIO | None = None) -> None:
    """Prints lines, each by :func:`one_line`: for whatever holds a file's name, or words out of it."""
    print(*map(one_line, lines), sep="\n", file=file, flush=True)


def warn(text: str) -> None:
    """Says what somebody should know though the work goes on; above a progress bar, where there is one."""
    from tqdm import tqdm

    tqdm.write(one_line(f"rfdn-video: warning: {text}"), file=sys.stderr)


def fail(error: RFDNError, source: Path | None = None) -> int:
    """Prints an error as one line; returns its exit code.

    Args:
        error: what went wrong.
        source: one of several inputs, which the line names.
    """
    text = describe(error)
    if source is not None and not text.startswith(f"{source}:"):
        text = f"{source}: {text}"
    say(f"rfdn-video: {text}", file=sys.stderr)
    return error.exit_code


def describe(error: RFDNError) -> str:
    """What went wrong, and what became of the work."""
    return "; ".join((str(error), *getattr(error, "__notes__", ())))


def be_patient() -> None:
    """Puts both standard streams behind :class:`Patient`."""
    if not isinstance(sys.stdout, Patient):
        sys.stdout, sys.stderr = Patient(sys.stdout), Patient(sys.stderr)
