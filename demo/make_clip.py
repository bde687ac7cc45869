"""Renders demo/clip.mp4: the scene at half its size, compressed as video on the net is.

Run it with ``python -m demo.make_clip [FILE]``; a run with the same PyAV and Pillow writes the same file.
"""

from __future__ import annotations

import sys
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc, Interpolation
from PIL import Image

from demo.scene import COUNT, FPS, SIZE, Scene
from demo.sound import RATE, tune

__all__ = ["CLIP", "CLIP_SIZE", "halve", "make_clip"]

CLIP = Path(__file__).with_name("clip.mp4")
CLIP_SIZE = (SIZE[0] // 2, SIZE[1] // 2)  # pixels
CRF = "23"


def make_clip(path: Path) -> None:
    """Writes the clip: H.264 at CRF 23, 8-bit 4:2:0, tagged BT.709 in studio range, with stereo AAC."""
    with av.open(path, "w", format="mp4", options={"movflags": "+faststart"}) as output:
        video = output.add_stream("libx264", rate=FPS, options={"crf": CRF, "preset": "slow"})
        _describe_video(video)
        audio = output.add_stream("aac", rate=RATE, layout="stereo", bit_rate=96_000)
        _encode_video(output, video)
        _encode_audio(output, audio)


def halve(image: Image.Image) -> Image.Image:
    """The image at half its size, by the antialiased bicubic filter (a = -0.5)."""
    return image.resize((image.width // 2, image.height // 2), Image.Resampling.BICUBIC)


def _describe_video(stream: av.VideoStream) -> None:
    context = stream.codec_context
    context.width, context.height = CLIP_SIZE
    context.pix_fmt = "yuv420p"
    context.time_base = Fraction(1, FPS)
    context.colorspace = Colorspace.ITU709
    context.color_range = ColorRange.MPEG
    context.color_primaries = ColorPrimaries.BT709
    context.color_trc = ColorTrc.BT709


def _encode_video(output: av.container.OutputContainer, stream: av.VideoStream) -> None:
    scene = Scene()
    for number in range(COUNT):
        rgb = av.VideoFrame.from_ndarray(np.asarray(halve(scene.frame(number))), format="rgb24")
        frame = rgb.reformat(
            format="yuv420p",
            dst_colorspace=Colorspace.ITU709,
            dst_color_range=ColorRange.MPEG,
            interpolation=Interpolation.BICUBIC,
        )
        frame.pts, frame.time_base = number, Fraction(1, FPS)
        output.mux(stream.encode(frame))
    output.mux(stream.encode(None))


def _encode_audio(output: av.container.OutputContainer, stream: av.AudioStream) -> None:
    samples = av.AudioFrame.from_ndarray(tune(COUNT / FPS), format="fltp", layout="stereo")
    samples.sample_rate, samples.pts = RATE, 0
    output.mux(stream.encode(samples))
    output.mux(stream.encode(None))


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else CLIP
    make_clip(target)
    sys.stdout.write(f"{target}: {target.stat().st_size / 1000:.0f} kB\n")
