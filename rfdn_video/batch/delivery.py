"""A finished result takes its place, and the source goes where it is to go. At least one is there at any time.

A delivery is written to the ledger before it begins. Whatever has ended it half-way, doing it again completes it.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, get_args

from rfdn_video.batch.identity import sha256_of
from rfdn_video.errors import InputError, OutputError
from rfdn_video.media.keeping.durable import sync
from rfdn_video.media.keeping.publish import rename_new
from rfdn_video.stamp import Stamp

__all__ = ["ON_SUCCESS", "Delivery", "OnSuccess", "deliver", "holds", "is_sound"]

type OnSuccess = Literal["keep", "move", "replace"]
ON_SUCCESS: tuple[OnSuccess, ...] = get_args(OnSuccess.__value__)


@dataclass(frozen=True)
class Delivery:
    """What is to be done with one result.

    Attributes:
        source: the file that was enlarged.
        content: its SHA-256.
        staged: the finished, checked result under its temporary name.
        target: where it goes.
        size: of the result in bytes.
        digest: its SHA-256.
        replaced: the file at the target when the work began, whose place it takes; None where none must be.
        on_success: what becomes of the source.
        moved: where the source goes if it is to be moved.
    """

    source: Path
    content: str
    staged: Path
    target: Path
    size: int
    digest: str
    replaced: Stamp | None
    on_success: OnSuccess
    moved: Path | None

    def to_json(self) -> str:
        """As text; names that are no valid text are kept, as escapes."""
        return json.dumps({k: str(v) if isinstance(v, Path) else v for k, v in asdict(self).items()})

    @classmethod
    def from_json(cls, text: str) -> Delivery:
        """What :meth:`to_json` wrote."""
        values = json.loads(text)
        for name in ("source", "staged", "target", "moved"):
            values[name] = None if values[name] is None else Path(values[name])
        values["replaced"] = None if values["replaced"] is None else Stamp(**values["replaced"])
        return cls(**values)


def is_sound(delivery: Delivery) -> bool:
    """The finished result is still what it was: under its temporary name, or in its place already.

    Raises:
        InputError: it cannot be read.
    """
    result = delivery.staged if delivery.staged.exists() else delivery.target
    return holds(result, delivery.size, delivery.digest)


def deliver(delivery: Delivery) -> None:
    """Puts the result in its place, then removes or moves the source.

    Raises:
        OutputError: something is in the way, the result has vanished, or the disk refuses. The source is there.
        InputError: the source is no longer what was enlarged; it was left alone.
    """
    source, target = delivery.source, delivery.target
    try:
        if delivery.staged.exists():
            _place_result(delivery)
        elif not holds(target, delivery.size, delivery.digest):
            raise OutputError(f"{target}: the finished result has vanished from {delivery.staged}")
        if delivery.on_success == "keep" or source == target or not source.exists():
            return
        _check_source(delivery)
        if delivery.moved is not None:
            _place(source, delivery.moved, delivery.content, replaced=None)
        else:
            source.unlink()
    except OSError as error:
        raise OutputError(f"{error.filename or target}: {error.strerror}") from None


def _place_result(delivery: Delivery) -> None:
    if delivery.source == delivery.target:
        if holds(delivery.target, delivery.size, delivery.digest):  # a copy that was ended just before its last step
            delivery.staged.unlink()
            return
        _check_source(delivery)
        shutil.copymode(delivery.source, delivery.staged)
    _place(delivery.staged, delivery.target, delivery.digest, replaced=delivery.replaced)


def _check_source(delivery: Delivery) -> None:
    if sha256_of(delivery.source) != delivery.content:
        raise InputError(f"{delivery.source}: has changed since it was read; it was left alone")


def holds(path: Path, size: int, digest: str) -> bool:
    """Whether a file is there and has this content."""
    return path.is_file() and path.stat().st_size == size and sha256_of(path) == digest


def _place(file: Path, target: Path, digest: str, *, replaced: Stamp | None) -> None:
    """Moves a file. On another file system it is copied, and read back before the first one goes."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if holds(target, file.stat().st_size, digest):
        file.unlink()
        return
    try:
        _rename(file, target, replaced=replaced)
    except OSError as error:  # between two mounts of one disk too, whose device numbers are equal
        if error.errno != errno.EXDEV:
            raise
    else:
        return
    place = hashlib.blake2b(os.fsencode(target.name), digest_size=4).hexdigest()
    copy = target.with_name(f".{digest[:16]}.{place}.arriving")  # one that was ended is written over
    try:
        shutil.copy2(file, copy)
        sync(copy)
        if sha256_of(copy) != digest:
            raise OutputError(f"{target}: the copy is not what {file} is; look into the disk's health")
        _rename(copy, target, replaced=replaced)
    finally:
        copy.unlink(missing_ok=True)
    file.unlink()


def _rename(file: Path, target: Path, *, replaced: Stamp | None) -> None:
    if replaced is not None:
        if Stamp.of(target) not in (replaced, None):
            raise OutputError(f"{target}: is another file than when the work began; it was left alone")
        file.replace(target)
    else:
        try:
            rename_new(file, target)
        except FileExistsError:
            raise OutputError(f"{target}: exists already, and did not when the work began; it was left alone") from None
        file.unlink(missing_ok=True)  # of two names, the one that is not wanted any more
    if os.name == "posix":
        sync(target.parent)
