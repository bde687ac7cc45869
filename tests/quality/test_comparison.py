"""Videos against a reference: the measures against scikit-image, FFmpeg and closed forms, frames matched by time."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from rfdn_video.errors import InputError, OutputError, UsageError
from rfdn_video.frame import Color, Frame, Matrix, PixelFormat
from rfdn_video.quality.compare import Options, compare
from rfdn_video.quality.match import Track, matched
from rfdn_video.quality.measure import Meter, flicker, seam
from rfdn_video.quality.vmaf import read_log
from tests import oracle

type FFmpeg = Callable[..., bytes]

SIZE = (160, 96)
FRAMES = 12
LOSSLESS = ("-c:v", "ffv1")


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory, ffmpeg: FFmpeg) -> Path:
    """Something with detail and motion, 8-bit 4:2:0, tagged BT.601."""
    path = tmp_path_factory.mktemp("clips") / "reference.mp4"
    source = f"mandelbrot=size={SIZE[0]}x{SIZE[1]}:rate=25:start_scale=0.2,format=yuv420p"
    tags = ("-colorspace", "smpte170m", "-color_range", "tv")
    ffmpeg("-f", "lavfi", "-i", source, "-frames:v", FRAMES, *tags, "-c:v", "libx264", "-crf", "4", path)
    return path


@pytest.fixture(scope="module")
def coarse(reference: Path, ffmpeg: FFmpeg) -> Path:
    """The same, compressed hard, in Matroska's milliseconds."""
    path = reference.with_name("coarse.mkv")
    ffmpeg("-i", reference, "-c:v", "libx264", "-crf", "34", path)
    return path


def test_psnr_and_ssim_are_those_of_others(reference: Path, coarse: Path) -> None:
    [result] = compare(reference, [coarse], Options())
    a, b = (oracle.luma(path, FRAMES, SIZE) for path in (reference, coarse))
    assert len(result.scores) == len(a) == FRAMES
    for score, truth, picture in zip(result.scores, a, b, strict=True):
        assert score.psnr[0] == pytest.approx(peak_signal_noise_ratio(truth, picture, data_range=255), abs=0.01)
        expected = structural_similarity(
            truth, picture, data_range=255, gaussian_weights=True, sigma=1.5, use_sample_covariance=False
        )
        assert score.ssim == pytest.approx(expected, abs=0.0005)


def test_pooled_psnr_is_that_of_ffmpegs_filter(reference: Path, coarse: Path) -> None:
    [result] = compare(reference, [coarse], Options())
    graph = "[0:v]settb=1/25,setpts=N[a];[1:v]settb=1/25,setpts=N[b];[a][b]psnr"
    command = ["ffmpeg", "-hide_banner", "-i", str(coarse), "-i", str(reference), "-lavfi", graph, "-f", "null", "-"]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stderr
    found = re.search(r"PSNR y:(\S+) u:(\S+) v:(\S+)", shown)
    assert found
    for plane in range(3):
        assert result.pooled_psnr(plane) == pytest.approx(float(found[plane + 1]), abs=0.01)


def test_frames_are_matched_by_time(reference: Path, coarse: Path, ffmpeg: FFmpeg, tmp_path: Path) -> None:
    """Two frames fall out in the middle: the others keep their partners and their scores."""
    gappy = tmp_path / "gappy.mkv"
    ffmpeg("-i", coarse, "-vf", "select='not(between(n,4,5))'", "-fps_mode", "passthrough", *LOSSLESS, gappy)
    whole, fewer = compare(reference, [coarse, gappy], Options())
    assert [float(time) for time in fewer.missing] == [0.16, 0.2]
    assert not fewer.extra
    kept = [score for score in whole.scores if score.time not in fewer.missing]
    assert [score.psnr for score in fewer.scores] == [score.psnr for score in kept]
    lonely = [score.time for score in fewer.scores if score.flicker is None]
    assert [float(time) for time in lonely] == [0, 0.12, 0.24, 0.44]
    [turned] = compare(gappy, [coarse], Options())
    assert [float(time) for time in turned.extra] == [0.16, 0.2]


def test_a_part_that_begins_at_zero(reference: Path, ffmpeg: FFmpeg, tmp_path: Path) -> None:
    part = tmp_path / "part.mkv"
    ffmpeg("-ss", "0.2", "-i", reference, *LOSSLESS, part)
    [result] = compare(reference, [part], Options(offset=Fraction(1, 5)))
    assert (result.identical, len(result.missing)) == (FRAMES - 5, 5)
    [result] = compare(reference, [part], Options(offset=Fraction(1, 5), start=Fraction(1, 5), frames=3))
    assert (result.identical, len(result.missing), len(result.extra)) == (3, 0, 0)
    with pytest.raises(InputError, match="say by how many seconds with --offset"):
        compare(reference, [part], Options(offset=Fraction(90)))


