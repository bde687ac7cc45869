"""Bad input and bad usage: one clear line, the right exit code, no traceback, nothing left behind."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch

type CommandLine = Callable[..., subprocess.CompletedProcess[str]]

fault = pytest.mark.fault


@pytest.fixture
def folder(tmp_path: Path, shared: Path) -> Path:
    """A user's folder with one good clip and several bad ones."""
    (tmp_path / "good.mp4").write_bytes((shared / "clips" / "h264-10bits.mp4").read_bytes())
    (tmp_path / "sound.mp4").write_bytes((shared / "clips" / "sample_audio_only.mp4").read_bytes())
    (tmp_path / "text.mp4").write_text("only words\n" * 50)
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "cut.mp4").write_bytes((shared / "clips" / "h264-displaymatrix.mp4").read_bytes())
    (tmp_path / "taken.mp4").write_text("somebody's")
    (tmp_path / "weights.pth").write_bytes(b"\x80\x04no tensors")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "good.mp4").write_bytes((tmp_path / "good.mp4").read_bytes())
    (tmp_path / "link.mp4").symlink_to(tmp_path / "good.mp4")
    os.link(tmp_path / "good.mp4", tmp_path / "hard.mp4")
    for name in ("film.mp4", "film_x2.mp4"):
        (tmp_path / "sub" / name).write_bytes((tmp_path / "good.mp4").read_bytes())
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        pytest.param(["text.mp4"], 3, "not a media file", marks=fault(3)),
        pytest.param(["empty.mp4"], 3, "empty file", marks=fault(2)),
        pytest.param(["sound.mp4"], 3, "no video stream", marks=fault(9)),
        pytest.param(["missing.mp4"], 3, "no such file", marks=fault(1)),
        pytest.param(["."], 3, "is a directory", marks=fault(1)),
        pytest.param(["cut.mp4", "-w", "nearest"], 3, "ends early", marks=fault(6)),
        (["good.mp4", "-w", "nearest", "--start", "99"], 3, "no pictures"),
        pytest.param(["good.mp4", "-o", "taken.mp4"], 4, "exists already; give --overwrite", marks=fault(52)),
        pytest.param(["good.mp4", "-o", "good.mp4", "--overwrite"], 4, "the input itself", marks=fault(53)),
        pytest.param(["good.mp4", "-o", "link.mp4", "--overwrite"], 4, "the input itself", marks=fault(53)),
        pytest.param(["good.mp4", "-o", "hard.mp4", "--overwrite"], 4, "the input itself", marks=fault(53)),
        pytest.param(["good.mp4", "-o", "nowhere/out.mp4"], 4, "no such directory", marks=fault(54)),
        pytest.param(["good.mp4", "-o", "out.mkv", "--encoder", "libx266"], 4, "did you mean libx26", marks=fault(55)),
        pytest.param(
            ["good.mp4", "-o", "out.mkv", "--encoder", "libvpx-vp9"],
            4,
            "does not take yuv420p10le",
            marks=fault(55),
        ),
        pytest.param(["good.mp4", "-o", "out.mp4", "--encoder", "prores_ks"], 4, "does not take", marks=fault(55)),
        (["good.mp4", "-o", "out.xyz"], 2, "'.xyz'"),
        (["good.mp4", "-s", "1"], 2, "above 1"),
        (["good.mp4", "-s", "two"], 2, "no factor"),
        (["good.mp4", "-s", "2", "--height", "720"], 2, "not allowed with"),
        (["good.mp4", "--height", "100"], 2, "only enlarges"),
        (["good.mp4", "--frames", "0"], 2, "1 or more"),
        (["good.mp4", "--end", "1", "--start", "2"], 2, "later than the start"),
        (["good.mp4", "--overwrit2"], 2, "did you mean --overwrite?"),
        (["good.mp4", "--preset", "nosuch"], 2, "bundled: anime, archive"),
        (["good.mp4", "text.mp4", "-o", "out.mp4"], 2, "give a directory"),
        (["good.mp4", "out.mp4"], 2, "out.mp4: no such file; to write to it, give -o out.mp4; nothing was begun"),
        (["good.mp4", "link.mp4", "sub"], 2, "sub: is a directory; to write to it, give -o sub; nothing"),
        (["good.mp4", "missing.mp4", "link.mp4"], 2, "missing.mp4: no such file; nothing was begun"),
        (["good.mp4", "missing.mp4", "-o", "sub"], 2, "missing.mp4: no such file; nothing was begun"),
        (["missing.mp4", "out.mp4"], 2, "missing.mp4: no such file; nothing was begun"),
        pytest.param(["good.mp4", "good.mp4"], 2, "would both be written to", marks=fault(63)),
        pytest.param(["good.mp4", "sub/good.mp4", "-o", "sub"], 2, "would both be written to", marks=fault(63)),
        pytest.param(["sub/film.mp4", "sub/film_x2.mp4", "--overwrite"], 2, "_x2.mp4, an input too", marks=fault(63)),
        (["good.mp4", "--height", "tall"], 2, "invalid int value: 'tall'; see"),
        (["cut.mp4", "--salvage", "--strict"], 2, "not allowed with"),
        ([], 2, "INPUT"),
        pytest.param(["good.mp4", "-w", "weights.pth"], 5, "not a weights file", marks=fault(66)),
        (["good.mp4", "-w", "missing.safetensors"], 5, "cannot read the weights"),
        (["good.mp4", "-m", "nosuch"], 5, "no network 'nosuch'"),
        (["good.mp4", "-m", "erfdn"], 5, "did you mean e-rfdn?"),
        pytest.param(["good.mp4", "--device", "cuda:77"], 6, "cuda:77", marks=fault(70)),
        (
            ["good.mp4", "--device", "gpu"],
            2,
            "device 'gpu': auto, cpu, cuda, cuda:N, cuda:0,1, mps and xpu are allowed",
        ),
        (["good.mp4", "--device", "cuda:0,x"], 2, "device 'cuda:0,x': auto"),
    ],
)
def test_refused(
    command_line: CommandLine, folder: Path, nearest_x2: Path, arguments: list[str], code: int, words: str
) -> None:
    before = _contents(folder)
    arguments = [str(nearest_x2) if argument == "nearest" else argument for argument in arguments]
    done = command_line(*arguments, cwd=folder)
    assert done.returncode == code, done.stderr
    assert words in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert done.stdout == ""
    assert _contents(folder) == before


