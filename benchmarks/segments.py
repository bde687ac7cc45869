"""What segments cost: a clip encoded again and again, in one piece and in segments; python benchmarks/segments.py CLIP.

No network runs here, so the share of the time is the worst case: where the encoder bounds the work.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import cycle
from pathlib import Path

from rfdn_video.frame import Frame
from rfdn_video.media.encoding.builds import LibavBuild
from rfdn_video.media.encoding.target import choose_container, choose_encoder
from rfdn_video.media.keeping.key_points import with_borders
from rfdn_video.media.keeping.segments import Segments
from rfdn_video.media.keeping.work_folder import WorkFolder
from rfdn_video.media.layout import VideoLayout
from rfdn_video.media.muxing.mux import Output
from rfdn_video.media.reading.decode import Decoder
from rfdn_video.media.reading.info import MediaInfo
from rfdn_video.media.reading.probe import probe
from rfdn_video.media.timing import TimeRange
from rfdn_video.resume import GOP
from rfdn_video.settings import Settings

ENCODERS = ("libx264", "libx265", "libsvtav1", "libvpx-vp9", "ffv1")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("clip", nargs="?", type=Path, default=Path(__file__).parents[1] / "demo" / "clip.mp4")
    parser.add_argument("--frames", type=int, default=1000)
    parser.add_argument("--segment", type=int, default=GOP, help="pictures of a segment")
    parser.add_argument("--encoders", nargs="+", default=ENCODERS)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    for encoder in args.encoders:
        runs = [(encode(args, encoder, None), encode(args, encoder, args.segment)) for _ in range(args.rounds)]
        seconds = [statistics.median(run[n][0] for run in runs) for n in range(2)]
        size = [runs[0][n][1] for n in range(2)]
        print(
            f"{encoder}: {args.frames} pictures in segments of {args.segment}: "
            f"time {seconds[0]:.2f} -> {seconds[1]:.2f} s ({seconds[1] / seconds[0] - 1:+.2%}), "
            f"{(seconds[1] - seconds[0]) * args.segment / args.frames:+.3f} s a segment, "
            f"bytes {size[0]} -> {size[1]} ({size[1] / size[0] - 1:+.2%})"
        )


def encode(args: argparse.Namespace, encoder: str, length: int | None) -> tuple[float, int]:
    """Seconds, and bytes of the file."""
    info = probe(args.clip)
    video = info.video
    target = choose_encoder(
        choose_container(None, args.clip, "", "mkv"), video.format, Settings(encoder=encoder), LibavBuild()
    )
    layout = VideoLayout(
        video.width, video.height, video.color, video.time_base, video.frame_rate, video.sample_aspect_ratio, None
    )
    with tempfile.TemporaryDirectory() as folder, WorkFolder(Path(folder, "o.mkv")) as work:
        path = work.path / "draft.mkv"
        segments = None if length is None else Segments(work, length, GOP, dict)
        output = Output(str(path), target, layout, info, (), TimeRange(), None, segments)
        pictures = list(repeated(info, args.frames))
        begin = time.perf_counter()
        for frame in pictures if segments is None else with_borders(iter(pictures), segments):
            output.write(frame)
        output.close()
        return time.perf_counter() - begin, path.stat().st_size


def repeated(info: MediaInfo, count: int) -> Iterator[Frame]:
    """The clip's pictures over and over; a whole clip is held in memory."""
    with Decoder(info, TimeRange()) as decoder:
        pictures = list(decoder)
    step = max(1, round(1 / (pictures[0].time_base * info.video.frame_rate)))
    for number, frame in zip(range(count), cycle(pictures), strict=False):
        yield replace(frame, pts=number * step, duration=step)


if __name__ == "__main__":
    main()
