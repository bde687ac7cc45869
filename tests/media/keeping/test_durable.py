"""Waiting for the disk."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pytest

from rfdn_video.media.keeping.durable import replace_file, sync


def test_file_systems_that_sync_no_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse_folders(descriptor: int) -> None:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "Invalid argument")

    monkeypatch.setattr(os, "fsync", refuse_folders)
    replace_file(tmp_path / "a", b"new")
    assert (tmp_path / "a").read_bytes() == b"new"


@pytest.mark.parametrize("code", [errno.EINVAL, errno.EIO])
def test_what_was_not_written_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    def refuse(_: int) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "fsync", refuse)
    (tmp_path / "a").touch()
    with pytest.raises(OSError, match=os.strerror(code)):
        sync(tmp_path / "a")
    if code == errno.EIO:
        with pytest.raises(OSError, match=os.strerror(code)):
            sync(tmp_path)
