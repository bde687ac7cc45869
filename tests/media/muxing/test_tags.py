"""Every software encoder in every container that it goes into, every usual colour: the tags that ffprobe reads."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import ffmpeg as ffmpeg_python
import numpy as np
import pytest
from _pytest.mark import ParameterSet

from rfdn_video import upscale_video
from rfdn_video.errors import InputError
from rfdn_video.media.encoding.encoders import ENCODERS
from rfdn_video.media.encoding.target import choose_container
from tests.oracle import look


@dataclass(frozen=True)
class Colour:
    """As ffprobe names it; ``location`` is that of 4:2:0."""

    matrix: str
    primaries: str
    transfer: str
    range_: str = "tv"
    location: str = "left"


COLOURS = {
    "bt601-525": Colour("smpte170m", "smpte170m", "smpte170m"),
    "bt601-625": Colour("bt470bg", "bt470bg", "smpte170m"),
    "bt709": Colour("bt709", "bt709", "bt709"),
    "bt709-full": Colour("bt709", "bt709", "bt709", "pc"),
    "bt2020-pq": Colour("bt2020nc", "bt2020", "smpte2084", location="topleft"),
    "bt2020-hlg": Colour("bt2020nc", "bt2020", "arib-std-b67", location="topleft"),
}
CONTAINERS = ("mp4", "mov", "mkv", "webm")
OUTPUTS = [
    (encoder, name, "av")
    for name in CONTAINERS
    for encoder in choose_container(None, Path("a"), "", name).encoders
    if encoder != "libaom-av1"  # the program has it, PyAV does not
]
OUTPUTS += [("libx265", "mp4", "ffmpeg"), ("libvpx-vp9", "mp4", "ffmpeg"), ("ffv1", "mkv", "ffmpeg")]
OUTPUTS += [("libaom-av1", "webm", "ffmpeg"), ("prores_ks", "mov", "ffmpeg")]
THOROUGH = {("libx264", "mp4"), ("libx265", "mov"), ("ffv1", "mkv"), ("libvpx-vp9", "webm")}
BRIEF = ("bt601-525", "bt2020-pq")


def _cases() -> list[ParameterSet]:
    """Every output, and every colour in each container; the others of them are slow."""
    return [
        pytest.param(*output, name, marks=() if name in BRIEF or output[:2] in THOROUGH else pytest.mark.slow)
        for output in OUTPUTS
        for name in COLOURS
    ]


@pytest.fixture(scope="module")
def clips(ffmpeg: Callable[..., bytes], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Two pictures of each colour, of 4:3 pixels."""
    folder = tmp_path_factory.mktemp("tags")
    for name, colour in COLOURS.items():
        video = "-f lavfi -i testsrc2=size=48x44:rate=25 -frames:v 2 -vf setsar=4/3 -pix_fmt yuv420p -c:v libx264"
        tags = f"-colorspace {colour.matrix} -color_primaries {colour.primaries} -color_trc {colour.transfer}"
        rest = f"-color_range {colour.range_} -chroma_sample_location {colour.location}"
        ffmpeg(*video.split(), *tags.split(), *rest.split(), folder / f"{name}.mkv")
    return {name: folder / f"{name}.mkv" for name in COLOURS}


@pytest.mark.fault(47)
@pytest.mark.parametrize(("encoder", "container", "backend", "name"), _cases())
def test_tags(
    clips: dict[str, Path], nearest_x2: Path, tmp_path: Path, encoder: str, container: str, backend: str, name: str
) -> None:
    colour, output = COLOURS[name], tmp_path / f"o.{container}"
    is_prores = encoder == "prores_ks"
    settings = {"weights": nearest_x2, "encoder": encoder, "encoder_backend": backend}
    upscale_video(clips[name], output, pix_fmt="yuv422p10le" if is_prores else None, **settings)
    stream = ffmpeg_python.probe(str(output))["streams"][0]
    tags = [stream.get(f"color_{key}") for key in ("space", "primaries", "transfer", "range")]
    range_ = "tv" if is_prores else colour.range_  # whatever Matroska says, decoders of ProRes take it for that
    assert tags == [colour.matrix, colour.primaries, colour.transfer, range_]
    assert stream["sample_aspect_ratio"] == "4:3"
    silent = container in ("mp4", "mov") and encoder in ("libvpx-vp9", "prores_ks")
    assert stream.get("chroma_location") == (None if silent else colour.location)
    if encoder == "libx265" and container in ("mp4", "mov"):
        assert stream["codec_tag_string"] == "hvc1"