@pytest.mark.parametrize(
    ("filters", "tags", "least"),
    [
        ("format=yuv420p10le", ("-colorspace", "smpte170m"), 70),
        ("scale=out_range=full,format=yuv420p10le", ("-color_range", "pc", "-colorspace", "smpte170m"), 58),
        ("scale=in_color_matrix=bt601:out_color_matrix=bt709,format=yuv444p16le", ("-colorspace", "bt709"), 45),
        ("format=gray", (), 50),
        ("format=yuva420p", ("-colorspace", "smpte170m"), 70),
    ],
)
def test_other_depths_ranges_and_matrices_are_brought_to_the_references(
    reference: Path, ffmpeg: FFmpeg, tmp_path: Path, filters: str, tags: tuple[str, ...], least: float
) -> None:
    """The same pictures in other code values: taken as they stand they would score 20 to 30 dB."""
    other = tmp_path / "other.mkv"
    ffmpeg("-i", reference, "-vf", filters, *LOSSLESS, *tags, other)
    [result] = compare(reference, [other], Options())
    assert result.pooled_psnr(0) > least


def test_an_identical_video(reference: Path, ffmpeg: FFmpeg, tmp_path: Path) -> None:
    same = tmp_path / "same.mkv"
    ffmpeg("-i", reference, *LOSSLESS, same)
    [result] = compare(reference, [same], Options(bands=(Fraction(24),)))
    assert (result.identical, result.psnr(0), result.ssim, result.flicker) == (FRAMES, float("inf"), 1.0, 0.0)
    assert result.seam == 1.0
    assert result.as_dict()["psnr"] == {"y": None, "u": None, "v": None}


def test_flicker_of_errors_that_stay_drift_and_alternate() -> None:
    one = torch.ones(4, 4)
    assert flicker(3 * one, 3 * one, 3 * one) == 0
    assert flicker(1 * one, 2 * one, 3 * one) == 0
    assert flicker(-one, one, -one) == 4
    meter = Meter(peak=1023.0)
    for index in range(4):
        error = 8.0 * (-1) ** index * torch.ones(12, 12)
        meter.add(Fraction(index), index, [torch.full((12, 12), 100.0)], [100 + error])
    assert [score.flicker for score in meter.scores] == [None, *[pytest.approx(32 * 255 / 1023)] * 2, None]


