"""``python -m tests.corpus FOLDER``: enlarges every file of a folder of your own and says what was not as it must be.

Each is done by the command in a process of its own, with a tiny network: no crash, no traceback, an exit code that is
documented, nothing left where it failed, the file untouched; where it is done, as many pictures and packets of sound
as ffprobe finds in the file. ``--generate`` fills the folder first: codecs in containers, by the ffmpeg program.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

import ffmpeg
from safetensors.torch import save_file

from tests.fuzz.case import Case
from tests.fuzz.worker import Worker
from tests.networks import nearest_state

CODECS = {
    "mpeg1video": "mpg ts avi mkv",
    "mpeg2video": "mpg ts m2ts vob mxf avi mkv mov",
    "mpeg4": "avi mp4 3gp mkv asf nut ts",
    "msmpeg4v2": "avi asf",
    "msmpeg4": "avi asf",
    "wmv1": "asf avi wmv",
    "wmv2": "asf wmv",
    "h263": "3gp avi",
    "flv": "flv",
    "rv10": "rm",
    "rv20": "rm",
    "libtheora": "ogv mkv",
    "libvpx": "webm mkv ivf",
    "libvpx-vp9": "webm mp4 mkv ivf",
    "libaom-av1": "mp4 mkv webm ivf obu",
    "libx264": "mp4 mov mkv ts m2ts flv avi 3gp mxf nut h264",
    "libx265": "mp4 mov mkv ts hevc",
    "prores_ks": "mov mkv",
    "dnxhd": "mov mxf mkv",
    "mjpeg": "avi mov mkv",
    "huffyuv": "avi mkv",
    "ffvhuff": "avi mkv",
    "ffv1": "avi mkv nut",
    "utvideo": "avi mov mkv",
    "qtrle": "mov",
    "rawvideo": "avi nut mov y4m",
    "png": "mov avi",
    "gif": "gif",
    "apng": "apng",
    "dvvideo": "dv avi mov",
    "cinepak": "avi mov",
    "svq1": "mov",
    "snow": "avi",
    "jpeg2000": "mxf mov",
}
SIZES = {"dvvideo": "720x576", "dnxhd": "1920x1080", "h263": "176x144", "rv10": "176x144", "rv20": "176x144"}
SPECIAL = {
    "dnxhd": ["-b:v", "36M"],
    "dvvideo": ["-pix_fmt", "yuv420p"],
    "libaom-av1": ["-cpu-used", "8"],
    "snow": ["-strict", "-2"],
}
SOUNDS = {"webm": "libopus", "ogv": "libvorbis", "3gp": "aac", "flv": "aac", "mpg": "mp2", "vob": "ac3", "rm": "ac3"}
SILENT = ("apng", "gif", "h264", "hevc", "ivf", "obu", "y4m")
IN_PCM = ("avi", "dv", "mov", "mxf")


def generate(folder: Path) -> None:
    """Writes a second of moving bars in every codec and container of :data:`CODECS` that this ffmpeg can make."""
    for codec, suffixes in CODECS.items():
        for suffix in suffixes.split():
            path = folder / f"{codec}.{suffix}"
            size = SIZES.get(codec, "80x64")
            pictures = ["-f", "lavfi", "-i", f"testsrc2=size={size}:rate=25:duration=0.6"]
            sound = ["-f", "lavfi", "-i", "sine=duration=0.6:sample_rate=48000"] if suffix not in SILENT else []
            named = SOUNDS.get(suffix) or ("pcm_s16le" if suffix in IN_PCM else "mp2")
            options = ["-c:v", codec, *SPECIAL.get(codec, ()), *(("-c:a", named, "-ac", "2") if sound else ())]
            command = ["ffmpeg", "-v", "error", "-nostdin", "-y", *pictures, *sound, *options, str(path)]
            done = subprocess.run(command, capture_output=True, check=False)
            if done.returncode:
                path.unlink(missing_ok=True)
                print(f"not made here: {path.name}")


def main() -> int:
    """Gives 1 where a file was not treated as it must be."""
    parser = argparse.ArgumentParser(prog="python -m tests.corpus", description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--generate", action="store_true", help="write files of many kinds into it first")
    parser.add_argument("--frames", type=int, default=30, help="of each file at most (default 30)")
    args, options = parser.parse_known_args()
    if args.generate:
        generate(args.folder)
    paths = [path for path in sorted(args.folder.rglob("*")) if path.is_file()]
    with tempfile.TemporaryDirectory(prefix="rfdn-corpus-") as work:
        weights = Path(work) / "tiny.safetensors"
        save_file(nearest_state(2), weights, {"pixel_range": "1.0"})
        worker = Worker(Path(work) / "work", {weights.name: weights.read_bytes()}, patience=600)
        results = [(path, *_try(path, worker, args.frames, options)) for path in paths]
        worker.close()
    failures = [f"{path}: {what}" for path, _, wrong in results for what in wrong]
    codes = Counter(code for _, code, _ in results)
    print(
        *failures, f"{len(paths)} files, {len(failures)} failures; exit codes {dict(sorted(codes.items()))}", sep="\n"
    )
    return 1 if failures else 0


def _try(path: Path, worker: Worker, frames: int, options: list[str]) -> tuple[int, list[str]]:
    """The exit code, and what is wrong, if anything."""
    tiny, out = worker.folder / "sound" / "tiny.safetensors", worker.folder / "out"
    limits = ("-s", "1.1", "--frames", str(frames), "--stall-timeout", "60")
    arguments = (str(worker.folder / path.name), "-w", str(tiny), "-o", f"{out}/", *limits, *options)
    verdict = worker.run(Case(path.name, path.read_bytes(), arguments))
    print(f"{path}: exit code {verdict.code}", flush=True)
    if verdict.failure or verdict.code:
        return verdict.code, [verdict.failure] if verdict.failure else []
    wrong, before, after = [], _counts(path), _counts(next(out.iterdir()))
    if after[0] != min(before[0], frames):
        wrong.append(f"{after[0]} pictures of {before[0]}")
    if before[0] < frames and after[1:] != before[1:]:
        wrong.append(f"packets of sound: {after[1:]}, of {before[1:]}")
    return verdict.code, wrong


def _counts(path: Path) -> list[int]:
    """Pictures of the video, and packets of every sound, as ffprobe finds them."""
    video = ffmpeg.probe(str(path), select_streams="V:0", count_frames=None)["streams"]
    sound = ffmpeg.probe(str(path), select_streams="a", count_packets=None)["streams"]
    return [*(int(stream["nb_read_frames"]) for stream in video), *(int(s["nb_read_packets"]) for s in sound)]


if __name__ == "__main__":
    sys.exit(main())
