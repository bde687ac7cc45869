"""The folder that results go to: made where it is named but not there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from rfdn_video.errors import OutputError, UsageError

__all__ = ["for_several", "made_folder"]


def for_several(output: str, inputs: int) -> str:
    """An ``--output`` of several inputs, as a folder: one that exists, or is to be made.

    Raises:
        UsageError: it can only be a file.
    """
    path = Path(output)
    if path.is_dir() or output.endswith("/"):
        return output
    if output == "-" or path.suffix or path.exists():
        raise UsageError(f"{inputs} inputs and one output {output}; give a directory, such as out/")
    return f"{output}/"


@contextmanager
def made_folder(output: str | None) -> Iterator[None]:
    """Within this block a folder, named with a slash at its end, is there; if nothing has come into it, it goes again.

    Raises:
        OutputError: it cannot be made; its parent must be there.
    """
    if output is None or not output.endswith("/") or Path(output).is_dir():
        yield
        return
    folder = Path(output)
    try:
        folder.mkdir()
    except FileNotFoundError:
        raise OutputError(f"{folder.parent}: no such directory; make it first") from None
    except OSError as error:
        raise OutputError(f"{folder}: cannot be made: {error.strerror}; give another --output") from None
    try:
        yield
    finally:
        with suppress(OSError):
            folder.rmdir()
