"""Files may be called anything: every name comes through, as source, result, weights and page."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from rfdn_video.cli.console import Patient
from rfdn_video.cli.main import main

type CommandLine = Callable[..., subprocess.CompletedProcess[str]]
type FFmpeg = Callable[..., bytes]

LONGEST = 255  # bytes of a name
STEMS = [
    *(b" ", b"a  b", b'it\'s "q"', b"line\nbreak", b"tab\tcr\r", b"-o", b"--help", b"100%", b"frame%03d", b"*?[a]"),
    *(b"file:x", b"http:x", b"C:\\x", b"concat:a|b", b"a,b=c:d", b"$(id)`x`;&|<>", b'<b>&amp;"', b"$\\frac{$"),
    *("🎬é".encode(), b"\xff\xfe", b"\x1b[31mred", b".hidden", b"_x", b"x" * (LONGEST - 7)),
]
NAMES = [os.fsdecode(stem) for stem in STEMS]
STRANGEST = ["line\nbreak", "--help", "frame%03d", '<b>&amp;"', "\udcff\udcfe", "http:x", "$\\frac{$", "_x"]
TOO_LONG = "y" * (LONGEST - 4)  # with .mp4 it is just as long as can be, with _x2.mp4 longer


@pytest.fixture
def folder(ffmpeg: FFmpeg, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One video under every name."""
    ffmpeg("-f", "lavfi", "-i", "testsrc2=size=32x24:rate=10:d=0.2", "-pix_fmt", "yuv420p", tmp_path / "clip.mkv")
    path = tmp_path / "in"
    path.mkdir()
    for name in (*NAMES, TOO_LONG):
        (path / f"{name}.mp4").write_bytes((tmp_path / "clip.mkv").read_bytes())
    monkeypatch.chdir(path)
    return path


@pytest.mark.fault(17)
@pytest.mark.usefixtures("folder")
def test_as_sources_and_results(command_line: CommandLine, nearest_x2: Path) -> None:
    """All in one go, relative as they are; a result that nothing could be called is refused before it is made."""
    names = [f"{name}.mp4" for name in (*NAMES, TOO_LONG)]
    options = ["-w", nearest_x2, "--engine", "torch", "--device", "cpu", "--json", "--container", "mp4"]
    done = command_line(*options, "--", *names)
    assert done.returncode == 4
    refusal = f"{TOO_LONG}.mp4: {TOO_LONG}_x2.mp4: cannot be written: File name too long; give "
    assert done.stderr.startswith(f"rfdn-video: {refusal}")
    assert done.stderr.count("\n") == 1
    records = [json.loads(line) for line in done.stdout.encode("ascii").splitlines()]
    assert [record["input"] for record in records] == names
    assert [record["output"] for record in records if "output" in record] == [f"{name}_x2.mp4" for name in NAMES]
    assert sorted(os.listdir()) == sorted([*names, *(f"{name}_x2.mp4" for name in NAMES)])


@pytest.mark.fault(17)
@pytest.mark.usefixtures("folder")
def test_in_a_batch(command_line: CommandLine, nearest_x2: Path) -> None:
    names = [name for name in NAMES if not name.startswith(".")]  # hidden ones are left alone
    options = ["-o", "../out", "-w", nearest_x2, "--engine", "torch", "--device", "cpu", "--json"]
    done = command_line("batch", ".", *options, "--container", "mp4")
    assert done.returncode == 4, done.stderr
    events = [json.loads(line) for line in done.stdout.encode("ascii").splitlines()]
    assert (events[-1]["done"], events[-1]["failed"]) == (len(names), 1)
    failed = next(event for event in events if event["event"] == "failed")
    assert "File name too long" in failed["reason"]
    assert {name for name in os.listdir("../out") if name != ".rfdn-batch"} == {f"{name}_x2.mp4" for name in names}
    table = command_line("batch", "status", "../out").stdout
    assert "line break_x2.mp4" in table
    assert "\\x1b[31mred_x2.mp4" in table


@pytest.mark.parametrize(
    "name", [*STRANGEST[:5], *(pytest.param(name, marks=pytest.mark.slow) for name in STRANGEST[5:])]
)
@pytest.mark.fault(17)
@pytest.mark.usefixtures("folder")
def test_in_this_process(
    nearest_x2: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    """As target, weights, preset, image and page, and in the tables of a comparison."""
    monkeypatch.setattr("sys.stdout", Patient(sys.stdout))
    weights, preset, still = (Path(f"{name}{suffix}") for suffix in (".safetensors", ".toml", ".tif"))
    weights.write_bytes(nearest_x2.read_bytes())
    preset.write_text('encoder = "ffv1"\n')
    Image.new("RGB", (16, 16)).save("plain.tif")
    Path("plain.tif").rename(still)
    network = [f"--weights={weights}", "--device", "cpu"]
    source = f"./{name}.mp4"
    backend = ["--encoder", "libx264", "--encoder-backend", "ffmpeg"]
    commands: list[list[object]] = [
        [*network, "--engine", "torch", f"--output={name}_target.mkv", f"--preset={preset}", source],
        [*network, "--engine", "torch", f"--output={name}_program.mkv", *backend, source],
        [*network, "--engine", "torch", "--", still],
        ["preview", *network, "--moments", "1", source],
        ["compare", source, source, f"--csv={name}.csv", f"--plot={name}.png", f"--side-by-side={name}_side.mkv"],
    ]
    for command in commands:
        assert main([str(word) for word in command]) == 0
        assert capsys.readouterr().err == ""
    made = ("_target.mkv", "_program.mkv", "_x2.tif", "_preview.html", ".csv", ".png", "_side.mkv")
    assert {f"{name}{suffix}" for suffix in made} <= set(os.listdir())
    assert not [path for path in os.listdir() if "unfinished" in path]
    if name == '<b>&amp;"':
        assert "&lt;b&gt;&amp;amp;&#34;" in Path(f"{name}_preview.html").read_text()


@pytest.mark.fault(17)
@pytest.mark.usefixtures("folder")
def test_no_name_steers_the_terminal(nearest_x2: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In what is printed for people: plans, results, lists, comparisons."""
    source, network = "\x1b[31mred.mp4", ["-w", str(nearest_x2), "--device", "cpu"]
    for command in (
        [source, *network, "--dry-run"],
        [source, *network],
        ["batch", source, "-o", "..", "--dry-run"],
        ["compare", source, source],
    ):
        assert main(command) == 0
        printed = "".join(capsys.readouterr())
        assert "\\x1b[31mred" in printed
        assert "\x1b" not in printed


@pytest.mark.parametrize(
    "command", [["z" * 300], ["compare", "a.mp4", "z" * 300], ["preview", "in.mp4", "-o", f"{'z' * 300}.html"]]
)
@pytest.mark.usefixtures("folder")
def test_longer_than_any_name(capsys: pytest.CaptureFixture[str], command: list[str]) -> None:
    Path("in.mp4").touch()
    assert main(command) in (2, 3)
    assert len(capsys.readouterr().err.splitlines()) == 1