def _contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.fault(17)
def test_a_name_that_begins_with_a_dash(command_line: CommandLine, folder: Path, nearest_x2: Path) -> None:
    (folder / "good.mp4").rename(folder / "-o 'x'\n.mp4")
    done = command_line("-w", nearest_x2, "--frames", "2", "--", "-o 'x'\n.mp4", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert (folder / "-o 'x'\n_x2.mp4").is_file()


@pytest.fixture
def read_only(folder: Path) -> Iterator[Path]:
    """A folder that nobody can write in, root neither: for root it is a file system of its own."""
    path = folder / "read-only"
    path.mkdir(mode=0o555)
    if os.geteuid():
        yield path
        return
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "ro", "tmpfs", path], capture_output=True, check=False).returncode:
        pytest.skip("no file system can be mounted here: a read-only one was NOT tried")
    yield path
    subprocess.run(["umount", path], check=True)


@pytest.mark.fault(54)
@pytest.mark.parametrize("name", ["", "out.mkv"])
def test_a_directory_that_cannot_be_written_in(
    folder: Path, read_only: Path, nearest_x2: Path, refused: Callable[..., None], name: str
) -> None:
    arguments = [str(folder / "good.mp4"), "-o", str(read_only / name), "-w", str(nearest_x2)]
    refused(folder, arguments, 4, "read-only")


