"""``rfdn-video compare`` as a user meets it: table, files, and what it refuses."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from rfdn_video.cli.main import main

type FFmpeg = Callable[..., bytes]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, ffmpeg: FFmpeg) -> Path:
    """A clip, a half of its size, and the clip compressed twice."""
    folder = tmp_path_factory.mktemp("clips")
    source = "mandelbrot=size=160x128:rate=25:start_scale=0.2,format=yuv420p"
    ffmpeg("-f", "lavfi", "-i", source, "-frames:v", "6", "-c:v", "libx264", "-crf", "4", folder / "film.mp4")
    for name, crf in (("good.mp4", 20), ("poor.mp4", 40)):
        ffmpeg("-i", folder / "film.mp4", "-c:v", "libx264", "-crf", crf, folder / name)
    ffmpeg("-i", folder / "film.mp4", "-vf", "scale=80:64", "-c:v", "libx264", folder / "half.mp4")
    (folder / "still.png").write_bytes(b"PNG")
    return folder


def test_a_table_and_files(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = ["--csv", str(tmp_path / "a.csv"), "--plot", str(tmp_path / "a.png")]
    names = [str(folder / name) for name in ("film.mp4", "good.mp4", "poor.mp4")]
    assert main(["compare", *names, *files]) == 0
    heading, good, poor, *remarks = capsys.readouterr().out.splitlines()
    assert heading.split() == ["frames", "PSNR", "Y", "pooled", "lowest", "PSNR", "U", "PSNR", "V", "SSIM", "flicker"]
    assert len({len(line.rstrip()) for line in (heading, good, poor)}) == 1
    assert float(good.split()[2]) > float(poor.split()[2]) + 5
    assert [line.split(":")[0] for line in remarks] == ["good.mp4", "poor.mp4"]
    rows = list(csv.DictReader((tmp_path / "a.csv").open()))
    assert [Path(row["output"]).name for row in rows] == ["good.mp4"] * 6 + ["poor.mp4"] * 6
    assert [row["time"] for row in rows[:6]] == ["0.0", "0.04", "0.08", "0.12", "0.16", "0.2"]
    assert Image.open(tmp_path / "a.png").size[0] > 500
    assert main(["compare", *names, *files]) == 4
    assert "--overwrite to replace it" in capsys.readouterr().err


def test_outputs_of_one_name(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Of two folders: the table, the remarks and the plot tell them apart."""
    paths = [tmp_path / name / "x2.mp4" for name in ("good", "poor")]
    for path in paths:
        path.parent.mkdir()
        path.write_bytes((folder / f"{path.parent.name}.mp4").read_bytes())
    plot = tmp_path / "a.svg"
    names = [str(path) for path in (folder / "film.mp4", *paths)]
    assert main(["compare", *names, "--frames", "2", "--plot", str(plot)]) == 0
    _, good, poor, *remarks = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in (good, poor)] == ["good/x2.mp4", "poor/x2.mp4"]
    assert [line.split(":")[0] for line in remarks] == ["good/x2.mp4", "poor/x2.mp4"]
    assert all(f"{path.parent.name}/x2.mp4 -->" in plot.read_text() for path in paths)


@pytest.mark.parametrize(("suffix", "magic"), [("PDF", b"%PDF"), ("svg", b"<?xml"), ("png", b"\x89PNG")])
def test_a_plot_is_what_its_name_says(folder: Path, tmp_path: Path, suffix: str, magic: bytes) -> None:
    plot = tmp_path / f"plot.{suffix}"
    pair = [str(folder / "half.mp4")] * 2
    assert main(["compare", *pair, "--frames", "1", "--plot", str(plot)]) == 0
    assert plot.read_bytes().startswith(magic)


def test_the_bands_of_a_job_come_from_its_summary(
    folder: Path, tmp_path: Path, nearest_x2: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    job = [str(folder / "half.mp4"), "-o", str(tmp_path / "out.mp4"), "-w", str(nearest_x2), "--tile", "12"]
    job += ["--engine", "torch", "--json"]
    assert main(job) == 0
    printed = capsys.readouterr().out
    assert json.loads(printed)["bands"] == [24]
    (tmp_path / "job.json").write_text(printed)
    pair = ["compare", str(folder / "film.mp4"), str(tmp_path / "out.mp4"), "--json"]
    seams = []
    for given in (["--summary", str(tmp_path / "job.json")], ["--tile", "12"], ["--tile", "10", "-s", "12/5"]):
        assert main([*pair, *given]) == 0
        seams.append(json.loads(capsys.readouterr().out)["outputs"][0]["seam"])
    assert seams[0] == seams[1] == seams[2] > 0


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["film.mp4"], 2, "OUTPUT"),
        (["film.mp4", "missing.mp4"], 3, "no such file"),
        (["film.mp4", "still.png"], 3, "still.png: still images are not compared here; give a video"),
        (["film.mp4", "half.mp4"], 3, "80x64, but the reference film.mp4 has 160x128"),
        (["film.mp4", "good.mp4", "--offset", "9"], 3, "--offset"),
        (["film.mp4", "good.mp4", "--tile", "0"], 2, "1 row or more"),
        (["film.mp4", "good.mp4", "-s", "2"], 2, "goes with --tile"),
        (["film.mp4", "good.mp4", "--frames", "0"], 2, "1 or more"),
        (["film.mp4", "good.mp4", "--side-by-side", "good.mp4"], 4, "exists already"),
        (["film.mp4", "good.mp4", "--side-by-side", "a.txt"], 2, "unknown kind of output"),
        (["film.mp4", "good.mp4", "--csv", "film.mp4", "--overwrite"], 4, "is one of the videos"),
        (["film.mp4", "good.mp4", "--plot", "good.mp4", "--overwrite"], 4, "is one of the videos"),
        (["film.mp4", "good.mp4", "--side-by-side", "good.mp4", "-y"], 4, "is one of the videos"),
        (["film.mp4", "good.mp4", "--side-by-side", "./film.mp4", "-y"], 4, "is one of the videos"),
        (["film.mp4", "good.mp4", "--side-by-side", "nowhere/a.mp4"], 4, "no such directory"),
        (["film.mp4", "good.mp4", "--start", "90"], 3, "film.mp4: no frame of its 0.24 s is at or after 90 s; choose"),
        (["film.mp4", "good.mp4", "--start", "0.2", "--end", "0.1"], 3, "is at or after 0.2 s and before 0.1 s"),
        (["film.mp4", "good.mp4", "--plot", "y.foo"], 2, "y.foo: no kind of plot; allowed: .png, .pdf, .svg"),
        (["film.mp4", "good.mp4", "--csv", "nowhere/a.csv"], 4, "no such directory"),
        (["film.mp4", "good.mp4", "--summary", "film.mp4"], 2, "is not what rfdn-video --json prints"),
    ],
)
def test_refused(folder: Path, refused: Callable[..., None], arguments: list[str], code: int, words: str) -> None:
    refused(folder, ["compare", *arguments], code, words)
