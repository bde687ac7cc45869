"""rfdn-video against its peers on one clip with one network: frames a second, in turn, medians, ratios.

- rfdn-video's command line with each of its engines: decode, enlarge, encode, check the file.
- A plain PyTorch frame loop (eager.py): decode, enlarge and encode in turn.
- The filters of vs-mlrt (OpenVINO as it comes and in float32, ONNX Runtime, ncnn) through vspipe, with the network that
  ``rfdn-video export`` writes: decode and enlarge only, the result is thrown away. With --encode each runs twice,
  the second time ("+ x264") with FFmpeg's libx264 behind it, at the quality and speed of the others.

Each tells its own seconds from the first frame to the last: start-up does not count. See README.md
for the environment of vs-mlrt.

    python benchmarks/peers/run.py CLIP -w WEIGHTS [--vspipe VENV/bin/vspipe] [--frames 24] [--rounds 3]
                                   [--only NAME ...] [--encode] [--plot peers.png]
"""

from __future__ import annotations

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import matplotlib

from rfdn_video import load_weights, probe

matplotlib.use("Agg")
from matplotlib import pyplot as plt

HERE = Path(__file__).parent
OWN = {
    "torch": ("torch", "fp32"),
    "winograd": ("winograd", "fp32"),
    "openvino": ("openvino", "fp32"),
    "openvino bf16": ("openvino", "bf16"),
}
FILTERS = ("ov", "ov-fp32", "ort", "ncnn")
SEQUENTIAL = "eager loop"
HALF = "vs-mlrt ov"
ENCODED = " + x264"
X264 = ("-c:v", "libx264", "-crf", "18", "-preset", "medium")
THREADS = os.cpu_count() or 1

type Measure = Callable[[], float]
"""Runs a contestant once; gives seconds."""


def main() -> None:
    """Prints the speeds and their ratios, and draws them."""
    args = _arguments()
    with tempfile.TemporaryDirectory() as folder:
        speeds = _measure(_contestants(args, Path(folder)), args)
    video = probe(args.clip).video
    title = f"{args.clip.name}, {video.width}x{video.height}, {args.frames} frames, medians of {args.rounds}"
    print(title)
    # vs-mlrt's OpenVINO computes in bfloat16 where the CPU can: to compare with it is one thing, with float32 another.
    filters = {
        name: speed
        for name, speed in speeds.items()
        if name.startswith("vs-mlrt") and HALF not in (name, name.removesuffix(ENCODED))
    }
    best = max((speed for name, speed in filters.items() if not name.endswith(ENCODED)), default=None)
    best_encoded = max((speed for name, speed in filters.items() if name.endswith(ENCODED)), default=None)
    for name, speed in sorted(speeds.items(), key=lambda item: -item[1]):
        line = f"{name:<22} {speed:8.3f} frames/s"
        if SEQUENTIAL in speeds:
            line += f"   {speed / speeds[SEQUENTIAL]:5.2f} x the eager loop"
        if best is not None:
            line += f"   {speed / best:5.2f} x the best vs-mlrt filter in fp32"
        if best_encoded is not None:
            line += f"   {speed / best_encoded:5.2f} x the best of them that encodes"
        print(line)
    if args.plot is not None:
        _plot(speeds, title, args.plot)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clip", type=Path)
    parser.add_argument("-w", "--weights", type=Path, required=True)
    parser.add_argument("--vspipe", type=Path, help="vspipe of an environment that has vs-mlrt")
    parser.add_argument("--frames", type=int, default=24)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", nargs="+", metavar="NAME", help="some of the contestants, by part of their names")
    parser.add_argument("--encode", action="store_true", help="let the filters' results be encoded too")
    parser.add_argument("--plot", type=Path, metavar="PNG")
    return parser.parse_args()


def _contestants(args: argparse.Namespace, folder: Path) -> dict[str, Measure]:
    found: dict[str, Measure] = {f"rfdn-video {name}": _own(args, folder, *options) for name, options in OWN.items()}
    found[SEQUENTIAL] = lambda: float(_run([sys.executable, HERE / "eager.py", *_eager(args, folder)]))
    if args.vspipe is not None:
        model = folder / "network.onnx"
        video = probe(args.clip).video
        size = f"{video.width}x{video.height}"
        _run([sys.executable, "-m", "rfdn_video", "export", model, "-w", args.weights, "--size", size])
        for ending, encode in (("", False), (ENCODED, True))[: 1 + args.encode]:
            found |= {f"vs-mlrt {name}{ending}": _filter(args, folder, model, name, encode) for name in FILTERS}
    if args.only:
        found = {name: run for name, run in found.items() if any(part in name for part in args.only)}
    return found


