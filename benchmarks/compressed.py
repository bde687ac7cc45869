"""What the bundled weights gain over bicubic on compressed video; ``auto`` are those that are taken by themselves.

Each clip is reduced (bicubic), encoded with x264 at several qualities, enlarged again and compared with
the clip: PSNR and SSIM on Y, means over frames spread over its length. Needs the ffmpeg command line.

    python benchmarks/compressed.py CLIP... [-s 2] [--crf 18 23 28 32] [--frames 8] [-w FILE ...]
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from pathlib import Path

import ffmpeg
import numpy as np
import torch
from numpy.typing import NDArray

from rfdn_video import Frame, Upscaler, load_weights, probe
from rfdn_video.media.reading.decode import Decoder
from rfdn_video.media.timing import TimeRange
from rfdn_video.models.catalog import load_bundled
from rfdn_video.quality.metrics import psnr, ssim
from rfdn_video.quality.names import distinct_names
from rfdn_video.tune import tune_for

DEFAULT_CLIPS = [
    Path(__file__).parents[2] / "shared" / "clips" / name
    for name in ("bikes.mp4", "bigbuckbunny.mp4", "carphone_pristine.mp4")
]


def main() -> None:
    """Prints one row a clip and quality."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clips", nargs="*", type=Path, default=[clip for clip in DEFAULT_CLIPS if clip.exists()])
    parser.add_argument("-s", "--scale", type=int, default=2)
    parser.add_argument("--crf", nargs="+", type=int, default=[18, 23, 28, 32])
    parser.add_argument("--frames", type=int, default=8)
    parser.add_argument("-w", "--weights", nargs="+", type=Path, default=[])
    args = parser.parse_args()
    if not args.clips:
        print("no clips: give some, python benchmarks/compressed.py CLIP...")
        return
    scale = args.scale
    upscalers = {
        tune: Upscaler(scale=scale, weights=load_bundled("e-rfdn", tune, scale)) for tune in ("clean", "light", "video")
    }
    for name, path in zip(distinct_names(args.weights), args.weights, strict=True):
        upscalers[name] = Upscaler(scale=scale, weights=load_weights(path))
    columns = ["bicubic", "lanczos", *upscalers, "auto"]
    print(f"{'clip, CRF':<28}{columns[0]:>16}" + "".join(f"{name:>18}" for name in columns[1:]))
    gains: dict[str, list[NDArray[np.float64]]] = {name: [] for name in columns[1:]}
    for clip in args.clips:
        for crf in args.crf:
            row = _measure(clip, scale, crf, args.frames, upscalers)
            base = row["bicubic"]
            for name, found in gains.items():
                found.append(row[name] - base)
            cells = "".join(f"{found[-1][0]:+9.2f} {found[-1][1]:+8.4f}" for found in gains.values())
            print(f"{clip.stem[:20] + ', ' + str(crf):<28}{base[0]:8.2f} {base[1]:7.4f}{cells}", flush=True)
    means = [np.mean(found, axis=0) for found in gains.values()]
    print(f"{'mean gain':<44}" + "".join(f"{mean[0]:+9.2f} {mean[1]:+8.4f}" for mean in means))


def _measure(
    clip: Path, scale: int, crf: int, count: int, upscalers: dict[str, Upscaler]
) -> dict[str, NDArray[np.float64]]:
    """(PSNR in dB, SSIM) of each way."""
    video = probe(clip).video
    small_size = (video.width // scale // 2 * 2, video.height // scale // 2 * 2)
    size = (scale * small_size[0], scale * small_size[1])
    with tempfile.TemporaryDirectory() as folder:
        small = Path(folder) / "small.mp4"
        source = ffmpeg.input(str(clip)).filter("crop", *size)
        encode = {"vcodec": "libx264", "crf": crf, "pix_fmt": "yuv420p", "loglevel": "error"}
        source.filter("scale", *small_size, flags="bicubic").output(str(small), an=None, **encode).run()
        total = sum(1 for _ in Decoder(probe(small), TimeRange()))
        numbers = np.linspace(0, total - 1, min(count, total)).round().astype(int)
        truth = _luma(source, size)[numbers]
        results = {
            name: _luma(ffmpeg.input(str(small)).filter("scale", *size, flags=name), size)[numbers]
            for name in ("bicubic", "lanczos")
        }
        for name, upscaler in upscalers.items():
            results[name] = np.stack([f.planes[0] for f in upscaler.stream(_pick(small, set(numbers)))])
        results["auto"] = results[tune_for(probe(small).video)]
    return {name: _scores(result, truth) for name, result in results.items()}


def _pick(path: Path, numbers: set[int]) -> Iterator[Frame]:
    return (frame for n, frame in enumerate(Decoder(probe(path), TimeRange())) if n in numbers)


def _luma(stream: ffmpeg.nodes.FilterableStream, size: tuple[int, int]) -> NDArray[np.uint8]:
    output = stream.output("pipe:", format="rawvideo", pix_fmt="yuv420p", vsync="passthrough", loglevel="error")
    raw, _ = output.run(capture_stdout=True)
    pixels = size[0] * size[1]
    return np.frombuffer(raw, np.uint8).reshape(-1, pixels * 3 // 2)[:, :pixels].reshape(-1, size[1], size[0])


def _scores(result: NDArray[np.uint8], truth: NDArray[np.uint8]) -> NDArray[np.float64]:
    pairs = [(torch.from_numpy(a).double(), torch.from_numpy(b).double()) for a, b in zip(result, truth, strict=True)]
    return np.mean([(psnr(a, b), ssim(a, b)) for a, b in pairs], axis=0)


if __name__ == "__main__":
    main()
