"""What the bundled weights gain over bicubic on compressed video.

Each clip is reduced by half (bicubic), encoded with x264 at several qualities, enlarged again and
compared with the clip: PSNR on Y, mean over frames spread over its length. Needs the ffmpeg command line.

    python benchmarks/compressed.py CLIP... [--crf 18 23 28 32] [--frames 8] [-w FILE ...]
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from pathlib import Path

import ffmpeg
import numpy as np
from numpy.typing import NDArray

from rfdn_video import Frame, Upscaler, load_weights, probe
from rfdn_video.media.reading.decode import Decoder
from rfdn_video.media.timing import TimeRange
from rfdn_video.models.catalog import load_bundled

DEFAULT_CLIPS = [
    Path(__file__).parents[2] / "shared" / "clips" / name
    for name in ("bikes.mp4", "bigbuckbunny.mp4", "carphone_pristine.mp4")
]


def main() -> None:
    """Prints one row a clip and quality."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clips", nargs="*", type=Path, default=[clip for clip in DEFAULT_CLIPS if clip.exists()])
    parser.add_argument("--crf", nargs="+", type=int, default=[18, 23, 28, 32])
    parser.add_argument("--frames", type=int, default=8)
    parser.add_argument("-w", "--weights", nargs="+", type=Path, default=[])
    args = parser.parse_args()
    if not args.clips:
        print("no clips: give some, python benchmarks/compressed.py CLIP...")
        return
    upscalers = {name: Upscaler(scale=2, weights=load_bundled("e-rfdn", name, 2)) for name in ("video", "clean")}
    upscalers |= {path.stem: Upscaler(scale=2, weights=load_weights(path)) for path in args.weights}
    columns = ["bicubic", "lanczos", *upscalers]
    print(f"{'clip, CRF':<28}" + "".join(f"{name:>12}" for name in columns))
    gains: dict[str, list[float]] = {name: [] for name in columns}
    for clip in args.clips:
        for crf in args.crf:
            row = _measure(clip, crf, args.frames, upscalers)
            cells = [f"{row['bicubic']:12.2f}"] + [f"{row[n] - row['bicubic']:+12.2f}" for n in columns[1:]]
            print(f"{clip.stem[:20] + ', ' + str(crf):<28}" + "".join(cells), flush=True)
            for name in columns:
                gains[name].append(row[name] - row["bicubic"])
    print(f"{'mean gain':<28}" + "".join(f"{np.mean(gains[name]):+12.2f}" for name in columns))


def _measure(clip: Path, crf: int, count: int, upscalers: dict[str, Upscaler]) -> dict[str, float]:
    """PSNR in dB of each way."""
    video = probe(clip).video
    half = (video.width // 4 * 2, video.height // 4 * 2)
    size = (2 * half[0], 2 * half[1])
    with tempfile.TemporaryDirectory() as folder:
        small = Path(folder) / "small.mp4"
        source = ffmpeg.input(str(clip)).filter("crop", *size)
        encode = {"vcodec": "libx264", "crf": crf, "pix_fmt": "yuv420p", "loglevel": "error"}
        source.filter("scale", *half, flags="bicubic").output(str(small), an=None, **encode).run()
        total = sum(1 for _ in Decoder(probe(small), TimeRange()))
        numbers = np.linspace(0, total - 1, min(count, total)).round().astype(int)
        truth = _luma(source, size)[numbers]
        results = {
            name: _luma(ffmpeg.input(str(small)).filter("scale", *size, flags=name), size)[numbers]
            for name in ("bicubic", "lanczos")
        }
        for name, upscaler in upscalers.items():
            results[name] = np.stack([f.planes[0] for f in upscaler.stream(_pick(small, set(numbers)))])
    return {name: _psnr(result, truth) for name, result in results.items()}


def _pick(path: Path, numbers: set[int]) -> Iterator[Frame]:
    return (frame for n, frame in enumerate(Decoder(probe(path), TimeRange())) if n in numbers)


def _luma(stream: ffmpeg.nodes.FilterableStream, size: tuple[int, int]) -> NDArray[np.uint8]:
    output = stream.output("pipe:", format="rawvideo", pix_fmt="yuv420p", vsync="passthrough", loglevel="error")
    raw, _ = output.run(capture_stdout=True)
    pixels = size[0] * size[1]
    return np.frombuffer(raw, np.uint8).reshape(-1, pixels * 3 // 2)[:, :pixels].reshape(-1, size[1], size[0])


def _psnr(result: NDArray[np.uint8], truth: NDArray[np.uint8]) -> float:
    error = ((result.astype(np.float64) - truth) ** 2).mean(axis=(1, 2))
    return float((10 * np.log10(255**2 / error)).mean())


if __name__ == "__main__":
    main()
