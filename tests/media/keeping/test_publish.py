"""A file appears whole under its name, or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from rfdn_video.errors import OutputError
from rfdn_video.media.keeping.publish import Draft, check_output


def test_published_or_gone(tmp_path: Path) -> None:
    target = tmp_path / "film.mp4"
    with Draft(target, overwrite=False) as draft:
        assert draft.path.parent.parent == tmp_path
        assert draft.path.parent.name == ".film.mp4.unfinished"
        assert draft.path.suffix == ".mp4"
        draft.path.write_bytes(b"film")
        draft.publish()
    assert [p.name for p in tmp_path.iterdir()] == ["film.mp4"]
    with pytest.raises(RuntimeError), Draft(tmp_path / "other.mp4", overwrite=False) as draft:
        draft.path.write_bytes(b"half")
        raise RuntimeError
    assert [p.name for p in tmp_path.iterdir()] == ["film.mp4"]


def test_what_appears_meanwhile_is_left_alone(tmp_path: Path) -> None:
    target = tmp_path / "film.mp4"
    with Draft(target, overwrite=False) as draft:
        draft.path.write_bytes(b"mine")
        target.write_bytes(b"somebody else's")
        with pytest.raises(OutputError, match="left alone"):
            draft.publish()
    assert target.read_bytes() == b"somebody else's"
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.fault(58)
def test_overwrite_replaces(tmp_path: Path) -> None:
    target = tmp_path / "film.mp4"
    target.write_bytes(b"old")
    with Draft(target, overwrite=True) as draft:
        draft.path.write_bytes(b"new")
        draft.publish()
    assert target.read_bytes() == b"new"


def test_refusals(tmp_path: Path) -> None:
    source = tmp_path / "in.mp4"
    source.write_bytes(b"x")
    symlink, hardlink = tmp_path / "symlink.mp4", tmp_path / "hardlink.mp4"
    symlink.symlink_to(source)
    os.link(source, hardlink)
    for output in (source, symlink, hardlink):
        with pytest.raises(OutputError, match="the input itself"):
            check_output(output, source, overwrite=True)
    pipe, link = tmp_path / "pipe.mp4", tmp_path / "link.mp4"
    os.mkfifo(pipe)
    link.symlink_to(pipe)
    for output in (pipe, link, Path("/dev/null")):
        with pytest.raises(OutputError, match="not a regular file"):
            check_output(output, source, overwrite=True)
    existing = tmp_path / "existing.mp4"
    existing.touch()
    with pytest.raises(OutputError, match="--overwrite"):
        check_output(existing, source, overwrite=False)
    check_output(existing, source, overwrite=True)
    with pytest.raises(OutputError, match="no such directory"):
        check_output(tmp_path / "nowhere" / "out.mp4", source, overwrite=False)