@pytest.mark.fault(46)
@pytest.mark.parametrize("container", ["mov", "mkv"])
def test_full_range_becomes_studio_range_in_prores(
    ffmpeg: Callable[..., bytes], nearest_x2: Path, tmp_path: Path, container: str
) -> None:
    """A flat patch: 8-bit 200 of 255 is 16 + 219 * 200 / 255 of 235, four times that in 10 bit."""
    source, output = tmp_path / "in.mkv", tmp_path / f"o.{container}"
    video = "-f lavfi -i color=gray:size=48x44:rate=25,format=yuv422p,geq=lum=200:cb=90:cr=128 -frames:v 2 -c:v ffv1"
    ffmpeg(*video.split(), "-color_range", "pc", "-colorspace", "bt709", source)
    upscale_video(source, output, weights=nearest_x2, encoder="prores", pix_fmt="yuv422p10le")
    data = np.frombuffer(ffmpeg("-i", output, "-frames:v", "1", "-f", "rawvideo", "-"), np.uint16)
    luma, chroma = data[: 96 * 88], data[96 * 88 : 96 * 88 * 3 // 2]
    assert np.abs(luma.astype(int) - round(4 * (16 + 219 * 200 / 255))).max() <= 1
    assert np.abs(chroma.astype(int) - round(4 * (128 + 224 * (90 - 128) / 255))).max() <= 1


def test_no_encoder_is_left_out() -> None:
    """Of those that run on any processor and go well with a container."""
    tried = {encoder for encoder, _, _ in OUTPUTS}
    extra = {"librav1e", "libtheora", "mpeg4", "libxvid", "mpeg2video", "rawvideo"}
    assert {name for name, traits in ENCODERS.items() if traits.software} - extra == tried


SAID = {
    "rotation": "-c copy -metadata:s:v rotate=90",
    "shape of pixels, 4/3": "-vf setsar=4/3",
    "colour tags": "-colorspace bt709",
    "full range": "-color_range pc -pix_fmt yuvj420p",
    "times of 8 pictures": "-vf setpts='if(lt(N\\,5)\\,N\\,N*2)/25/TB' -vsync vfr",
}


@pytest.mark.parametrize("container", ["nut", "y4m"])
@pytest.mark.parametrize("what", SAID)
def test_what_plain_containers_cannot_say_is_named(
    ffmpeg: Callable[..., bytes], nearest_x2: Path, tmp_path: Path, what: str, container: str
) -> None:
    plain, source, output = tmp_path / "plain.mp4", tmp_path / "in.mp4", tmp_path / f"out.{container}"
    ffmpeg("-f", "lavfi", "-i", "testsrc2=s=64x48:r=25:d=0.4", "-pix_fmt", "yuv420p", "-c:v", "libx264", plain)
    ffmpeg("-i", plain, *(option.strip("'") for option in SAID[what].split()), source)
    kept = (what, container) in (("full range", "y4m"), ("times of 8 pictures", "nut"))
    for path, lost in ((plain, False), (source, not kept)):
        job = {"weights": nearest_x2, "device": "cpu", "overwrite": True}
        assert any(text.startswith(what) for text in upscale_video(path, output, **job).dropped) == lost
        with pytest.raises(InputError, match=what) if lost else nullcontext():
            upscale_video(path, output, **job, strict=True)
    if kept and what == "full range":
        assert look(output).tags["color_range"] == "pc"
    elif kept:
        assert look(output).times == look(source).times
    elif what.startswith("times"):  # of the ten, at an average of 10 in 0.68 s
        apart = [abs(time - Fraction(17, 250) * n) for n, time in enumerate(look(source).times)]
        assert sum(distance >= Fraction(17, 500) for distance in apart) == 8
