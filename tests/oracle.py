"""What the ffmpeg command line sees in a file: the independent reader that results are compared with."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import ffmpeg
import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Seen:
    """The first real video stream of a file, and the packets of its first audio stream."""

    stream: dict[str, Any]
    time_base: Fraction
    times: list[Fraction]
    audio: list[tuple[Fraction | None, str]]

    @property
    def tags(self) -> dict[str, Any]:
        """Colour as tagged; absent where unspecified."""
        names = ("color_space", "color_range", "color_primaries", "color_transfer")
        return {name: self.stream.get(name) for name in names}


def look(path: Path, packets: int | None = None) -> Seen:
    """Decodes all pictures, or those of the first packets, and hashes all audio packets."""
    part = {"read_intervals": f"%+#{packets}"} if packets else {}
    video = ffmpeg.probe(str(path), select_streams="V:0", show_frames=None, **part)
    sound = ffmpeg.probe(str(path), select_streams="a:0", show_packets=None, show_data_hash="md5")
    stream = video["streams"][0]
    time_base = Fraction(stream["time_base"])
    audio_base = Fraction(sound["streams"][0]["time_base"]) if sound["streams"] else Fraction(1)
    return Seen(
        stream=stream,
        time_base=time_base,
        times=[frame["pts"] * time_base for frame in video["frames"] if "pts" in frame],
        audio=[
            (packet["pts"] * audio_base if "pts" in packet else None, packet["data_hash"])
            for packet in sound.get("packets", [])
        ],
    )


def luma(path: Path, frames: int, size: tuple[int, int], *filters: tuple[Any, ...]) -> NDArray[np.uint8]:
    """[frames, height, width] of Y, after ffmpeg's ``filters``; ``size`` is (width, height)."""
    stream = ffmpeg.input(str(path))
    for name, *arguments in filters:
        stream = stream.filter(name, *arguments)
    raw, _ = stream.output("pipe:", format="rawvideo", pix_fmt="yuv420p", vframes=frames, vsync="passthrough").run(
        capture_stdout=True, quiet=True
    )
    width, height = size
    pictures = np.frombuffer(raw, np.uint8).reshape(-1, width * height * 3 // 2)
    return pictures[:, : width * height].reshape(-1, height, width)


def psnr(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> float:
    """Mean over pictures, in dB at a peak of 255."""
    error = ((a.astype(np.float64) - b) ** 2).mean(axis=(1, 2))
    return float((10 * np.log10(255**2 / error)).mean())