def test_a_seam_is_found_and_a_codecs_blocks_are_none() -> None:
    random = torch.Generator().manual_seed(1)
    error = torch.randn(192, 200, generator=random)
    assert seam(error, [48, 96, 144]) == pytest.approx(1, abs=0.1)
    blocks = error + 3 * (torch.arange(192) // 16 % 2)[:, None]
    assert seam(blocks, [48, 96, 144]) == pytest.approx(1, abs=0.1)
    bands = error + 3 * (torch.arange(192) // 48 % 2)[:, None]
    assert seam(bands, [48, 96, 144]) > 2
    assert seam(bands, [40, 80, 120, 160]) < 1.1


def test_another_size_is_refused_or_scaled(reference: Path, ffmpeg: FFmpeg, tmp_path: Path) -> None:
    larger = tmp_path / "larger.mkv"
    ffmpeg("-i", reference, "-vf", "scale=iw*2:ih*2:flags=bicubic:param0=0:param1=0.5", *LOSSLESS, larger)
    with pytest.raises(InputError, match=r"320x192, but the reference reference\.mp4 has 160x96; .*--scale-reference"):
        compare(reference, [larger], Options())
    [result] = compare(reference, [larger], Options(scale_reference=True))
    assert result.pooled_psnr(0) > 40
    assert "scaled from 160x96 to 320x192" in result.notes[0]


def test_side_by_side(reference: Path, coarse: Path, tmp_path: Path) -> None:
    clip = tmp_path / "both.mp4"
    compare(reference, [coarse], Options(side_by_side=clip))
    seen = oracle.look(clip)
    assert (seen.stream["width"], seen.stream["height"]) == (2 * SIZE[0], SIZE[1])
    assert seen.times == oracle.look(reference).times
    shown = oracle.luma(clip, FRAMES, (2 * SIZE[0], SIZE[1]))
    below = slice(SIZE[1] // 3, None)  # the labels
    for column, path in enumerate((reference, coarse)):
        pane = shown[:, below, column * SIZE[0] : (column + 1) * SIZE[0]]
        assert oracle.psnr(pane, oracle.luma(path, FRAMES, SIZE)[:, below]) > 38
        label = shown[:, :10, column * SIZE[0] : column * SIZE[0] + 40]
        assert label.max() > 200


def test_panes_of_one_name_have_captions_of_their_own(reference: Path, coarse: Path, tmp_path: Path) -> None:
    """One video in two folders: only the captions differ."""
    paths = [tmp_path / folder / "x2.mkv" for folder in ("one", "two")]
    for path in paths:
        path.parent.mkdir()
        path.write_bytes(coarse.read_bytes())
    clip = tmp_path / "both.mp4"
    compare(reference, paths, Options(side_by_side=clip, frames=1))
    shown = oracle.luma(clip, 1, (3 * SIZE[0], SIZE[1]))
    one, two = (shown[:, :, column * SIZE[0] : (column + 1) * SIZE[0]] for column in (1, 2))
    below = slice(SIZE[1] // 3, None)
    assert oracle.psnr(one[:, below], two[:, below]) > 40
    assert oracle.psnr(one[:, :20], two[:, :20]) < 25


def test_a_clip_never_replaces_what_it_shows(reference: Path, coarse: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.mkv"
    copy.write_bytes(coarse.read_bytes())
    with pytest.raises(OutputError, match="is the input itself"):
        compare(reference, [coarse, copy], Options(side_by_side=copy, overwrite=True))
    assert copy.read_bytes() == coarse.read_bytes()


def track(*milliseconds: int) -> Track:
    return Track(iter(frames(*milliseconds)), Fraction(0), Fraction(2, 1000))


def frames(*milliseconds: int) -> list[Frame]:
    layout, color = PixelFormat("gray", 8), Color(Matrix.BT709)
    return [Frame((), layout, color, pts, 1, Fraction(1, 1000)) for pts in milliseconds]


def test_of_a_burst_a_frame_belongs_to_the_nearest() -> None:
    """Frames 2 ms apart in milliseconds: what rounding may do is as much as the time between them."""
    gappy, late = track(0, 4, 6), track(-1, 0, 2, 5, 6)
    moments = list(matched(iter(frames(0, 2, 4, 6)), Fraction(0), [gappy, late]))
    partners = [[None if p is None else p.pts for p in moment.partners] for moment in moments]
    assert partners == [[0, 0], [None, 2], [4, 5], [6, 6]]
    assert (gappy.extra, late.extra) == ([], [Fraction(-1, 1000)])


LIBVMAF_LOG = """{"version": "3.0.0", "fps": 46.36,
  "frames": [{"frameNum": 0, "metrics": {"integer_adm2": 0.98, "integer_motion2": 0.0, "vmaf": 88.128}},
             {"frameNum": 1, "metrics": {"integer_adm2": 0.97, "integer_motion2": 1.3, "vmaf": 91.5}}],
  "pooled_metrics": {"vmaf": {"min": 88.128, "max": 91.5, "mean": 89.814, "harmonic_mean": 89.78}},
  "aggregate_metrics": {}}"""


def test_a_log_of_libvmaf_is_read() -> None:
    assert read_log(LIBVMAF_LOG) == [88.128, 91.5]


@pytest.fixture
def libvmaf(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """An ffmpeg program with libvmaf, first on the PATH."""
    program = pytest.importorskip("imageio_ffmpeg").get_ffmpeg_exe()
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/ffmpeg").symlink_to(program)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=":")
    return str(program)


@pytest.mark.parametrize("pix_fmt", ["yuv420p", "yuv420p10le"])
def test_vmaf_is_what_libvmaf_says(reference: Path, libvmaf: str, tmp_path: Path, pix_fmt: str) -> None:
    sources = [tmp_path / "reference.mkv", tmp_path / "coarse.mkv"]
    for path, filters in zip(sources, ("null", "boxblur=2"), strict=True):
        arguments = ["-i", str(reference), "-vf", f"{filters},format={pix_fmt}", *LOSSLESS, str(path)]
        subprocess.run([libvmaf, "-v", "error", *arguments], check=True)
    log = tmp_path / "log.json"
    graph = f"libvmaf=log_fmt=json:log_path={log}"
    inputs = ["-i", str(sources[1]), "-i", str(sources[0])]
    subprocess.run([libvmaf, "-v", "error", *inputs, "-lavfi", graph, "-f", "null", "-"], check=True)
    [result] = compare(sources[0], [sources[1]], Options(vmaf=True))
    assert [score.vmaf for score in result.scores] == pytest.approx(read_log(log.read_text()), abs=1e-3)
    assert result.vmaf is not None
    assert result.vmaf < 95


def test_vmaf_without_libvmaf_is_refused(
    reference: Path, coarse: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program = tmp_path / "ffmpeg"
    program.write_text("#!/bin/sh\necho ' TS. psnr  VV->V  Calculate the PSNR'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UsageError, match="was built without libvmaf; install a build with it"):
        compare(reference, [coarse], Options(vmaf=True))


def test_a_program_that_fails_at_vmaf_is_named(
    reference: Path, coarse: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from rfdn_video.errors import DeviceError

    program = tmp_path / "ffmpeg"
    program.write_text(
        "#!/bin/sh\ncase $* in *-filters) echo ' .. libvmaf  VV->V';; *) echo no model >&2; exit 1;; esac\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{Path(str(shutil.which('sh'))).parent}")
    with pytest.raises(DeviceError, match="failed at VMAF"):
        compare(reference, [coarse], Options(vmaf=True))


def test_the_results_of_a_run_as_json(reference: Path, coarse: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from rfdn_video.cli.main import main

    assert main(["compare", str(reference), str(coarse), "--json", "--tile", "12"]) == 0
    [shown] = json.loads(capsys.readouterr().out)["outputs"]
    assert shown["frames"] == len(shown["per_frame"]) == FRAMES
    assert shown["psnr"]["y"] == pytest.approx(np.mean([row["psnr_y"] for row in shown["per_frame"]]))
    assert shown["worst"][0]["psnr_y"] == min(row["psnr_y"] for row in shown["per_frame"])
    assert shown["seam"] > 0
