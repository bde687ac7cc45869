"""A file appears under its final name whole and checked, or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from rfdn_video.errors import OutputError
from rfdn_video.media.keeping.durable import sync
from rfdn_video.media.keeping.work_folder import WorkFolder

__all__ = ["Draft", "check_output", "check_writable", "is_taken", "rename_new"]


def check_output(output: Path, source: Path, *, overwrite: bool) -> None:
    """Refuses before anything is read what could not, or must not, be written.

    Raises:
        OutputError: it exists and may not be replaced, is the source, a pipe or a device, or its folder is
            missing or read-only.
    """
    folder = output.parent
    if not folder.is_dir():
        raise OutputError(f"{folder}: no such directory; make it first")
    check_writable(folder)
    if not is_taken(output):
        return
    if output.is_dir():
        raise OutputError(f"{output}: is a directory")
    if output.exists() and not output.is_file():
        raise OutputError(f"{output}: is not a regular file; give another --output, or - to write to a pipe")
    if output.exists() and source.exists() and output.samefile(source):
        raise OutputError(f"{output}: is the input itself; give another output")
    if not overwrite:
        raise OutputError(f"{output}: exists already; give --overwrite to replace it, or another --output")


def check_writable(folder: Path, remedy: str = "") -> None:
    """Tries to make a file there.

    Raises:
        OutputError: it cannot be; ends with ``remedy``.
    """
    try:
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise OutputError(f"{folder}: cannot be written to: {error.strerror}{remedy}") from None


def is_taken(output: Path) -> bool:
    """Whether something, perhaps a link to nothing, has this name.

    Raises:
        OutputError: nothing can have it: it is too long.
    """
    try:
        output.lstat()
    except FileNotFoundError:
        return False
    except OSError as error:
        raise OutputError(f"{output}: cannot be written: {error.strerror}; give another --output") from None
    return True


class Draft:
    """A file in a work folder beside ``output`` that becomes it, or vanishes.

    Attributes:
        work: the folder, locked within the ``with`` block.
        path: of the file; it has the output's suffix.

    Raises:
        OutputError: on entering, where another job works on the same output.
    """

    def __init__(self, output: Path, *, overwrite: bool) -> None:
        self._output, self._overwrite = output, overwrite
        self.work = WorkFolder(output)
        self.path = self.work.path / f"draft{output.suffix}"

    def __enter__(self) -> Draft:
        self.work.__enter__()
        self.path.unlink(missing_ok=True)  # of a job that was killed
        return self

    def __exit__(self, *_: object) -> None:
        self.work.__exit__()

    def publish(self) -> None:
        """Gives the finished file its final name, durably.

        Raises:
            OutputError: meanwhile something has appeared there, or the disk refuses.
        """
        try:
            sync(self.path)
            if self._overwrite:
                self.path.replace(self._output)
            else:
                rename_new(self.path, self._output)
            sync(self._output.parent)
        except FileExistsError:
            raise OutputError(f"{self._output}: has appeared while it was being made; it was left alone") from None
        except OSError as error:
            raise OutputError(f"{self._output}: cannot be written: {error.strerror}") from None


def rename_new(source: Path, target: Path) -> None:
    """Renames without ever replacing: a hard link fails where something is there. It may leave both names.

    Raises:
        FileExistsError: something has the name.
    """
    try:
        os.link(source, target)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links
        if os.path.lexists(target):
            raise FileExistsError from None
        source.rename(target)
