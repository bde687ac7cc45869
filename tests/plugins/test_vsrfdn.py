"""The VapourSynth filter: the pixels of ``Upscaler``, VapourSynth's frames, times and errors."""

from __future__ import annotations

import random
import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from fractions import Fraction
from unittest.mock import Mock

import numpy as np
import pytest
import torch
from torch import Tensor

from rfdn_video import Frame, Upscaler, load_weights
from rfdn_video.errors import DeviceError

vs = pytest.importorskip("vapoursynth", reason="needs VapourSynth: pip install 'rfdn-video[vapoursynth]'")
from noise import FRAMES, HEIGHT, WIDTH, noise_clip  # noqa: E402 (it needs VapourSynth)
from vsrfdn import filter as vsrfdn_filter  # noqa: E402
from vsrfdn import rfdn  # noqa: E402


def planes(frame) -> Tensor:
    return torch.from_numpy(np.stack([np.asarray(frame[plane]) for plane in range(3)]))


@pytest.fixture(scope="module")
def upscaled() -> list[Tensor]:
    """The noise frames, enlarged by the core."""
    upscaler = Upscaler(scale=2, many=True)
    return [upscaler(planes(frame)) for frame in noise_clip().frames()]


def test_rgbs_equals_the_upscaler(upscaled: list[Tensor]) -> None:
    result = rfdn(noise_clip())
    assert (result.format.id, result.width, result.height) == (vs.RGBS, 2 * WIDTH, 2 * HEIGHT)
    for frame, expected in zip(result.frames(), upscaled, strict=True):
        assert torch.equal(planes(frame), expected)


def test_rgbh_equals_the_upscaler() -> None:
    upscaler = Upscaler(scale=2, many=True)
    clip = noise_clip(vs.RGBH, 2)
    result = rfdn(clip)
    assert result.format.id == vs.RGBH
    for source, frame in zip(clip.frames(), result.frames(), strict=True):
        assert planes(frame).dtype == torch.float16
        assert torch.equal(planes(frame), upscaler(planes(source)))


@pytest.mark.parametrize(("scale", "size"), [(1.5, (72, 48)), (3, (144, 96)), (Fraction(5, 4), (60, 40))])
def test_every_scale_of_the_upscaler(scale: float | Fraction, size: tuple[int, int]) -> None:
    clip = noise_clip(length=1)
    result = rfdn(clip, scale)
    assert (result.width, result.height) == size
    assert torch.equal(planes(result.get_frame(0)), Upscaler(scale=scale, many=True)(planes(clip.get_frame(0))))


def test_tune_and_weights_choose_the_network(upscaled: list[Tensor]) -> None:
    clip = noise_clip(length=1)
    clean = planes(rfdn(clip, tune="clean").get_frame(0))
    assert torch.equal(clean, Upscaler(scale=2, tune="clean", many=True)(planes(clip.get_frame(0))))
    assert not torch.equal(clean, upscaled[0])
    path = Upscaler(scale=2, tune="clean", many=True).weights.path
    for weights in (path, str(path), load_weights(path)):
        assert torch.equal(planes(rfdn(clip, weights=weights).get_frame(0)), clean)


@pytest.mark.parametrize("tile", [8, "off"])
def test_tile_is_the_cores(tile: int | str) -> None:
    clip = noise_clip(length=1)
    assert torch.equal(
        planes(rfdn(clip, tile=tile).get_frame(0)), Upscaler(scale=2, tile=tile, many=True)(planes(clip.get_frame(0)))
    )


def test_engine_is_the_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    opened = opened_upscalers(monkeypatch)
    clip = noise_clip(length=1)
    torch_frame = planes(rfdn(clip, engine="torch").get_frame(0))
    assert torch.equal(torch_frame, Upscaler(scale=2, engine="torch")(planes(clip.get_frame(0))))
    assert [upscaler.engine for upscaler in opened] == ["torch"]


def opened_upscalers(monkeypatch: pytest.MonkeyPatch) -> list[Upscaler]:
    """Those that the filter opens from now on."""
    opened: list[Upscaler] = []

    def keep(**options: object) -> Upscaler:
        opened.append(Upscaler(**options))  # type: ignore[arg-type]
        return opened[-1]

    monkeypatch.setattr(vsrfdn_filter, "Upscaler", keep)
    vsrfdn_filter._open_file.cache_clear()
    return opened


def on_twos(clip):
    """Every frame stands twice as long; the second of them has a row of its own in every other pair."""
    changed = clip.std.CropAbs(WIDTH, 2).std.Invert()
    other = vs.core.std.StackVertical([changed, clip.std.Crop(top=2)])
    other = vs.core.std.Interleave([clip[::2], other[1::2]])
    return vs.core.std.Interleave([clip, other])


