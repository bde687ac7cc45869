"""plugins/examples/*.vpy as plugins/README.md runs them: vspipe with arguments, into ffmpeg and x264."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.oracle import look, luma, psnr

vs = pytest.importorskip("vapoursynth", reason="needs VapourSynth: pip install 'rfdn-video[vapoursynth]'")
if not hasattr(vs.core, "bs"):
    pytest.skip("needs bestsource to read files: pip install vapoursynth-bestsource", allow_module_level=True)

EXAMPLES = Path(__file__).parents[2] / "plugins" / "examples"
WIDTH, HEIGHT, FRAMES = 64, 48, 6

type Pipe = Callable[..., subprocess.CompletedProcess[bytes]]
type FFmpeg = Callable[..., bytes]


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory, ffmpeg: FFmpeg) -> Path:
    """A short film with sound."""
    path = tmp_path_factory.mktemp("examples") / "a film.mkv"
    picture = ["-f", "lavfi", "-i", f"testsrc2=size={WIDTH}x{HEIGHT}:rate=24:duration={FRAMES / 24}"]
    sound = ["-f", "lavfi", "-i", "sine=duration=0.25"]
    ffmpeg(*picture, *sound, "-c:v", "ffv1", "-pix_fmt", "yuv420p", "-colorspace", "bt709", "-c:a", "flac", path)
    return path


@pytest.mark.parametrize("name", ["enlarge", "denoise_deband"])
def test_into_ffmpeg_with_sound(
    name: str, source: Path, vspipe: Pipe, nearest_x2: Path, ffmpeg: FFmpeg, tmp_path: Path
) -> None:
    if name == "denoise_deband":
        pytest.importorskip("dfttest2", reason="this example denoises with dfttest2")
        if not hasattr(vs.core, "vszip") or not hasattr(vs.core, "dfttest2_cpu"):
            pytest.skip("this example needs vapoursynth-dfttest2-cpu and vapoursynth-vszip")
    piped = vspipe(EXAMPLES / f"{name}.vpy", "-c", "y4m", "-a", f"source={source}", "-a", f"weights={nearest_x2}")
    assert piped.returncode == 0, piped.stderr.decode()
    y4m, output = tmp_path / "pipe.y4m", tmp_path / "output.mkv"
    y4m.write_bytes(piped.stdout)
    encode = ["-c:a", "copy", "-c:v", "libx264", "-crf", "4", "-colorspace", "bt709"]
    ffmpeg("-i", y4m, "-i", source, "-map", "0:v", "-map", "1:a?", *encode, output)
    seen = look(output)
    assert seen.stream["pix_fmt"] == ("yuv420p" if name == "enlarge" else "yuv420p10le")
    assert (seen.stream["width"], seen.stream["height"], len(seen.times)) == (2 * WIDTH, 2 * HEIGHT, FRAMES)
    assert [content for _, content in seen.audio] == [content for _, content in look(source).audio]
    repeated = luma(source, FRAMES, (WIDTH, HEIGHT)).repeat(2, 1).repeat(2, 2)  # what the test network makes of it
    assert psnr(luma(output, FRAMES, (2 * WIDTH, 2 * HEIGHT)), repeated) > (40 if name == "enlarge" else 25)


def test_into_x264(source: Path, vspipe: Pipe, nearest_x2: Path, tmp_path: Path) -> None:
    x264 = shutil.which("x264")
    if x264 is None:
        pytest.skip("the x264 command line is absent")
    options = ["-a", f"source={source}", "-a", f"weights={nearest_x2}", "-a", "scale=3/2", "-a", "tune=clean"]
    piped = vspipe(EXAMPLES / "enlarge.vpy", "-c", "y4m", *options)
    output = tmp_path / "output.264"
    encode = [
        x264,
        "--quiet",
        "--demuxer",
        "y4m",
        "--crf",
        "18",
        "--colormatrix",
        "bt709",
        "--output",
        str(output),
        "-",
    ]
    subprocess.run(encode, input=piped.stdout, check=True)
    stream = look(output).stream
    assert (stream["width"], stream["height"], stream["color_space"]) == (WIDTH * 3 // 2, HEIGHT * 3 // 2, "bt709")


def test_a_script_that_reads_a_file_keeps_its_colour(source: Path, nearest_x2: Path, tmp_path: Path) -> None:
    """The same film through ``rfdn-video script.vpy`` and as it is."""
    from rfdn_video import upscale_video

    script = tmp_path / "film.vpy"
    script.write_text(f"import vapoursynth as vs\nvs.core.bs.VideoSource({str(source)!r}, cachemode=0).set_output()\n")
    options = {"scale": 2, "weights": nearest_x2, "encoder": "ffv1"}
    upscale_video(source, tmp_path / "file.mkv", **options)
    upscale_video(script, tmp_path / "script.mkv", audio_from=source, **options)
    by_file, by_script = (look(tmp_path / f"{name}.mkv") for name in ("file", "script"))
    assert by_script.times == by_file.times
    assert by_script.tags == by_file.tags
    assert by_script.audio == by_file.audio
    size = 2 * WIDTH, 2 * HEIGHT
    assert np.array_equal(*(luma(tmp_path / f"{name}.mkv", FRAMES, size) for name in ("file", "script")))
