"""Which files a batch finds."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from rfdn_video.batch.sources import Selection, find_sources
from rfdn_video.errors import InputError

NAMES = ("a.mp4", "B.MKV", "notes.txt", ".hidden.mp4", "evil.vpy", "sub/deep/c.mov", ".git/d.mp4", "out/e_x2.mp4")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in NAMES:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return tmp_path


def found(*roots: Path, selection: Selection = Selection()) -> list[str]:  # noqa: B008
    return [str(source.folder / source.path.name) for source in find_sources(roots, selection, pytest.fail)]


def test_videos_of_a_folder_with_their_place_in_the_tree(tree: Path) -> None:
    assert found(tree, selection=Selection(avoid=(tree / "out",))) == ["B.MKV", "a.mp4", "sub/deep/c.mov"]


def test_patterns_are_of_names_or_ends_of_paths_in_any_case(tree: Path) -> None:
    assert found(tree, selection=Selection(include=("*.mkv", "deep/*"))) == ["B.MKV", "sub/deep/c.mov"]
    assert found(tree, selection=Selection(include=("*",), exclude=("*.m*", "notes*"))) == []


def test_scripts_are_never_taken_out_of_a_folder_but_by_name(tree: Path) -> None:
    assert "evil.vpy" not in found(tree, selection=Selection(include=("*",)))
    assert found(tree / "evil.vpy", tree / "notes.txt") == ["evil.vpy", "notes.txt"]


def test_a_script_is_not_taken_under_another_name_either(tmp_path: Path) -> None:
    (tmp_path / ".hidden.vpy").touch()
    (tmp_path / "film.mp4").symlink_to(tmp_path / ".hidden.vpy")
    assert found(tmp_path) == []


def test_every_file_once_whatever_leads_to_it(tree: Path) -> None:
    (tree / "link.mp4").symlink_to(tree / "a.mp4")
    (tree / "loop").symlink_to(tree)
    names = [source.path.name for source in find_sources([tree, tree / "a.mp4"], Selection(), pytest.fail)]
    assert sorted(names) == ["B.MKV", "a.mp4", "c.mov", "e_x2.mp4"]


def test_links_in_circles_are_no_files(tmp_path: Path) -> None:
    for name in ("a.mp4", "folder"):
        (tmp_path / name).symlink_to(name)
    assert list(find_sources([tmp_path], Selection(), lambda _: None)) == []


def test_a_root_that_is_neither_file_nor_folder(tmp_path: Path) -> None:
    """Reading a pipe would wait for ever."""
    os.mkfifo(tmp_path / "pipe.mp4")
    with pytest.raises(InputError, match="neither a file nor a folder"):
        found(tmp_path / "pipe.mp4")


def test_a_root_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file or directory"):
        found(tmp_path / "nothing")


def test_a_file_that_cannot_be_asked_about_is_told_and_passed_over(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a network drive that has lost it."""
    is_file, told = Path.is_file, list[str]()

    def ask(path: Path) -> bool:
        if path.name == "B.MKV":
            raise OSError(errno.ESTALE, "Stale file handle", str(path))
        return is_file(path)

    monkeypatch.setattr(Path, "is_file", ask)
    names = [source.path.name for source in find_sources([tree / "sub", tree], Selection(), told.append)]
    assert names == ["c.mov", "a.mp4", "e_x2.mp4"]
    assert told == [f"{tree / 'B.MKV'}: cannot be read: Stale file handle"]