def all_planes(frame) -> list[np.ndarray]:
    return [np.asarray(frame[plane]).copy() for plane in range(frame.format.num_planes)]


@pytest.mark.parametrize("num_streams", [pytest.param(1, marks=pytest.mark.slow), 2])
def test_reuse_changes_no_pixel(num_streams: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """In order, where it finds every repeated frame, and 30 frames at random from four threads."""
    opened = opened_upscalers(monkeypatch)
    clip = on_twos(noise_clip(vs.YUV420P8))
    reusing, plain = (
        rfdn(clip, reuse=reuse, num_streams=num_streams, engine="torch", tile=8) for reuse in ("exact", "off")
    )
    for result in (reusing, plain):
        result.std.SetVideoCache(mode=0)
    expected = [all_planes(plain.get_frame(n)) for n in range(clip.num_frames)]

    def check(n: int) -> None:
        for got, want in zip(all_planes(reusing.get_frame(n)), expected[n], strict=True):
            np.testing.assert_array_equal(got, want, err_msg=f"frame {n}")

    for n in range(clip.num_frames):
        check(n)
    assert [upscaler.tally.repeated for upscaler in opened] == [(FRAMES + 1) // 2, 0]
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(check, random.Random(5).choices(range(clip.num_frames), k=30)))  # noqa: S311


def test_source_is_not_written_to() -> None:
    clip = noise_clip(length=1)
    before = planes(clip.get_frame(0))
    rfdn(clip).get_frame(0)
    assert torch.equal(planes(clip.get_frame(0)), before)


@pytest.mark.fault(82)
def test_properties_and_times_are_kept() -> None:
    clip = noise_clip().std.SetFrameProps(_Matrix=0, _Transfer=1, _Range=0, _FieldBased=0)
    result = rfdn(clip)
    assert (result.num_frames, result.fps) == (FRAMES, Fraction(24000, 1001))
    for source, frame in zip(clip.frames(), result.frames(), strict=True):
        assert dict(frame.props) == dict(source.props)
    assert result.get_frame(2).props["_DurationNum"] == 1003


def test_clip_without_a_frame_rate_stays_so() -> None:
    clip = noise_clip().std.BlankClip(fpsnum=0, fpsden=1)
    result = rfdn(clip)
    assert result.fps_num == 0
    assert "_DurationNum" not in result.get_frame(0).props


def test_endless_clip() -> None:
    """mpv gives scripts a clip of 2^31 - 1 frames."""
    result = rfdn(noise_clip(length=2**31 - 1))
    assert result.num_frames == 2**31 - 1
    assert result.get_frame(2**31 - 2).props["Note"] == f"frame {2**31 - 2}"


@pytest.mark.fault(81)
@pytest.mark.parametrize("num_streams", [1, 2])
def test_random_concurrent_requests_give_the_sequential_frames(num_streams: int, upscaled: list[Tensor]) -> None:
    result = rfdn(noise_clip(), num_streams=num_streams)
    result.std.SetVideoCache(mode=0)  # repeated requests are worked out again
    order = random.Random(7).choices(range(FRAMES), k=40)  # noqa: S311

    def check(n: int) -> bool:
        return torch.equal(planes(result.get_frame(n)), upscaled[n])

    with ThreadPoolExecutor(4) as threads:
        assert all(threads.map(check, order))


class CountingUpscaler(Upscaler):
    """Counts the calls that run at the same time; each waits until as many do as ``meeting`` wants."""

    lock = threading.Lock()
    running = most = 0
    meeting: threading.Barrier

    def __call__(self, image: Tensor) -> Tensor:
        with self.counted():
            return super().__call__(image)

    def enlarge(self, frame: Frame) -> Frame:
        with self.counted():
            return super().enlarge(frame)

    @contextmanager
    def counted(self) -> Iterator[None]:
        cls = type(self)
        with cls.lock:
            cls.running += 1
            cls.most = max(cls.most, cls.running)
        try:
            cls.meeting.wait(timeout=30)  # BrokenBarrierError where the others never come
            yield
        finally:
            with cls.lock:
                cls.running -= 1


@pytest.mark.parametrize("format_id", [vs.RGBS, vs.YUV420P8])
@pytest.mark.parametrize("num_streams", [1, 2])
def test_num_streams_is_the_number_in_flight(format_id: int, num_streams: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CountingUpscaler, "most", 0)
    monkeypatch.setattr(CountingUpscaler, "meeting", threading.Barrier(num_streams), raising=False)
    monkeypatch.setattr(vsrfdn_filter, "Upscaler", CountingUpscaler)
    result = rfdn(noise_clip(format_id), num_streams=num_streams)
    requests = [result.get_frame_async(n) for n in range(FRAMES)]
    for request in requests:
        request.result()
    assert CountingUpscaler.most == num_streams


def test_an_upscaler_comes_back_after_an_error(monkeypatch: pytest.MonkeyPatch, upscaled: list[Tensor]) -> None:
    calls = iter([DeviceError("out of memory for frames of 48x32"), None])
    run = Upscaler.__call__

    def failing_once(self: Upscaler, image: Tensor) -> Tensor:
        if (error := next(calls)) is not None:
            raise error
        return run(self, image)

    monkeypatch.setattr(Upscaler, "__call__", failing_once)
    result = rfdn(noise_clip(), num_streams=1)
    with pytest.raises(vs.Error, match="rfdn: frame 4: out of memory for frames of 48x32"):
        result.get_frame(4)
    assert torch.equal(planes(result.get_frame(4)), upscaled[4])


def changing_size():
    return vs.core.std.Splice([noise_clip(), noise_clip().resize.Bicubic(64, 64)], mismatch=1)


def changing_format():
    return vs.core.std.Splice([noise_clip(), noise_clip(vs.RGBH)], mismatch=1)


def interlaced():
    return noise_clip().std.SetFieldBased(2)


def chromatic():
    return noise_clip(vs.YUV420P8).std.SetFrameProps(_Matrix=14)


def tagged(**properties: object):
    return lambda: noise_clip(vs.YUV420P8).std.SetFrameProps(**properties)


def blank(format_id: int):
    return lambda: vs.core.std.BlankClip(format=format_id, length=1)


ALLOWED = "RGBS, RGBH, and YUV, gray and RGB of 8 to 16 bit are allowed; first clip = core.resize.Bicubic(clip, format="
CONSTANT = "rfdn: the clip changes its format or size; give a clip of constant format and size"


@pytest.mark.fault(82)
@pytest.mark.parametrize(
    ("make", "text"),
    [
        (changing_size, CONSTANT),
        (changing_format, CONSTANT),
        (blank(vs.YUV444PS), f"rfdn: YUV444PS: {ALLOWED}vs.YUV444P16)"),
        (blank(vs.YUV420PH), f"rfdn: YUV420PH: {ALLOWED}vs.YUV420P16)"),
        (blank(vs.GRAYS), f"rfdn: GrayS: {ALLOWED}vs.GRAY16)"),
        (blank(vs.GRAY32), "rfdn: Gray32: RGBS, RGBH, and YUV, gray and RGB of 8 to 16 bit are allowed"),
        (interlaced, "rfdn: frame 0 is interlaced, enlarging would tear it; deinterlace first, or where it is progr"),
        (chromatic, "rfdn: frame 0: colour matrix 14 of ITU-T H.273 is not supported; known: RGB (0), BT709 (1)"),
        (tagged(_ChromaLocation=6), "rfdn: frame 0: _ChromaLocation 6: 0 to 5 are allowed"),
        (tagged(_ChromaLocation=-1), "rfdn: frame 0: _ChromaLocation -1: 0 to 5 are allowed"),
        (tagged(_Range=2), "rfdn: frame 0: _Range 2: 0 to 1 are allowed"),
        (tagged(_Matrix="x"), "rfdn: frame 0: _Matrix"),
        (tagged(_Transfer=[1, 2]), "rfdn: frame 0: _Transfer [1, 2]: 0 to 255 are allowed"),
        (lambda: vs.core.std.BlankAudio(), "rfdn: AudioNode is not a video clip"),
        (lambda: None, "rfdn: NoneType is not a video clip"),
    ],
)
def test_clips_refused_at_evaluation(make, text: str) -> None:
    with pytest.raises(vs.Error) as caught:
        rfdn(make())
    assert str(caught.value).startswith(text)


@pytest.mark.parametrize("format_id", [vs.YUV444PS, vs.YUV420PH, vs.GRAYS])
def test_the_conversion_that_the_error_names_works(format_id: int) -> None:
    clip = blank(format_id)()
    with pytest.raises(vs.Error) as caught:
        rfdn(clip)
    names = {"clip": clip, "core": vs.core, "vs": vs}
    exec(str(caught.value).split("first ")[1], names)  # noqa: S102 (our own error's advice)
    assert rfdn(names["clip"]).format.color_family == clip.format.color_family


def test_gpu_resident_clip_is_refused() -> None:
    """A stand-in: VapourSynth makes such clips only where there is Vulkan 1.4."""
    clip = Mock(spec=vs.VideoNode, gpu_resident=True)
    with pytest.raises(vs.Error, match=r"rfdn: .*GPU; give core\.std\.GPUDownload\(clip\)"):
        rfdn(clip)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"scale": 1}, "rfdn: scale 1: above 1 and up to 8 is allowed"),
        ({"scale": 0.5}, "rfdn: scale 0.5: above 1 and up to 8 is allowed"),
        ({"scale": 9}, "rfdn: scale 9: above 1 and up to 8 is allowed"),
        ({"num_streams": 0}, "rfdn: num_streams 0: 1 or more are allowed"),
        ({"weights": "nowhere.safetensors"}, "rfdn: nowhere.safetensors: cannot read the weights"),
        ({"model": "esrgan"}, "rfdn: no network 'esrgan'; known: e-rfdn"),
        ({"tile": "small"}, "rfdn: tile 'small': auto, off, or 1 to 32768 rows are allowed"),
        ({"tile": 0}, "rfdn: tile 0: auto, off, or 1 to 32768 rows are allowed"),
        ({"engine": "abacus"}, "rfdn: engine 'abacus': allowed are auto, torch, winograd, openvino, openvino:GPU"),
        ({"reuse": "always"}, "rfdn: reuse 'always': allowed are exact, near, off"),
        ({"tune": "anime"}, "rfdn: no weights of e-rfdn for 'anime' are bundled"),
        ({"device": "abacus"}, "rfdn: device 'abacus': auto, cpu"),
        ({"device_index": 4096}, "rfdn: device cuda:4096: "),
        ({"device": "cpu", "device_index": 1}, "rfdn: device cpu:1: there are 1, numbered from 0"),
        ({"scale": [2]}, "rfdn: scale [2]: a number is allowed"),
        ({"model": 3}, "rfdn: model 3: a name is allowed"),
        ({"weights": [1]}, "rfdn: weights [1]: a file, or what load_weights gave, is allowed"),
        ({"num_streams": "2"}, "rfdn: num_streams '2': a whole number is allowed"),
        ({"device_index": 0.5}, "rfdn: device_index 0.5: a whole number is allowed"),
        ({"tile": [8]}, "rfdn: tile [8]: auto, off, or a number of rows is allowed"),
    ],
)
def test_values_refused_at_evaluation(options: dict[str, object], text: str) -> None:
    with pytest.raises(vs.Error) as caught:
        rfdn(noise_clip(), **options)
    assert str(caught.value).startswith(text)


