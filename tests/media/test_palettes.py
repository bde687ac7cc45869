"""GIF, palettes and packed RGB through the command line: what ffmpeg decodes of both ends, in RGBA."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.oracle import look

type FFmpeg = Callable[..., bytes]
type CommandLine = Callable[..., CompletedProcess[str]]

WIDTH, HEIGHT, FRAMES = 80, 64, 4
PATTERN = f"testsrc2=s={WIDTH}x{HEIGHT}:r=10:d=0.4"
# A disc that moves over nothing: all or nothing, as GIF has it.
DISC = f"color=s={WIDTH}x{HEIGHT}:r=10:d=0.4,format=rgba,geq=r='X*3':g='Y*3':b=90:a='255*lt(hypot(X-30-5*N,Y-32),20)'"
# The durations of the pictures: 100, 250, 100 ms and as long as the last one says.
PALETTE = "setpts=PTS+gt(N\\,1)*0.15/TB,split[a][b];[a]palettegen[p];[b][p]paletteuse"
SOURCES = {
    "opaque.gif": [PATTERN, "-vf", PALETTE, "-vsync", "passthrough"],
    "disc.gif": [DISC, "-vf", PALETTE, "-vsync", "passthrough"],
    "palette.nut": [PATTERN, "-vf", PALETTE, "-vsync", "passthrough", "-c:v", "rawvideo", "-pix_fmt", "pal8"],
    "rgba.mov": [DISC, "-c:v", "png", "-pix_fmt", "rgba"],
}
LOSSLESS = {"mkv": "", "mp4": "x265-params=lossless=1:log-level=none", "webm": "lossless=1"}  # and --crf 0


@pytest.fixture(scope="module")
def sources(ffmpeg: FFmpeg, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of them."""
    folder = tmp_path_factory.mktemp("palettes")
    for name, arguments in SOURCES.items():
        ffmpeg("-f", "lavfi", "-i", *arguments, folder / name)
    return folder


@pytest.mark.fault(45)
@pytest.mark.parametrize("name", ["opaque.gif", "palette.nut"])
@pytest.mark.parametrize("container", ["mkv", "mp4", "webm"])
def test_opaque_ones_are_rgb(
    ffmpeg: FFmpeg,
    command_line: CommandLine,
    nearest_x2: Path,
    sources: Path,
    tmp_path: Path,
    name: str,
    container: str,
) -> None:
    """Every colour is the palette's, exactly, where RGB is written; and every picture has its time."""
    output = tmp_path / f"o.{container}"
    lossless = ["--crf", "0", "--encoder-opt", LOSSLESS[container]] if LOSSLESS[container] else ["--encoder", "ffv1"]
    done = command_line(sources / name, "-o", output, "-w", nearest_x2, "--pix-fmt", "gbrp", *lossless)
    assert done.returncode == 0, done.stderr
    assert np.array_equal(_rgba(ffmpeg, output, 2), _repeated(_rgba(ffmpeg, sources / name)))
    assert look(output).times == look(sources / name).times


@pytest.mark.parametrize("name", ["disc.gif", "rgba.mov"])
def test_transparent_ones_keep_their_alpha_in_mkv(
    ffmpeg: FFmpeg, command_line: CommandLine, nearest_x2: Path, sources: Path, tmp_path: Path, name: str
) -> None:
    """Colours exactly; alpha by the kernel's closed form."""
    output = tmp_path / "o.mkv"
    done = command_line(sources / name, "-o", output, "-w", nearest_x2)
    assert done.returncode == 0, done.stderr
    got, source = _rgba(ffmpeg, output, 2), _rgba(ffmpeg, sources / name)
    assert np.array_equal(got[..., :3], _repeated(source)[..., :3])
    expected = _bicubic(_bicubic(source[..., 3].astype(float), axis=1), axis=2).clip(0, 255)
    assert np.abs(got[..., 3] - expected).max() <= 0.51
    assert (expected.min(), expected.max()) == (0, 255)


def test_a_transparent_gif_in_webm(
    ffmpeg: FFmpeg, command_line: CommandLine, nearest_x2: Path, sources: Path, tmp_path: Path
) -> None:
    """Refused with the format to ask for, and then it is what it is in Matroska, but for the chroma."""
    output, reference = tmp_path / "o.webm", tmp_path / "o.mkv"
    done = command_line(sources / "disc.gif", "-o", output, "-w", nearest_x2)
    assert done.returncode == 4
    assert "--pix-fmt yuva420p" in done.stderr
    asked = ["--pix-fmt", "yuva420p", "--crf", "0", "--encoder-opt", LOSSLESS["webm"]]
    done = command_line(sources / "disc.gif", "-o", output, "-w", nearest_x2, *asked)
    assert done.returncode == 0, done.stderr
    assert command_line(sources / "disc.gif", "-o", reference, "-w", nearest_x2).returncode == 0
    got, expected = _rgba(ffmpeg, output, 2, "-c:v", "libvpx-vp9"), _rgba(ffmpeg, reference, 2)
    assert np.array_equal(got[..., 3], expected[..., 3])
    difference = np.abs(got[..., :3].astype(int) - expected[..., :3])[expected[..., 3] == 255]
    assert difference.mean() < 4


def test_a_transparent_gif_in_mp4_is_refused(
    command_line: CommandLine, nearest_x2: Path, sources: Path, tmp_path: Path
) -> None:
    """With both remedies: where alpha is kept, and how it is dropped."""
    done = command_line(sources / "disc.gif", "-o", tmp_path / "o.mp4", "-w", nearest_x2)
    assert done.returncode == 4
    assert "write to .mkv and use --encoder ffv1, or --pix-fmt yuv420p, which drops the alpha channel" in done.stderr
    done = command_line(
        sources / "disc.gif", "-o", tmp_path / "o.mp4", "-w", nearest_x2, "--pix-fmt", "yuv420p", "--dry-run"
    )
    assert done.returncode == 0
    assert "the alpha channel is dropped" in done.stdout


def _rgba(ffmpeg: FFmpeg, path: Path, scale: int = 1, *decoder: str) -> NDArray[np.uint8]:
    """[frames, height, width, 4] as ffmpeg decodes them."""
    raw = ffmpeg(*decoder, "-i", path, "-vsync", "passthrough", "-f", "rawvideo", "-pix_fmt", "rgba", "-")
    pictures = np.frombuffer(raw, np.uint8).reshape(-1, scale * HEIGHT, scale * WIDTH, 4)
    assert len(pictures) == FRAMES
    return pictures


def _repeated(pictures: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return pictures.repeat(2, axis=1).repeat(2, axis=2)


def _bicubic(values: NDArray[np.float64], axis: int) -> NDArray[np.float64]:
    """Catmull-Rom at x2, a quarter of a sample to either side; nothing lies at the edges here."""
    weights = (-9, 111, 29, -3)  # of 128, at a distance of 5/4, 1/4, 3/4 and 7/4
    before = sum(w * np.roll(values, n - 1, axis) for n, w in enumerate(weights)) / 128
    after = sum(w * np.roll(values, 1 - n, axis) for n, w in enumerate(weights)) / 128
    return np.stack((before, after), axis + 1).reshape(*[n * (1 + (i == axis)) for i, n in enumerate(values.shape)])
