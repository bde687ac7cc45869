"""Mastering display and light level come through: in the bitstream where the encoder takes them, in every container."""

from __future__ import annotations

import shutil
import struct
import subprocess
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import ffmpeg as ffmpeg_python
import pytest

from rfdn_video import upscale_video
from rfdn_video.media.encoding.hdr_template import HDR_CODECS, hdr_template
from rfdn_video.media.hdr import HDRMetadata

type CommandLine = Callable[..., subprocess.CompletedProcess[str]]
type Seen = tuple[list[float], tuple[int, int]]

DISPLAY = "master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,50)"
NUMBERS = [0.68, 0.32, 0.265, 0.69, 0.15, 0.06, 0.3127, 0.329, 0.005, 1000]
CONTAINERS = [
    *(("libx264", name, None) for name in ("a.mp4", "a.mov", "a.mkv")),
    *(("libx265", name, None) for name in ("a.mp4", "a.mov", "a.mkv")),
    *(("libsvtav1", name, None) for name in ("a.mp4", "a.mkv", "a.webm")),
    *(("libvpx-vp9", name, "yuv420p") for name in ("a.mp4", "a.mkv", "a.webm")),
    ("libvpx-vp9", "a.mp4", "yuv444p"),
    ("ffv1", "a.mkv", None),
    *(("prores", name, "yuv422p10le") for name in ("a.mov", "a.mkv")),
    ("prores", "a.mov", "yuv444p10le"),
]