def test_vspipe_writes_the_upscalers_floats(vspipe, upscaled: list[Tensor]) -> None:
    result = vspipe("rfdn(noise_clip(), num_streams=2).set_output()")
    assert result.returncode == 0, result.stderr.decode()
    written = np.frombuffer(result.stdout, np.float32).reshape(FRAMES, 3, 2 * HEIGHT, 2 * WIDTH)
    # vspipe writes RGB in FFmpeg's planar order: green, blue, red.
    assert np.array_equal(written[:, [2, 0, 1]], torch.stack(upscaled).numpy())


def test_vspipe_y4m_is_read_by_ffmpeg(vspipe, upscaled: list[Tensor]) -> None:
    result = vspipe('rfdn(noise_clip()).resize.Bicubic(format=vs.YUV444P8, matrix_s="709").set_output()', "-c", "y4m")
    assert result.returncode == 0, result.stderr.decode()
    ffmpeg = ["ffmpeg", "-v", "error", "-i", "-", "-f", "rawvideo", "-pix_fmt", "yuv444p", "-"]
    raw = subprocess.run(ffmpeg, input=result.stdout, capture_output=True, check=True).stdout
    luma = np.frombuffer(raw, np.uint8).reshape(FRAMES, 3, 2 * HEIGHT, 2 * WIDTH)[:, 0]
    # Luma by its definition, BT.709 in limited range; one code value of rounding is zimg's.
    expected = 16 + 219 * np.einsum("c,nchw->nhw", [0.2126, 0.7152, 0.0722], torch.stack(upscaled).double().numpy())
    assert np.abs(luma - expected.clip(0, 255)).max() < 1


def test_vspipe_shows_the_error(vspipe) -> None:
    result = vspipe("rfdn(core.std.BlankClip(format=vs.YUV444PS)).set_output()")
    assert result.returncode != 0
    assert f"rfdn: YUV444PS: {ALLOWED}" in result.stderr.decode()
    assert not result.stdout
