"""``make demo``: enlarges the bundled clip with the command line and says what was gained.

The film behind the clip is painted again, so that the result can be compared with the truth.
"""
# ruff: noqa: S603, T201 - it runs the tool beside its own Python, and printing is its purpose

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import av
from PIL import Image

from demo.compare import Views, audio_packets, before_after, decoded, luma, psnr, rgb
from demo.make_clip import CLIP, CLIP_SIZE
from demo.scene import COUNT, SIZE, Scene

__all__ = ["main"]

OUT = Path(__file__).with_name("out")
RESULT, PICTURE = OUT / "clip_x2.mp4", OUT / "before_after.png"
COMPARED = range(4, COUNT, 6)  # frames that are compared with the film
SHOWN = 34  # the frame in the picture, one of them
FILTERS = {"bicubic": Image.Resampling.BICUBIC, "Lanczos": Image.Resampling.LANCZOS}


def main() -> int:
    """Runs the demo; returns the exit code of the command line where that fails."""
    OUT.mkdir(exist_ok=True)
    tool = Path(sys.executable).with_name("rfdn-video")
    command = [str(tool), _shown(CLIP), "-s", "2", "-o", _shown(RESULT), "--overwrite"]
    print("$ rfdn-video", *command[1:], flush=True)
    code = subprocess.run(command, check=False).returncode
    if code:
        return code
    scores = _scores()
    _report(scores)
    return 0


def _scores() -> dict[str, list[float]]:
    """PSNR on luma of each compared frame, by way of enlarging; writes the picture on the way."""
    scene = Scene()
    scores: dict[str, list[float]] = {name: [] for name in (*FILTERS, "rfdn-video")}
    frames = zip(COMPARED, decoded(CLIP, COMPARED), decoded(RESULT, COMPARED), strict=True)
    for number, small, large in frames:
        film = scene.frame(number)
        truth = luma(film)
        for name, kernel in FILTERS.items():
            scores[name].append(psnr(luma(small).resize(SIZE, kernel), truth))
        scores["rfdn-video"].append(psnr(luma(large), truth))
        if number == SHOWN:
            _picture(small, large, film, {name: each[-1] for name, each in scores.items()})
    return scores


def _picture(small: av.VideoFrame, large: av.VideoFrame, film: Image.Image, scores: dict[str, float]) -> None:
    views = Views(rgb(small).resize(SIZE, FILTERS["bicubic"]), rgb(large), film)
    labels = [f"{name}, {scores[name]:.1f} dB" for name in ("bicubic", "rfdn-video")]
    before_after(views, [*labels, "ground truth"]).save(PICTURE, optimize=True)


def _report(scores: dict[str, list[float]]) -> None:
    mean = {name: sum(values) / len(values) for name, values in scores.items()}
    gain = mean["rfdn-video"] - mean["bicubic"]
    kept = sum(a == b for a, b in zip(audio_packets(CLIP), audio_packets(RESULT), strict=False))
    print()
    print(f"{_shown(CLIP)}: {_size(CLIP_SIZE)}, {COUNT} frames, {_kilobytes(CLIP)}")
    print(f"{_shown(RESULT)}: {_size(SIZE)}, {_kilobytes(RESULT)}")
    print(f"Sound: {kept} of {len(audio_packets(CLIP))} packets are there byte for byte.")
    print(f"Likeness to the film behind the clip (PSNR on BT.709 luma, mean of {len(COMPARED)} frames):")
    for name, value in mean.items():
        print(f"  {name:<10} {value:6.2f} dB")
    print(f"rfdn-video is {gain:+.2f} dB against bicubic: {_error_change(gain)}.")
    print(f"See it move: {_shown(RESULT)}    side by side: {_shown(PICTURE)}")


def _error_change(gain: float) -> str:
    share = 1 - 10 ** (-gain / 10)
    return f"{abs(share):.0%} {'less' if share > 0 else 'more'} squared error"


def _shown(path: Path) -> str:
    """The path as seen from the folder the demo runs in, where it lies under it."""
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)


def _size(size: tuple[int, int]) -> str:
    return f"{size[0]}x{size[1]}"


def _kilobytes(path: Path) -> str:
    return f"{path.stat().st_size / 1000:.0f} kB"


if __name__ == "__main__":
    sys.exit(main())
