"""How much of the bare network's speed the whole pipeline keeps.

The network alone on pictures of the clip's size, against decoding, colour, network, encoding,
checking; in turn, medians, one machine. 1.00 would mean that everything else is hidden behind it.

    python benchmarks/pipeline.py [CLIP] [--frames 12] [--rounds 3]
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import torch

from rfdn_video import Upscaler, probe, upscale_video

DEMO_CLIP = Path(__file__).parents[1] / "demo" / "clip.mp4"


def main() -> None:
    """Prints both speeds and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clip", nargs="?", type=Path, default=DEMO_CLIP)
    parser.add_argument("--frames", type=int, default=12)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    video = probe(args.clip).video
    upscaler = Upscaler(scale=2)
    picture = torch.rand(3, video.height, video.width, device=upscaler.device)
    alone, whole = [], []
    for _ in range(args.rounds):
        begin = time.perf_counter()
        for _ in range(args.frames):
            upscaler(picture).mean().item()
        alone.append(time.perf_counter() - begin)
        with tempfile.TemporaryDirectory() as folder:
            output = Path(folder) / "out.mp4"
            whole.append(upscale_video(args.clip, output, frames=args.frames, scale=2).seconds)
    network, pipeline = (args.frames / statistics.median(times) for times in (alone, whole))
    print(f"{video.width}x{video.height}, {args.frames} frames, medians of {args.rounds}, {upscaler.device}")
    print(f"network alone   {network:8.2f} frames/s")
    print(f"whole pipeline  {pipeline:8.2f} frames/s")
    print(f"ratio           {pipeline / network:8.2f}")


if __name__ == "__main__":
    main()
