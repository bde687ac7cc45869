"""What most scripts do: one frame after another, each stage waiting for the one before. The peer to beat first.

Decode to RGB, float32 NCHW, the plain network, back to 8 bit, encode with libx264. Prints the
seconds from the first frame to the last, start-up and loading left out.

    python benchmarks/peers/eager.py CLIP WEIGHTS FRAMES OUTPUT
"""

from __future__ import annotations

import sys
import time
from itertools import islice
from pathlib import Path

import av
import numpy as np
import torch

from rfdn_video import load_weights


def main(clip: str, weights_file: str, frames: str, output: str) -> None:
    """Runs the loop."""
    weights = load_weights(Path(weights_file))
    network, peak = weights.build(), weights.pixel_range
    with av.open(clip) as source, av.open(output, "w") as target:
        video = source.streams.video[0]
        stream = target.add_stream("libx264", rate=video.guessed_rate, options={"crf": "18"})
        stream.width, stream.height = video.width * weights.scale, video.height * weights.scale
        stream.pix_fmt = "yuv420p"
        begin = time.perf_counter()
        for picture in islice(source.decode(video), int(frames)):
            rgb = torch.from_numpy(picture.to_ndarray(format="rgb24"))
            image = rgb.permute(2, 0, 1)[None].float() * (peak / 255)
            with torch.inference_mode():
                larger = network(image)
            codes = (larger[0] * (255 / peak)).clamp(0, 255).round().byte().permute(1, 2, 0)
            result = av.VideoFrame.from_ndarray(np.ascontiguousarray(codes.numpy()), format="rgb24")
            result.pts, result.time_base = picture.pts, picture.time_base
            target.mux(stream.encode(result))
        target.mux(stream.encode(None))
        print(time.perf_counter() - begin)


if __name__ == "__main__":
    main(*sys.argv[1:])
