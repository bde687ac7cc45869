"""How much of the bare network's speed the whole pipeline keeps.

The network alone on pictures of the clip's size, as many at once as in a job, against decoding, colour, network,
encoding, checking; in turn, medians, one machine. 1.00 would mean that everything else is hidden behind it.

    python benchmarks/pipeline.py [CLIP] [--frames 12] [--rounds 3]
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from pathlib import Path

import torch

from rfdn_video import Upscaler, probe, upscale_video
from rfdn_video.bench.stages import network_alone

DEMO_CLIP = Path(__file__).parents[1] / "demo" / "clip.mp4"


def main() -> None:
    """Prints both speeds and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clip", nargs="?", type=Path, default=DEMO_CLIP)
    parser.add_argument("--frames", type=int, default=12)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    video = probe(args.clip).video
    upscaler = Upscaler(scale=2, size=(video.width, video.height), many=True)
    bare = network_alone(upscaler, None, torch.rand(3, video.height, video.width))
    alone, whole = [], []
    for _ in range(args.rounds):
        alone.append(statistics.fmean(bare() for _ in range(-(-args.frames // upscaler.at_once))))
        with tempfile.TemporaryDirectory() as folder:
            output = Path(folder) / "out.mp4"
            whole.append(args.frames / upscale_video(args.clip, output, frames=args.frames, scale=2).seconds)
    network, pipeline = statistics.median(alone), statistics.median(whole)
    where = f"{upscaler.engine} on {upscaler.device}"
    print(f"{video.width}x{video.height}, {args.frames} frames, medians of {args.rounds}, {where}")
    print(f"network alone   {network:8.2f} frames/s")
    print(f"whole pipeline  {pipeline:8.2f} frames/s")
    print(f"ratio           {pipeline / network:8.2f}")


if __name__ == "__main__":
    main()
