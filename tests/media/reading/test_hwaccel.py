"""Decoding on the GPU: refused where there is none, never done in software instead, the same samples."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import av
import numpy as np
import pytest
import torch
from av.codec.context import Flags

from rfdn_video import probe
from rfdn_video.errors import DeviceError, UsageError
from rfdn_video.media.reading import decode
from rfdn_video.media.reading.decode import Decoder
from rfdn_video.media.reading.hwaccel import check_accelerated, open_hwaccel, to_planar
from rfdn_video.media.timing import TimeRange
from rfdn_video.plan import plan_files
from rfdn_video.settings import Settings

without_cuda = pytest.mark.skipif(torch.cuda.is_available(), reason="a CUDA device is there")


@pytest.fixture(scope="module", params=["yuv420p", "yuv420p10le"])
def clip(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, ffmpeg: Callable[..., bytes]
) -> Path:
    path = tmp_path_factory.mktemp("hwaccel") / f"{request.param}.mp4"
    source = ("-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25:duration=0.8")
    ffmpeg(*source, "-c:v", "libx265", "-x265-params", "log-level=error", "-pix_fmt", request.param, path)
    return path


@without_cuda
def test_refused_without_a_device(
    command_line: Callable[..., subprocess.CompletedProcess[str]], clip: Path, tmp_path: Path
) -> None:
    with pytest.raises(DeviceError, match="no CUDA device 0 that decodes video"):
        open_hwaccel("auto")
    with pytest.raises(DeviceError, match="no CUDA device 3"):
        open_hwaccel("cuda:3,1")
    done = command_line(clip, "-o", tmp_path / "out.mp4", "--hwaccel", "cuda")
    assert (done.returncode, len(done.stderr.splitlines())) == (6, 1)
    assert "leave --hwaccel away" in done.stderr
    done = command_line(clip, "-o", tmp_path / "out.mp4", "--cuda-graphs", "--device", "cpu")
    assert (done.returncode, len(done.stderr.splitlines())) == (6, 1)
    assert not list(tmp_path.iterdir())


def test_no_software_in_its_place() -> None:
    """PyAV leaves a stream whose decoder has no CUDA to software, without a word."""
    with pytest.raises(DeviceError, match="decoder libdav1d does not run on CUDA"):
        check_accelerated(SimpleNamespace(is_hwaccel=False, name="libdav1d"), "film.mkv")  # type: ignore[arg-type]
    check_accelerated(SimpleNamespace(is_hwaccel=True, name="hevc"), "film.mkv")  # type: ignore[arg-type]


def test_the_decoder_asks(clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    info = probe(clip)
    monkeypatch.setattr(decode, "open_source", lambda path, _: av.open(str(path)))
    software = SimpleNamespace(is_hwaccel=False, name="libdav1d", thread_type="")
    monkeypatch.setattr(decode, "bounded_decoder", lambda *_: software)
    with pytest.raises(DeviceError, match="does not run on CUDA"):
        Decoder(info, TimeRange(), hwaccel=object())  # type: ignore[arg-type]


def test_other_values_and_scripts_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="allowed are cuda"):
        Settings(hwaccel="vaapi")  # type: ignore[arg-type]
    script = tmp_path / "script.vpy"
    script.write_text("import vapoursynth")
    with pytest.raises(UsageError, match="a script decodes by itself"):
        plan_files(script, None, Settings(hwaccel="cuda"))


def _hardware_layout(picture: av.VideoFrame) -> av.VideoFrame:
    """As NVDEC would hand it over, by numpy alone."""
    depth10 = "10" in picture.format.name
    dtype, shift = (np.uint16, 6) if depth10 else (np.uint8, 0)
    y, u, v = (np.frombuffer(p, dtype).reshape(p.height, -1)[:, : p.width].copy() << shift for p in picture.planes)
    result = av.VideoFrame(picture.width, picture.height, "p010le" if depth10 else "nv12")
    for plane, samples in zip(result.planes, (y, np.stack((u, v), 2).reshape(u.shape[0], -1)), strict=True):
        rows = np.frombuffer(plane, dtype).reshape(samples.shape[0], -1)
        rows[:, : samples.shape[1]] = samples
    result.pts, result.dts, result.duration, result.time_base = (
        picture.pts, picture.dts, picture.duration, picture.time_base
    )  # fmt: skip
    return result


def test_its_layouts_become_those_of_software(clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Through the whole decoder, with a decoder that gives pictures as the hardware does."""
    info = probe(clip)
    with Decoder(info, TimeRange()) as software:
        expected = list(software)

    class Hardware:
        name, is_hwaccel, thread_type = "hevc", True, ""
        flags, sample_aspect_ratio = Flags.copy_opaque, None

        def __init__(self, context: Any) -> None:
            self._context = context

        def decode(self, packet: Any) -> list[av.VideoFrame]:
            return [_hardware_layout(picture) for picture in self._context.decode(packet)]

    monkeypatch.setattr(decode, "open_source", lambda path, _: av.open(str(path)))
    monkeypatch.setattr(decode, "bounded_decoder", lambda stream, _: Hardware(stream.codec_context))
    with Decoder(info, TimeRange(), hwaccel=object()) as hardware:  # type: ignore[arg-type]
        got = list(hardware)
    assert hardware.report == software.report
    for one, other in zip(got, expected, strict=True):
        assert (one.pts, one.duration, one.format, one.color) == (other.pts, other.duration, other.format, other.color)
        for plane, wanted in zip(one.planes, other.planes, strict=True):
            np.testing.assert_array_equal(plane, wanted)


def test_layouts_that_are_not_known_to_be_exact_are_refused() -> None:
    with pytest.raises(DeviceError, match="gives p016le for yuv420p12le"):
        to_planar(av.VideoFrame(32, 32, "p016le"), "yuv420p12le")
    picture = av.VideoFrame(32, 32, "yuv444p")
    assert to_planar(picture, "yuvj444p") is picture


def test_what_the_hardware_cannot_decode_is_no_damage(clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Refusing:
        name, is_hwaccel, thread_type = "hevc", True, ""
        flags, sample_aspect_ratio = Flags.copy_opaque, None

        def decode(self, _: Any) -> list[av.VideoFrame]:
            raise av.error.InvalidDataError(1, "Invalid data found")

    monkeypatch.setattr(decode, "open_source", lambda path, _: av.open(str(path)))
    monkeypatch.setattr(decode, "bounded_decoder", lambda *_: Refusing())
    with (
        Decoder(probe(clip), TimeRange(), hwaccel=object()) as decoder,  # type: ignore[arg-type]
        pytest.raises(DeviceError, match="does not take hevc 320x180"),
    ):
        list(decoder)


@pytest.mark.cuda
def test_cuda_decodes_the_same_samples(clip: Path) -> None:
    info = probe(clip)
    with Decoder(info, TimeRange()) as software, Decoder(info, TimeRange(), hwaccel=open_hwaccel("cuda:0")) as hardware:
        for one, other in zip(hardware, software, strict=True):
            assert (one.pts, one.duration, one.color) == (other.pts, other.duration, other.color)
            for plane, wanted in zip(one.planes, other.planes, strict=True):
                np.testing.assert_array_equal(plane, wanted)
