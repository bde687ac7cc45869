"""One frame of a compressed clip, enlarged in several ways beside the truth: crops in a PNG.

The clip is reduced (bicubic), encoded with x264, enlarged again, and the part with most detail is shown with
its PSNR on Y. Without a CLIP the film behind the demo's clip is painted. Needs the ffmpeg command line.

    python -m demo.crops [CLIP] [-s 2] [--crf 23] [--at 34] [-w FILE ...] -o crops.png
"""
# ruff: noqa: S603 - it runs the tool beside its own Python

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import ffmpeg
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from demo.scene import COUNT, FPS, Scene
from rfdn_video import probe
from rfdn_video.media.reading.decode import Decoder
from rfdn_video.media.timing import TimeRange
from rfdn_video.quality.crops import detailed_windows
from rfdn_video.quality.metrics import luma, psnr
from rfdn_video.quality.names import distinct_names

WINDOW = (160, 120)  # pixels of the truth
ENLARGED, GAP, HEAD = 2, 6, 28  # factor of the crops; pixels between and above them
COLUMNS = 3
PAPER, INK = (250, 247, 240), (38, 34, 44)

type RGB = NDArray[np.uint8]


def main() -> None:
    """Writes the picture."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clip", nargs="?", type=Path)
    parser.add_argument("-s", "--scale", type=int, default=2)
    parser.add_argument("--crf", type=int, default=23)
    parser.add_argument("--at", type=int, default=34, metavar="N", help="number of the frame (default: 34)")
    parser.add_argument("-w", "--weights", nargs="+", type=Path, default=[])
    parser.add_argument("-o", "--output", type=Path, required=True)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        clip = args.clip or _paint(folder / "film.mkv")
        truth, views = _views(args, clip, folder)
        with Decoder(probe(folder / "truth.mkv"), TimeRange()) as decoder:
            frame = next(frame for number, frame in enumerate(decoder) if number == args.at)
    rows, columns = detailed_windows(frame, WINDOW, 1)[0]
    _sheet({name: view[rows, columns] for name, view in _labelled(truth, views).items()}).save(args.output)


def _paint(path: Path) -> Path:
    """The demo's film, without loss."""
    scene = Scene()
    width, height = scene.frame(0).size
    source = ffmpeg.input("pipe:", format="rawvideo", pix_fmt="rgb24", s=f"{width}x{height}", r=FPS)
    pixels = b"".join(np.asarray(scene.frame(number)).tobytes() for number in range(COUNT))
    source.output(str(path), vcodec="ffv1", pix_fmt="yuv444p", loglevel="error").run(input=pixels)
    return path


def _views(args: argparse.Namespace, clip: Path, folder: Path) -> tuple[RGB, dict[str, RGB]]:
    """The truth, and the frame enlarged in all ways."""
    video = probe(clip).video
    small = (video.width // args.scale // 2 * 2, video.height // args.scale // 2 * 2)
    size = (args.scale * small[0], args.scale * small[1])
    truth, source = folder / "truth.mkv", folder / "source.mp4"
    ffmpeg.input(str(clip)).filter("crop", *size).output(str(truth), vcodec="ffv1", an=None, loglevel="error").run()
    encode = {"vcodec": "libx264", "crf": args.crf, "pix_fmt": "yuv420p", "loglevel": "error"}
    ffmpeg.input(str(truth)).filter("scale", *small, flags="bicubic").output(str(source), **encode).run()
    views = {
        name: _frame(ffmpeg.input(str(source)).filter("scale", *size, flags=name), args.at, size)
        for name in ("bicubic", "lanczos")
    }
    ways = {"--tune video": ["--tune", "video"], "--tune clean": ["--tune", "clean"]}
    ways |= {name: ["-w", str(path)] for name, path in zip(distinct_names(args.weights), args.weights, strict=True)}
    for number, (name, options) in enumerate(ways.items()):
        result = folder / f"{number}.mkv"
        command = [sys.executable, "-m", "rfdn_video", str(source), "-s", str(args.scale), "-o", str(result), *options]
        subprocess.run([*command, "--container", "mkv", "--encoder", "ffv1"], check=True)
        views[name] = _frame(ffmpeg.input(str(result)), args.at, size)
    return _frame(ffmpeg.input(str(truth)), args.at, size), views


def _frame(stream: ffmpeg.nodes.FilterableStream, number: int, size: tuple[int, int]) -> RGB:
    output = stream.filter("select", f"eq(n,{number})").output(
        "pipe:", format="rawvideo", pix_fmt="rgb24", vframes=1, loglevel="error"
    )
    raw, _ = output.run(capture_stdout=True)
    return np.frombuffer(raw, np.uint8).reshape(size[1], size[0], 3)


def _labelled(truth: RGB, views: dict[str, RGB]) -> dict[str, RGB]:
    reference = luma(truth)
    labelled = {f"{name}, {psnr(luma(view), reference):.2f} dB": view for name, view in views.items()}
    return labelled | {"ground truth": truth}


def _sheet(tiles: dict[str, RGB]) -> Image.Image:
    """Tiles in rows under their labels, each pixel shown as a square."""
    height, width = (ENLARGED * side for side in next(iter(tiles.values())).shape[:2])
    rows = -(-len(tiles) // COLUMNS)
    size = COLUMNS * (width + GAP) - GAP, rows * (HEAD + height)
    sheet = Image.new("RGB", size, PAPER)
    draw = ImageDraw.Draw(sheet)
    for number, (label, tile) in enumerate(tiles.items()):
        left, top = number % COLUMNS * (width + GAP), number // COLUMNS * (HEAD + height)
        draw.text((left + 4, top + HEAD / 2), label, INK, ImageFont.load_default(16), anchor="lm")
        sheet.paste(Image.fromarray(tile).resize((width, height), Image.Resampling.NEAREST), (left, top + HEAD))
    return sheet


if __name__ == "__main__":
    main()