@pytest.fixture(scope="module")
def source(ffmpeg: Callable[..., bytes], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """HDR10: H.265, 10 bit, PQ."""
    return _hdr10(ffmpeg, tmp_path_factory.mktemp("hdr") / "hdr.mp4", "1100,180")


@pytest.mark.parametrize(("encoder", "name", "pix_fmt"), CONTAINERS)
def test_in_every_container(
    source: Path, nearest_x2: Path, tmp_path: Path, encoder: str, name: str, pix_fmt: str | None
) -> None:
    output = tmp_path / name
    summary = upscale_video(source, output, weights=nearest_x2, encoder=encoder, pix_fmt=pix_fmt, verify="full")
    assert summary.dropped == ()
    assert _in_container(output) == (pytest.approx(NUMBERS, rel=1e-6), (1100, 180))
    video = ffmpeg_python.probe(str(output))["streams"][0]
    assert (video["color_primaries"], video["color_transfer"]) == ("bt2020", "smpte2084")
    if name == "a.mkv":
        assert _mkvinfo(output) == (pytest.approx(NUMBERS, rel=1e-6), (1100, 180))
    if (encoder, name[-4:]) == ("libx265", ".mp4"):
        assert video["codec_tag_string"] == "hvc1"
    if encoder == "prores":
        assert video["profile"] == ("4444" if pix_fmt == "yuv444p10le" else "HQ")
    if encoder == "libvpx-vp9":
        assert video["profile"] == ("Profile 1" if pix_fmt == "yuv444p" else "Profile 0")


@pytest.mark.fault(49)
@pytest.mark.parametrize("encoder", ["libx264", "libx265", "libsvtav1"])
def test_in_the_bitstream(source: Path, nearest_x2: Path, tmp_path: Path, encoder: str) -> None:
    upscale_video(source, tmp_path / "a.mkv", weights=nearest_x2, encoder=encoder)
    assert _in_bitstream(tmp_path / "a.mkv", encoder) == (pytest.approx(NUMBERS, rel=0.002), (1100, 180))


@pytest.mark.parametrize(
    ("encoder", "name"), [("libx265", "a.mp4"), ("libsvtav1", "a.mkv"), ("libvpx-vp9", "a.webm"), ("ffv1", "a.mkv")]
)
def test_through_the_ffmpeg_program(source: Path, nearest_x2: Path, tmp_path: Path, encoder: str, name: str) -> None:
    output = tmp_path / name
    upscale_video(source, output, weights=nearest_x2, encoder=encoder, encoder_backend="ffmpeg", verify="full")
    assert _in_container(output) == (pytest.approx(NUMBERS, rel=1e-6), (1100, 180))
    if encoder in ("libx265", "libsvtav1"):
        assert _in_bitstream(output, encoder) == (pytest.approx(NUMBERS, rel=0.002), (1100, 180))


def test_from_the_container_alone(source: Path, nearest_x2: Path, tmp_path: Path) -> None:
    """FFV1 has no place for it in its bitstream, so what comes through it came from Matroska."""
    upscale_video(source, tmp_path / "a.mkv", weights=nearest_x2, encoder="ffv1")
    upscale_video(tmp_path / "a.mkv", tmp_path / "b.mp4", weights=nearest_x2, encoder="hevc")
    assert _in_container(tmp_path / "b.mp4") == (pytest.approx(NUMBERS, rel=1e-6), (1100, 180))


def test_the_users_own_parameters_win(
    command_line: CommandLine, source: Path, nearest_x2: Path, tmp_path: Path
) -> None:
    """The container then says nothing that could contradict them."""
    arguments = ["-o", tmp_path / "a.mkv", "-w", nearest_x2, "--encoder-opt", "x264-params=cll=900,90"]
    done = command_line(source, *arguments)
    assert done.returncode == 0, done.stderr
    assert _in_bitstream(tmp_path / "a.mkv", "libx264") == (pytest.approx(NUMBERS, rel=0.002), (900, 90))
    assert "MaximumContentLight" not in _mkvinfo_text(tmp_path / "a.mkv")


def test_said_where_they_are_lost(command_line: CommandLine, source: Path, nearest_x2: Path, tmp_path: Path) -> None:
    arguments = ["-o", tmp_path / "a.mkv", "--encoder", "mpeg4", "--pix-fmt", "yuv420p", "-w", nearest_x2]
    lost = "mastering display and light level: mkv with mpeg4 has no place for them; "
    done = command_line(source, *arguments, "--strict")
    assert (done.returncode, lost in done.stderr, "--strict was given" in done.stderr) == (3, True, True)
    done = command_line(source, *arguments)
    assert (done.returncode, f"dropped {lost}" in done.stderr) == (0, True)


def test_a_level_that_is_known_in_part(ffmpeg: Callable[..., bytes], nearest_x2: Path, tmp_path: Path) -> None:
    source = _hdr10(ffmpeg, tmp_path / "hdr.mp4", "1100,0")
    upscale_video(source, tmp_path / "a.mp4", weights=nearest_x2)
    upscale_video(source, tmp_path / "a.mkv", weights=nearest_x2)
    assert _in_container(tmp_path / "a.mp4")[1] == (1100, 0)
    assert "Maximum content light: 1100" in _mkvinfo_text(tmp_path / "a.mkv")


def test_what_cannot_be_written_is_said(source: Path, nearest_x2: Path, tmp_path: Path) -> None:
    """A display of a million cd/m2: Matroska's floating-point numbers can say so, nothing else can."""
    upscale_video(source, tmp_path / "a.mkv", weights=nearest_x2, encoder="ffv1")
    data = (tmp_path / "a.mkv").read_bytes()
    assert data.count(struct.pack(">d", 1000)) == 1
    (tmp_path / "odd.mkv").write_bytes(data.replace(struct.pack(">d", 1000), struct.pack(">d", 1e6)))
    summary = upscale_video(tmp_path / "odd.mkv", tmp_path / "b.mp4", weights=nearest_x2)
    said = "mastering display or light level: its values are incomplete, or beyond what can be written"
    assert summary.dropped == (said,)
    side_data = ffmpeg_python.probe(str(tmp_path / "b.mp4"))["streams"][0]["side_data_list"]
    assert [d["side_data_type"] for d in side_data] == ["Content light level metadata"]


@pytest.mark.parametrize("codec", sorted(HDR_CODECS))
def test_templates(tmp_path: Path, codec: str) -> None:
    path, half = tmp_path / "template.mp4", Fraction(1, 2)
    path.write_bytes(hdr_template(codec, HDRMetadata(((half, half),) * 4 + ((Fraction(0), Fraction(10000)),), (7, 5))))
    stream = ffmpeg_python.probe(str(path))["streams"][0]
    assert stream["codec_name"] == codec
    display, light = stream["side_data_list"]
    assert (display["red_x"], display["max_luminance"]) == ("25000/50000", "100000000/10000")
    assert (light["max_content"], light["max_average"]) == (7, 5)


def _hdr10(ffmpeg: Callable[..., bytes], path: Path, light: str) -> Path:
    video = "-f lavfi -i testsrc2=size=96x80:rate=25 -frames:v 3 -pix_fmt yuv420p10le -c:v libx265"
    tags = "-color_primaries bt2020 -color_trc smpte2084 -colorspace bt2020nc"
    parameters = f"log-level=error:bframes=0:{DISPLAY}:max-cll={light}:hdr10=1"
    ffmpeg(*video.split(), *tags.split(), "-x265-params", parameters, path)
    return path


def _in_container(path: Path) -> Seen:
    """What ffprobe finds in the stream's description."""
    side_data = {d["side_data_type"]: d for d in ffmpeg_python.probe(str(path))["streams"][0]["side_data_list"]}
    display = side_data["Mastering display metadata"]
    points = [f"{name}_{axis}" for name in ("red", "green", "blue", "white_point") for axis in "xy"]
    values = [float(Fraction(display[name])) for name in (*points, "min_luminance", "max_luminance")]
    light = side_data["Content light level metadata"]
    return values, (light["max_content"], light["max_average"])


def _mkvinfo_text(path: Path) -> str:
    if shutil.which("mkvinfo") is None:
        pytest.skip("mkvinfo is absent; it is the oracle of this test: install mkvtoolnix")
    return subprocess.run(["mkvinfo", path], capture_output=True, text=True, check=True).stdout


def _mkvinfo(path: Path) -> Seen:
    found = dict(line.lstrip("|+ ").split(": ", 1) for line in _mkvinfo_text(path).splitlines() if ": " in line)
    places = [f"{c} color coordinate {axis}" for c in ("Red", "Green", "Blue") for axis in "xy"]
    places += ["White color coordinate x", "White color coordinate y", "Minimum luminance", "Maximum luminance"]
    lights = ("Maximum content light", "Maximum frame light")
    return [float(found[f"{place}"]) for place in places], (int(found[lights[0]]), int(found[lights[1]]))


def _in_bitstream(path: Path, encoder: str) -> Seen:
    """What PyAV's decoders find in the first picture (ffprobe 5 does not show H.264's), without the container."""
    bare = path.with_suffix({"libx264": ".h264", "libx265": ".hevc", "libsvtav1": ".obu"}[encoder])
    subprocess.run(["ffmpeg", "-v", "error", "-i", path, "-c", "copy", bare], check=True)
    with av.open(str(bare)) as container:
        picture = next(container.decode(video=0))
        data = {kind.name: bytes(picture.side_data[kind]) for kind in picture.side_data}
    numbers = struct.unpack("=20i", data["MASTERING_DISPLAY_METADATA"][:80])
    values = [n / d for n, d in zip(numbers[::2], numbers[1::2], strict=True)]
    return values, struct.unpack("=2I", data["CONTENT_LIGHT_LEVEL"][:8])