def _measure(contestants: dict[str, Measure], args: argparse.Namespace) -> dict[str, float]:
    """Frames a second. Who cannot run is named and left out."""
    seconds: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(args.rounds):
        for name in list(seconds):
            try:
                seconds[name].append(contestants[name]())
            except subprocess.CalledProcessError as error:
                print(f"{name} does not run here: {error.stderr.strip().splitlines()[-1]}", file=sys.stderr)
                del seconds[name]
    return {name: args.frames / statistics.median(times) for name, times in seconds.items()}


def _own(args: argparse.Namespace, folder: Path, engine: str, precision: str) -> Measure:
    scale = load_weights(args.weights).scale
    command = [sys.executable, "-m", "rfdn_video", args.clip, "-o", folder / "own.mp4", "--overwrite", "--json"]
    command += ["-w", args.weights, "-s", scale, "--engine", engine, "--device", "cpu", "--frames", args.frames]
    command += ["--precision", precision, "--encoder", "libx264", "--crf", "18", "--audio", "none"]
    command += ["--encoder-preset", "medium"]
    return lambda: float(json.loads(_run(command))["seconds"])


def _eager(args: argparse.Namespace, folder: Path) -> list[object]:
    return [args.clip, args.weights, args.frames, folder / "eager.mp4"]


def _filter(args: argparse.Namespace, folder: Path, model: Path, name: str, encode: bool) -> Measure:
    matrix = int(probe(args.clip).video.color.matrix)
    given = {"clip": args.clip.absolute(), "model": model, "filter": name, "frames": args.frames}
    given |= {"threads": THREADS, "matrix": matrix}
    command: list[object] = [args.vspipe, "-c", "y4m", HERE / "filter.vpy"]
    command += [word for key, value in given.items() for word in ("-a", f"{key}={value}")]
    encoder: list[object] = ["ffmpeg", "-v", "error", "-y", "-i", "-", *X264, folder / "filter.mp4"]

    def run() -> float:
        told, rest = _piped([*command, "-"], encoder) if encode else (_run([*command, "--"]), 0.0)
        found = re.search(r"Output \d+ frames in ([\d.]+) seconds", told)
        assert found is not None, told
        return float(found[1]) + rest

    return run


def _run(command: list[object]) -> str:
    """What a command prints."""
    words = [str(word) for word in command]
    done = subprocess.run(words, env=_environment(words[0]), capture_output=True, text=True, check=True)
    return done.stdout or done.stderr


def _piped(command: list[object], into: list[object]) -> tuple[str, float]:
    """What a command says on standard error, and the seconds that its reader takes after it to end."""
    words = [str(word) for word in command]
    with subprocess.Popen([str(word) for word in into], stdin=subprocess.PIPE) as reader:
        assert reader.stdin is not None
        given = {"stdout": reader.stdin, "stderr": subprocess.PIPE, "text": True}
        done = subprocess.run(words, env=_environment(words[0]), check=True, **given)
        begin = time.perf_counter()
        reader.stdin.close()
        if reader.wait():
            raise subprocess.CalledProcessError(reader.returncode, [str(word) for word in into], stderr="see above")
    return done.stderr, time.perf_counter() - begin


def _environment(program: str) -> dict[str, str]:
    """vspipe finds its VapourSynth by the PATH."""
    return os.environ | {"PATH": os.pathsep.join([str(Path(program).parent), os.environ["PATH"]])}


def _plot(speeds: dict[str, float], title: str, path: Path) -> None:
    names = sorted(speeds, key=lambda name: speeds[name])
    figure, axes = plt.subplots(figsize=(7, 0.5 * len(names) + 1.2), layout="constrained")
    colors = ["tab:orange" if name.startswith("rfdn-video") else "tab:gray" for name in names]
    axes.bar_label(axes.barh(names, [speeds[name] for name in names], color=colors), fmt="%.2f", padding=3)
    axes.set_xlabel("frames a second")
    axes.set_title(title, fontsize=10)
    axes.margins(x=0.12)
    figure.savefig(path, dpi=120)


if __name__ == "__main__":
    main()
