"""A delivery that was ended anywhere is completed by doing it again, and never leaves neither file."""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from rfdn_video.batch import delivery as module
from rfdn_video.batch.delivery import Delivery, OnSuccess, deliver
from rfdn_video.errors import InputError, OutputError
from rfdn_video.stamp import Stamp

OLD, NEW = b"the source", b"the result"


class Killed(BaseException):
    """As if the process ended here."""


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.fixture(params=["keep", "move", "replace", "replace by another suffix"])
def made(request: pytest.FixtureRequest, tmp_path: Path) -> Delivery:
    """A delivery about to begin, of every kind."""
    on_success: OnSuccess = request.param.split()[0]
    source, staged = tmp_path / "in" / "a.avi", tmp_path / "work" / "a_x2.mkv"
    for path, content in ((source, OLD), (staged, NEW)):
        path.parent.mkdir()
        path.write_bytes(content)
    target = tmp_path / "out" / "sub" / "a_x2.mkv"
    if on_success == "replace":
        target = source if request.param == "replace" else source.with_suffix(".mkv")
    return Delivery(
        source=source,
        content=digest(OLD),
        staged=staged,
        target=target,
        size=len(NEW),
        digest=digest(NEW),
        replaced=Stamp.of(source) if target == source else None,
        on_success=on_success,
        moved=tmp_path / "done" / "a.avi" if on_success == "move" else None,
    )


def check(done: Delivery) -> None:
    assert done.target.read_bytes() == NEW
    assert not done.staged.exists()
    if done.on_success == "keep":
        assert done.source.read_bytes() == OLD
    elif done.moved is not None:
        assert done.moved.read_bytes() == OLD
        assert not done.source.exists()
    else:
        assert done.source.exists() == (done.source == done.target)
    assert not [path for path in done.target.parent.iterdir() if path.name.startswith(".")]


def test_it_arrives_and_may_be_done_again(made: Delivery) -> None:
    deliver(made)
    check(made)
    deliver(made)
    check(made)


def test_as_text_it_is_the_same(made: Delivery) -> None:
    assert Delivery.from_json(made.to_json()) == made


def part_folders(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if each folder were a mount of its own."""

    def apart(real):  # type: ignore[no-untyped-def]
        def run(file, target):  # type: ignore[no-untyped-def]
            if Path(file).parent != Path(target).parent:
                raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))
            return real(file, target)

        return run

    monkeypatch.setattr(os, "link", apart(os.link))
    for name in ("rename", "replace"):
        monkeypatch.setattr(Path, name, apart(getattr(Path, name)))


def steps(monkeypatch: pytest.MonkeyPatch, kill_at: int) -> Iterator[None]:
    """Ends the process just before the step of this number that changes a directory."""
    count = 0

    def step(real):  # type: ignore[no-untyped-def]
        def run(*args, **kwargs):  # type: ignore[no-untyped-def]
            nonlocal count
            count += 1
            if count == kill_at:
                raise Killed
            return real(*args, **kwargs)

        return run

    with monkeypatch.context() as patch:
        for name in ("unlink", "replace", "rename", "mkdir"):
            patch.setattr(Path, name, step(getattr(Path, name)))
        patch.setattr(os, "link", step(os.link))
        patch.setattr(module.shutil, "copy2", step(module.shutil.copy2))
        yield


@pytest.mark.fault(57, 58)
@pytest.mark.parametrize("other_disk", [False, True])
@pytest.mark.parametrize("kill_at", range(1, 19))  # a move to another disk has 18 steps
def test_killed_at_any_step_and_done_again(
    made: Delivery, kill_at: int, other_disk: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if other_disk:
        part_folders(monkeypatch)
    for _ in steps(monkeypatch, kill_at):
        try:
            deliver(made)
        except Killed:
            contents = [path.read_bytes() for path in made.source.parent.parent.rglob("*") if path.is_file()]
            assert NEW in contents
            assert OLD in contents or made.on_success == "replace"
    deliver(made)
    check(made)


def test_what_is_in_the_way_stays(made: Delivery) -> None:
    if made.target == made.source:
        pytest.skip("the source's own place is free")
    made.target.parent.mkdir(parents=True, exist_ok=True)
    made.target.write_bytes(b"somebody's")
    with pytest.raises(OutputError, match="exists already"):
        deliver(made)
    assert made.target.read_bytes() == b"somebody's"
    assert (made.source.read_bytes(), made.staged.read_bytes()) == (OLD, NEW)


@pytest.mark.fault(58)
@pytest.mark.parametrize("later", [b"another film", None])
def test_only_the_file_that_was_there_is_replaced(made: Delivery, later: bytes | None) -> None:
    """--overwrite means what lay there when the work began, not a film that has come since."""
    if made.target == made.source:
        pytest.skip("what has changed there is a source")
    made.target.parent.mkdir(parents=True, exist_ok=True)
    made.target.write_bytes(b"an older result")
    delivery = replace(made, replaced=Stamp.of(made.target))
    if later is None:
        deliver(delivery)
        check(delivery)
        return
    made.target.write_bytes(later)
    with pytest.raises(OutputError, match="another file than when the work began"):
        deliver(delivery)
    assert made.target.read_bytes() == later
    assert (made.source.read_bytes(), made.staged.read_bytes()) == (OLD, NEW)


@pytest.mark.fault(58)
def test_a_source_that_has_changed_stays(made: Delivery) -> None:
    if made.on_success == "keep":
        pytest.skip("the source is not touched")
    made.source.write_bytes(b"a newer one")
    with pytest.raises(InputError, match="has changed"):
        deliver(made)
    assert made.source.read_bytes() == b"a newer one"


def test_a_result_that_has_vanished_is_not_taken_for_done(made: Delivery) -> None:
    made.staged.unlink()
    with pytest.raises(OutputError, match="vanished"):
        deliver(made)
    assert made.source.read_bytes() == OLD