def test_one_stem_in_two_places(command_line: CommandLine, folder: Path, nearest_x2: Path) -> None:
    """Their outputs lie beside them, apart."""
    done = command_line("good.mp4", "sub/good.mp4", "-w", nearest_x2, "--frames", "2", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert (folder / "good_x2.mp4").is_file()
    assert (folder / "sub" / "good_x2.mp4").is_file()


def test_each_of_several_inputs_is_named_once(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What the encoder refuses says nothing of the file; what is wrong with the file does."""
    from rfdn_video.cli.main import main

    monkeypatch.chdir(folder)
    assert main(["good.mp4", "./sub/good.mp4", "text.mp4", "--encoder", "prores"]) == 4
    lines = capsys.readouterr().err.splitlines()
    assert [line.split()[1:4] for line in lines] == [
        ["good.mp4:", "encoder", "prores_ks"],
        ["sub/good.mp4:", "encoder", "prores_ks"],
        ["text.mp4:", "not", "a"],
    ]


def test_errors_as_json(command_line: CommandLine, folder: Path) -> None:
    done = command_line("text.mp4", "--json", cwd=folder)
    assert done.returncode == 3
    record = json.loads(done.stdout)
    assert (record["input"], record["exit_code"]) == ("text.mp4", 3)
    assert "not a media file" in record["error"]


def test_verbose_shows_where(command_line: CommandLine, folder: Path) -> None:
    assert "Traceback" in command_line("text.mp4", "-v", cwd=folder).stderr


def test_a_finished_file_that_is_wrong_is_not_published(
    folder: Path, nearest_x2: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One frame gets lost on its way into the file: the check finds it, exit 7."""
    from rfdn_video.cli.main import main
    from rfdn_video.media.checking.rehearsal import PICTURES
    from rfdn_video.media.muxing.mux import Output

    write, count = Output.write, iter(range(-PICTURES, 1000))  # those of the trial first

    def lossy(self: Output, frame: object) -> None:
        if next(count) == 3:
            self.written.pts.append(self.written.pts[-1] + 512)
        else:
            write(self, frame)  # type: ignore[arg-type]

    monkeypatch.setattr(Output, "write", lossy)
    assert main([str(folder / "good.mp4"), "-o", str(folder / "out.mp4"), "-w", str(nearest_x2)]) == 7
    assert "29 frames instead of 30" in capsys.readouterr().err
    assert not (folder / "out.mp4").exists()
    assert not [path for path in folder.iterdir() if path.name.startswith(".")]


def test_a_bit_that_flips_on_its_way_is_found(
    folder: Path, nearest_x2: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In the middle of an encoded picture, where no index and no decoder of the first one would see it."""
    from rfdn_video.cli.main import main
    from rfdn_video.pipeline import verify as check

    def flip_and_check(path: Path, *arguments: object, **options: object) -> None:
        data = bytearray(path.read_bytes())
        data[data.index(b"mdat") + 5000] ^= 1
        path.write_bytes(data)
        check(path, *arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr("rfdn_video.pipeline.verify", flip_and_check)
    assert main([str(folder / "good.mp4"), "-o", str(folder / "out.mp4"), "-w", str(nearest_x2)]) == 7
    assert "not those that the encoder gave" in capsys.readouterr().err
    assert not (folder / "out.mp4").exists()


def test_where_a_gpu_is_required_the_cpu_is_taken_by_name_only(
    folder: Path, command_line: CommandLine, nearest_x2: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    monkeypatch.setenv("RFDN_REQUIRE_GPU", "1")
    done = command_line("good.mp4", "--frames", "1", cwd=folder)
    assert (done.returncode, "no GPU" in done.stderr) == (6, True)
    batch = command_line("batch", "good.mp4", "-o", "results", "--frames", "1", cwd=folder)
    assert (batch.returncode, batch.stderr.count("\n"), "no GPU" in batch.stderr) == (6, 1, True)
    assert command_line("good.mp4", "--frames", "1", "--device", "cpu", "-w", nearest_x2, cwd=folder).returncode == 0
