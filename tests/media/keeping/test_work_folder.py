"""One job at a time on one output, and nothing left of those that are over."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from rfdn_video.errors import OutputError
from rfdn_video.media.keeping.work_folder import WorkFolder, work_folder


def test_it_is_there_while_it_is_needed(tmp_path: Path) -> None:
    with WorkFolder(tmp_path / "film.mp4") as work:
        assert work.path.parent == tmp_path
        assert work.path.name == ".film.mp4.unfinished"
        (work.path / "draft.mp4").touch()
    assert not list(tmp_path.iterdir())


@pytest.mark.fault(62)
def test_fault_62_two_jobs_one_target(tmp_path: Path) -> None:
    """In one process and in two."""
    target = tmp_path / "film.mp4"
    code = (
        "import sys; from pathlib import Path; from rfdn_video.media.keeping.work_folder import WorkFolder\n"
        "WorkFolder(Path(sys.argv[1])).__enter__()"
    )
    with WorkFolder(target):
        with pytest.raises(OutputError, match="another job"):
            WorkFolder(target).__enter__()
        other = subprocess.run([sys.executable, "-c", code, target], capture_output=True, text=True, check=False)
        assert "another job" in other.stderr
    with WorkFolder(target):
        pass


@pytest.mark.fault(62)
def test_fault_62_the_lock_of_a_killed_job_does_not_block(tmp_path: Path) -> None:
    target = tmp_path / "film.mp4"
    code = (
        "import os, signal, sys; from pathlib import Path\n"
        "from rfdn_video.media.keeping.work_folder import WorkFolder\n"
        "WorkFolder(Path(sys.argv[1])).__enter__(); os.kill(os.getpid(), signal.SIGKILL)"
    )
    killed = subprocess.run([sys.executable, "-c", code, target], check=False)
    assert killed.returncode == -9
    assert work_folder(target).is_dir()
    with WorkFolder(target):
        pass
    assert not list(tmp_path.iterdir())


@pytest.mark.fault(53)
def test_a_link_leads_nowhere(tmp_path: Path) -> None:
    """What lies in the folder is swept away: it must not be a folder of somebody else."""
    target, precious = tmp_path / "film.mp4", tmp_path / "elsewhere" / "precious"
    precious.parent.mkdir()
    precious.touch()
    work_folder(target).symlink_to(precious.parent)
    with pytest.raises(OutputError, match="is a symbolic link; remove it"):
        WorkFolder(target).__enter__()
    assert precious.exists()
    assert work_folder(target).is_symlink()


def test_a_folder_that_vanishes(tmp_path: Path) -> None:
    """Its end says nothing that would hide why the job failed."""
    with WorkFolder(tmp_path / "film.mp4") as work:
        shutil.rmtree(work.path)
    assert not list(tmp_path.iterdir())


def test_names_that_are_long_or_no_text(tmp_path: Path) -> None:
    """A name of 255 bytes leaves no room for a longer one, and two such names must not share a folder."""
    long = [tmp_path / ("ä" * 120 + f"{n}.mp4") for n in range(2)]
    assert work_folder(long[0]) != work_folder(long[1])
    for target in (*long, tmp_path / "caf\udce9 \n'.mp4"):
        with WorkFolder(target) as work:
            assert len(work.path.name.encode(errors="surrogateescape")) <= 255
    assert not list(tmp_path.iterdir())
