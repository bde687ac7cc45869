"""``rfdn-video bench``: its structure, and that what it says agrees with itself."""

from __future__ import annotations

import argparse
import json
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rfdn_video import probe
from rfdn_video.bench.clip import make_clip
from rfdn_video.cli import upscale
from rfdn_video.cli.main import main

STAGES = ["decode", "colour in", "network", "colour out", "encode", "whole"]


def _bench(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> str:
    assert main(["bench", *map(str, arguments), "--device", "cpu"]) == 0
    return capsys.readouterr().out


def test_report(capsys: pytest.CaptureFixture[str], nearest_x2: Path, tmp_path: Path) -> None:
    options = [
        "-w",
        nearest_x2,
        "--size",
        "64x48",
        "--seconds",
        "8",
        "--engine",
        "torch",
        "--precision",
        "fp32",
        "bf16",
    ]
    record: dict[str, Any] = json.loads(_bench(capsys, *options, "--tile", "off", "16", "--threads", "1", "--json"))
    assert list(record["stages"]) == STAGES
    assert record["clip"]["result"] == [128, 96]
    networks = {one["name"]: one for one in record["networks"]}
    assert set(networks) == {
        "torch fp32, tile off",
        "torch fp32, tile 16",
        "torch fp32, tile off, threads 1",
        "torch bf16, tile off",
    } - {one["name"] for one in record["left_out"]}
    base = networks["torch fp32, tile off"]
    assert base["fps"] == record["stages"]["network"]["fps"]
    assert base["to_base"] == 1
    for one in networks.values():
        assert one["to_base"] == pytest.approx(one["fps"] / base["fps"], abs=2e-3)
        assert one["runs"] == base["runs"] == record["stages"]["whole"]["runs"] >= 1
    whole, network = (record["stages"][name]["fps"] for name in ("whole", "network"))
    assert record["whole_to_network"] == pytest.approx(whole / network, abs=2e-3)
    assert not list(tmp_path.iterdir())


def test_the_command_can_be_typed(capsys: pytest.CaptureFixture[str], nearest_x2: Path, tmp_path: Path) -> None:
    clip = tmp_path / "a film.mp4"
    make_clip(clip, 48, 32, 6)
    options = ["-w", nearest_x2, "-s", "1.5", "--seconds", "5", "--precision", "fp32", "--engine", "torch", "openvino"]
    suggested = json.loads(_bench(capsys, clip, *options, "--json"))["suggested"]
    parser = argparse.ArgumentParser()
    upscale.add_arguments(parser)
    words = [word for word in shlex.split(suggested["command"]) if not word.startswith("OMP_NUM_THREADS=")]
    args = parser.parse_args(words[1:])
    assert words[0] == "rfdn-video"
    assert args.inputs == [str(clip)]
    assert (float(args.scale), args.weights, args.device) == (1.5, nearest_x2, "cpu")
    assert all(reason["ratio"] >= 1.03 for reason in suggested["reasons"])
    assert (suggested["whole"] is None) == (not suggested["reasons"])
    assert [path.name for path in tmp_path.iterdir()] == [clip.name]


def test_text(capsys: pytest.CaptureFixture[str], nearest_x2: Path) -> None:
    options = ["-w", nearest_x2, "--size", "32x32", "--seconds", "1", "--engine", "torch", "--precision", "fp32"]
    text = _bench(capsys, *options)
    for name in (*STAGES, "machine", "versions", "suggested", "bound by:", "rfdn-video INPUT.mp4 --weights"):
        assert name in text


def test_the_clip_that_is_made_moves(ffmpeg: Callable[..., bytes], tmp_path: Path) -> None:
    make_clip(tmp_path / "clip.mp4", 64, 48, 5)
    video = probe(tmp_path / "clip.mp4").video
    assert (video.width, video.height, video.pix_fmt, video.frame_count) == (64, 48, "yuv420p", 5)
    hashes = ffmpeg("-i", tmp_path / "clip.mp4", "-f", "framemd5", "-").decode().splitlines()
    assert len({line.split()[-1] for line in hashes if not line.startswith("#")}) == 5


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--size", "63x48"], 2),
        (["x.mp4", "--size", "64x48"], 2),
        (["x.vpy"], 2),
        (["--seconds", "0"], 2),
        (["--threads", "0"], 2),
        (["--tile", "little"], 2),
        (["missing.mp4"], 3),
        (["--size", "32x32", "--device", "cuda:99"], 6),
    ],
)
def test_refusals(arguments: list[str], code: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", *arguments]) == code
    assert len(capsys.readouterr().err.strip().splitlines()) == 1
