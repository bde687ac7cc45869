"""Small sound files of every kind that is harmed, made with the ffmpeg command line and torch."""

from __future__ import annotations

import subprocess
from pathlib import Path

import torch
from safetensors.torch import save_file

from tests.networks import nearest_state

__all__ = ["make_samples"]

PICTURE = ("-f", "lavfi", "-i", "testsrc=size=32x24:rate=10:d=0.6,format=yuv420p")
SOUND = ("-f", "lavfi", "-i", "sine=frequency=440:sample_rate=8000:d=0.6")
WORDS = "1\n00:00:00,000 --> 00:00:00,400\nHello\n"
CHAPTERS = ";FFMETADATA1\ntitle=film\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=300\ntitle=one\n"
PRESET = """\
description = "of the fuzzer"
container = "mkv"
encoder = "mpeg4"
encoder_options = ["qmin=2", "qmax=9"]
pix_fmt = "yuv420p"
scale = 1.5
tune = "clean"
precision = "fp32"
audio = "copy"
verify = "packets"
tile = "off"
"""

# name -> options of ffmpeg behind its inputs: 0 picture, 1 sound, 2 words, 3 chapters and a title
CLIPS: dict[str, tuple[str, ...]] = {
    "h264.mp4": ("-map", "0", "-map", "1", "-map", "2", "-map_chapters", "3", "-c:v", "libx264", "-c:s", "mov_text"),
    "mpeg4.mp4": ("-map", "0", "-c:v", "mpeg4", "-bf", "2", "-movflags", "+faststart"),
    "fragmented.mp4": ("-map", "0", "-map", "1", "-c:v", "mpeg4", "-movflags", "+frag_keyframe+empty_moov"),
    "mjpeg.mov": ("-map", "0", "-map", "1", "-c:v", "mjpeg", "-c:a", "pcm_s16le", "-timecode", "00:00:01:00"),
    "ffv1.mkv": ("-map", "0", "-map", "1", "-map", "2", "-map_chapters", "3", "-c:v", "ffv1", "-c:a", "flac"),
    "h264.mkv": ("-map", "0", "-map", "1", "-c:v", "libx264", "-bf", "2", "-c:a", "aac"),
    "hevc.mkv": ("-map", "0", "-c:v", "libx265", "-x265-params", "log-level=none"),
    "prores.mov": ("-map", "0", "-c:v", "prores_ks", "-pix_fmt", "yuv422p10le"),
    "vp9.webm": ("-map", "0", "-map", "1", "-c:v", "libvpx-vp9", "-cpu-used", "8", "-c:a", "libopus", "-ar", "48000"),
    "vp8.webm": ("-map", "0", "-c:v", "libvpx", "-cpu-used", "8"),
    "mpeg2.ts": ("-map", "0", "-map", "1", "-c:v", "mpeg2video", "-r", "25", "-c:a", "mp2", "-ar", "32000"),
    "h264.ts": ("-map", "0", "-map", "1", "-c:v", "libx264", "-c:a", "aac"),
    "mpeg2.mpg": ("-map", "0", "-map", "1", "-c:v", "mpeg2video", "-r", "25", "-c:a", "mp2", "-ar", "32000"),
    "ffv1.avi": ("-map", "0", "-map", "1", "-c:v", "ffv1", "-c:a", "pcm_s16le"),
    "flv1.flv": ("-map", "0", "-c:v", "flv"),
    "raw.nut": ("-map", "0", "-c:v", "rawvideo", "-pix_fmt", "yuv420p10le"),
    "wmv2.asf": ("-map", "0", "-c:v", "wmv2"),
    "picture.gif": ("-map", "0",),
    "raw.y4m": ("-map", "0", "-pix_fmt", "yuv420p"),
    "plain.png": ("-map", "0", "-frames:v", "1", "-update", "1"),
    "plain.jpg": ("-map", "0", "-frames:v", "1", "-update", "1"),
}  # fmt: skip


def make_samples(folder: Path) -> dict[str, bytes]:
    """Contents by name; made once in ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "words.srt").write_text(WORDS)
    (folder / "chapters.txt").write_text(CHAPTERS)
    others = ("-i", folder / "words.srt", "-f", "ffmetadata", "-i", folder / "chapters.txt")
    for name, options in CLIPS.items():
        command = ["ffmpeg", "-v", "error", "-nostdin", "-y", *PICTURE, *SOUND, *others, *options, folder / name]
        if not (folder / name).exists():
            subprocess.run(list(map(str, command)), check=True)
    (folder / "film.toml").write_text(PRESET)
    _make_weights(folder)
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.suffix not in (".srt", ".txt")}


def _make_weights(folder: Path) -> None:
    """Of a tiny network that repeats every pixel."""
    state = nearest_state(2)
    save_file(state, folder / "tiny.safetensors", {"pixel_range": "1.0"})
    torch.save({"params": state}, folder / "tiny.pth")
