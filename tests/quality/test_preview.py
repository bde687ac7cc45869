"""A preview from end to end: crops of the source, enlarged as the job would, beside Pillow's own."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from rfdn_video import Upscaler, load_weights
from rfdn_video.cli.main import main
from rfdn_video.cli.preview import _usual
from rfdn_video.media.reading.probe import probe
from rfdn_video.quality.preview import Candidate, preview

type FFmpeg = Callable[..., bytes]


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory, ffmpeg: FFmpeg) -> Path:
    """RGB, so that what is shown can be compared with the source exactly; two scenes."""
    path = tmp_path_factory.mktemp("clips") / "clip.mkv"
    scenes = [word for name in ("mandelbrot", "testsrc2") for word in ("-f", "lavfi", "-i", f"{name}=s=400x300:r=5")]
    graph = "[0]trim=end=1,format=gbrp[a];[1]trim=end=1,format=gbrp[b];[a][b]concat"
    ffmpeg(*scenes, "-lavfi", graph, "-c:v", "ffv1", path)
    return path


def rgb(ffmpeg: FFmpeg, path: Path, seconds: float) -> np.ndarray:
    raw = ffmpeg("-ss", seconds, "-i", path, "-frames:v", "1", "-f", "rawvideo", "-pix_fmt", "rgb24", "-")
    return np.frombuffer(raw, np.uint8).reshape(300, 400, 3)


@pytest.mark.parametrize("scale", [2, Fraction(3, 2)])
def test_layers_are_the_source_enlarged(clip: Path, ffmpeg: FFmpeg, nearest_x2: Path, scale: int | Fraction) -> None:
    upscaler = Upscaler(scale=scale, weights=nearest_x2)
    views = preview(probe(clip), [Candidate("ours", upscaler)], 2)
    assert len(views) == 2
    for view in views:
        source = rgb(ffmpeg, clip, float(view.time))
        rows, columns = (slice(round(part.start * scale), round(part.stop * scale)) for part in view.window)
        assert (rows.stop - rows.start, columns.stop - columns.start) == (160 * scale, 256 * scale)
        large = (round(400 * scale), round(300 * scale))
        for name, kernel in (("bicubic", Image.Resampling.BICUBIC), ("Lanczos", Image.Resampling.LANCZOS)):
            planes = [Image.fromarray(source[..., i].astype(np.float32)).resize(large, kernel) for i in range(3)]
            whole = np.stack([np.asarray(plane) for plane in planes], axis=2)
            difference = np.abs(view.layers[name] - whole[rows, columns].clip(0, 255))
            assert difference.max() <= (0.51 if scale == 2 else 12)
        if scale == 2:
            repeated = source.repeat(2, axis=0).repeat(2, axis=1)
            np.testing.assert_array_equal(view.layers["ours"], repeated[rows, columns])
            apart = np.abs(view.layers["ours"].astype(float) - view.layers["Lanczos"]).mean()
            assert view.difference == pytest.approx(apart, rel=1e-4)


def test_the_network_sees_what_lies_around_a_crop(clip: Path, ffmpeg: FFmpeg) -> None:
    """Nearly the same as in the whole picture, to its very edge."""
    weights = load_weights(Path(__file__).parents[2] / "rfdn_video/weights/e-rfdn_x2_clean.safetensors")
    upscaler = Upscaler(scale=2, weights=weights)
    [view] = preview(probe(clip), [Candidate("ours", upscaler)], 1)
    import torch

    source = torch.from_numpy(rgb(ffmpeg, clip, float(view.time)).copy()).permute(2, 0, 1).float() / 255
    whole = (upscaler(source) * 255).round().clamp(0, 255).permute(1, 2, 0).numpy()
    rows, columns = (slice(2 * part.start, 2 * part.stop) for part in view.window)
    difference = np.abs(view.layers["ours"] - whole[rows, columns])
    assert difference.mean() < 0.5
    assert np.quantile(difference, 0.999) <= 8


@pytest.mark.slow
def test_a_page_of_three_clips(
    clip: Path, ffmpeg: FFmpeg, tmp_path: Path, nearest_weights: Any, browser: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    clips = [tmp_path / f"{name}.mkv" for name in "abc"]
    for number, path in enumerate(clips):
        ffmpeg("-i", clip, "-vf", f"hue=h={60 * number}", "-c:v", "ffv1", path)
    ways = ["-w", str(nearest_weights(2)), "--with", "--tune clean --precision fp32"]
    output = tmp_path / "three.html"
    arguments = [
        "preview",
        *map(str, clips),
        "-o",
        str(output),
        *ways,
        "--moments",
        "2",
        "--png",
        str(tmp_path / "png"),
    ]
    assert main(arguments) == 0
    assert capsys.readouterr().out == f"wrote {output}: 6 crops, each in 4 ways\n"
    page = browser.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.goto(output.as_uri())
    assert page.locator("#views button").count() == 6
    assert page.locator("#left option").all_inner_texts() == [
        "bicubic",
        "Lanczos",
        "nearest_x2",
        "--tune clean --precision fp32",
    ]
    loaded = "[...document.images].every((image) => image.complete && image.naturalWidth > 0)"
    assert page.evaluate(loaded)
    assert complaints == []
    page.close()
    uris = re.findall(r'src="data:image/png;base64,([^"]+)" alt="nearest_x2"', output.read_text())
    embedded = [np.asarray(Image.open(io.BytesIO(base64.b64decode(uri)))) for uri in uris]
    written = sorted((tmp_path / "png").glob("*nearest_x2.png"))
    assert len(written) == len(embedded) == 6
    for path, image in zip(written, embedded, strict=True):
        np.testing.assert_array_equal(np.asarray(Image.open(path)), image)


def test_the_usual_begin_with_that_of_the_job(clip: Path, shared: Path) -> None:
    """And have none twice, where all inputs take the same by themselves."""
    lossless, light = probe(clip), probe(shared / "clips" / "bt601.mp4")
    others = {"clean": ["video", "light"], "light": ["video", "clean"], "both": ["video", "light", "clean"]}
    for name, infos in (("clean", [lossless, lossless]), ("light", [light]), ("both", [lossless, light])):
        assert _usual(infos) == [f"--tune {tune}" for tune in ("auto", *others[name])]


def test_what_the_job_takes_by_itself_can_be_asked_for(
    clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "page.html"
    assert main(["preview", str(clip), "--tune", "auto", "--moments", "1", "-o", str(page), "--device", "cpu"]) == 0
    assert capsys.readouterr().out == f"wrote {page}: 1 crop, each in 3 ways\n"
    assert "e-rfdn auto: e-rfdn x2, e-rfdn_x2_clean.safetensors" in page.read_text()


def test_the_page_says_which_weights_each_file_has(clip: Path, ffmpeg: FFmpeg, tmp_path: Path) -> None:
    coarse, page = tmp_path / "coarse.mp4", tmp_path / "page.html"
    ffmpeg("-i", clip, "-pix_fmt", "yuv420p", "-c:v", "libx264", "-crf", "45", coarse)
    files = [str(clip), str(coarse)]
    assert main(["preview", *files, "--tune", "auto", "--moments", "1", "-o", str(page), "--device", "cpu"]) == 0
    said = re.findall(r"<p>(clip|coarse|e-rfdn auto).*?(x\d_\w+|to 800x600)", page.read_text())
    enlarged, auto = "to 800x600", "e-rfdn auto"
    assert said == [("clip", enlarged), (auto, "x2_clean"), ("coarse", enlarged), (auto, "x2_video")]


def test_weights_of_two_trainings_and_crops_of_two_files_have_names_of_their_own(
    clip: Path, tmp_path: Path, nearest_x2: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "best.safetensors").symlink_to(nearest_x2)
        (tmp_path / name / "film.mkv").symlink_to(clip)
    films = [str(tmp_path / name / "film.mkv") for name in ("a", "b")]
    weights = [f"--weights={tmp_path / name / 'best.safetensors'}" for name in ("a", "b")]
    options = ["--moments", "1", "-o", str(tmp_path / "page.html"), "--png", str(tmp_path / "png"), "--device", "cpu"]
    assert main(["preview", *films, *weights, *options]) == 0
    crops = {re.sub(r"\d{5}\.\d{3}", "T", path.name) for path in (tmp_path / "png").iterdir()}
    ways = ("bicubic", "Lanczos", "a_best", "b_best")
    assert crops == {f"{name}_film_T_{way}.png" for name in ("a", "b") for way in ways}
    (tmp_path / "page.html").unlink()
    capsys.readouterr()
    assert main(["preview", *films, *weights, *options]) == 4
    assert "exists already; give another folder" in capsys.readouterr().err
    assert not (tmp_path / "page.html").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["missing.mp4"], 3, "no such file"),
        (["still.JPG"], 3, "still.JPG: still images are not previewed here; give a video"),
        (["clip.mkv", "-o", "page.pdf"], 2, "ends in .html"),
        (["clip.mkv", "-o", "nowhere/page.html"], 4, "no such directory"),
        (["clip.mkv", "-o", "there.html"], 4, "--overwrite to replace it"),
        (["clip.mkv", "--png", "no/where"], 4, "no such directory"),
        (["clip.mkv", "--moments", "0"], 2, "1 or more"),
        (["clip.mkv", "--with", "--crf 18"], 2, "unrecognized arguments: --crf"),
        (["clip.mkv", "--with", "-w 'open"], 2, "No closing quotation"),
        (["clip.mkv", "--tune", "video", "--tune", "video"], 2, "to be tried twice"),
        (["clip.mkv", "-w", "x.pth", "--with", "-w ./x.pth"], 2, "x is to be tried twice"),
        (["clip.mkv", "-w", "clip.mkv"], 5, "not a weights file"),
        (["clip.mkv", "--height", "100"], 2, "only enlarges"),
    ],
)
def test_refused(clip: Path, refused: Callable[..., None], arguments: list[str], code: int, words: str) -> None:
    (clip.parent / "there.html").write_text("somebody's")
    (clip.parent / "still.JPG").write_bytes(b"JPEG")
    refused(clip.parent, ["preview", *arguments], code, words)
