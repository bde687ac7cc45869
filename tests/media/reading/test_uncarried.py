"""HDR10+ and Dolby Vision are dropped, and never without a word."""

from __future__ import annotations

import json
import re
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path

import ffmpeg as ffmpeg_python
import pytest

from rfdn_video import probe, upscale_video
from rfdn_video.errors import InputError
from rfdn_video.media.reading.decode import Decoder
from rfdn_video.media.timing import TimeRange
from tests.boxes import box, with_box

type CommandLine = Callable[..., subprocess.CompletedProcess[str]]

START = b"\x00\x00\x00\x01"


@pytest.fixture(scope="module")
def plain(ffmpeg: Callable[..., bytes], tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Three pictures of H.265, 10 bit, PQ, as a stream of NAL units, each picture behind a delimiter."""
    path = tmp_path_factory.mktemp("plain") / "plain.hevc"
    video = "-f lavfi -i testsrc2=size=96x80:rate=25 -frames:v 3 -pix_fmt yuv420p10le -c:v libx265"
    tags = "-color_primaries bt2020 -color_trc smpte2084 -colorspace bt2020nc"
    ffmpeg(*video.split(), *tags.split(), "-x265-params", "log-level=error:bframes=0:aud=1:slices=1", path)
    return path.read_bytes()


@pytest.fixture(scope="module")
def hdr10_plus(ffmpeg: Callable[..., bytes], plain: bytes, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A message of dynamic metadata before the slice of every picture."""
    message = b"\x4e\x01" + bytes([4, len(_dynamic_metadata())]) + _dynamic_metadata() + b"\x80"
    data = _with_unit(plain, _escaped(message), before=rb"\x00\x00\x01[\x26\x28\x02\x00]\x01")
    path = _muxed(ffmpeg, data, tmp_path_factory.mktemp("hdr10plus"))
    assert "HDR Dynamic Metadata SMPTE2094-40 (HDR10+)" in _frame_side_data(path)
    return path


@pytest.fixture(scope="module")
def dolby_vision(ffmpeg: Callable[..., bytes], plain: bytes, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Profile 8.1, by a box in MP4 alone: a base layer that is HDR10."""
    path = _muxed(ffmpeg, plain, tmp_path_factory.mktemp("dovi"))
    path.write_bytes(with_box(path.read_bytes(), _configuration(profile=8, compatibility=1), b"hev1"))
    side_data = ffmpeg_python.probe(str(path))["streams"][0]["side_data_list"]
    assert [(d["dv_profile"], d["dv_bl_signal_compatibility_id"]) for d in side_data] == [(8, 1)]
    return path


@pytest.fixture(scope="module")
def rpu_only(ffmpeg: Callable[..., bytes], plain: bytes, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Dolby Vision's own NAL units (type 62) behind the pictures, without a box."""
    unit = _escaped(b"\x7c\x01" + _reference_processing_unit())
    data = b"".join(p + START + unit for p in _pictures(plain))
    path = _muxed(ffmpeg, data, tmp_path_factory.mktemp("rpu"))
    assert _frame_side_data(path) == {"Dolby Vision RPU Data"}
    return path


@pytest.mark.fault(49)
@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("hdr10_plus", "HDR10+ metadata (SMPTE ST 2094-40)"),
        ("dolby_vision", "Dolby Vision"),
        ("rpu_only", "Dolby Vision"),
    ],
)
def test_dropped_loudly(
    command_line: CommandLine, request: pytest.FixtureRequest, nearest_x2: Path, tmp_path: Path, source: str, words: str
) -> None:
    path, output = request.getfixturevalue(source), tmp_path / "out.mp4"
    said = f"{words}: cannot be carried yet"
    strict = command_line(path, "-o", output, "-w", nearest_x2, "--strict")
    assert strict.returncode == 3
    assert strict.stderr == f"rfdn-video: {path}: {said}, and --strict was given\n"
    assert not output.exists()
    plan = command_line(path, "-o", output, "-w", nearest_x2, "--dry-run", "--json")
    assert json.loads(plan.stdout)["dropped"] == [said]
    done = command_line(path, "-o", output, "-w", nearest_x2, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["dropped"] == [said]
    assert f"warning: {path.name}: dropped {said}" in done.stderr
    assert not _frame_side_data(output)
    assert "side_data_list" not in ffmpeg_python.probe(str(output))["streams"][0]


@pytest.mark.fault(49)
@pytest.mark.parametrize("kind", ["hdr10_plus", "rpu_only"])
def test_dropped_loudly_where_it_begins_late(
    request: pytest.FixtureRequest,
    ffmpeg: Callable[..., bytes],
    plain: bytes,
    nearest_x2: Path,
    tmp_path: Path,
    kind: str,
) -> None:
    """Behind six pictures that have none, of which the plan sees five; within these, the plan knows."""
    with_it = (request.getfixturevalue(kind).parent / "in.hevc").read_bytes()
    words = "Dolby Vision" if kind == "rpu_only" else "HDR10+ metadata (SMPTE ST 2094-40)"
    path = _muxed(ffmpeg, plain + plain + with_it, tmp_path)
    said = f"{words} of 3 pictures, not of the first ones: cannot be carried yet"
    summary = upscale_video(path, tmp_path / "out.mp4", weights=nearest_x2, device="cpu")
    assert (summary.dropped, summary.warnings) == ((said,), [f"dropped {said}"])
    with pytest.raises(InputError, match=re.escape(f"{path}: {said}, and --strict was given")):
        upscale_video(path, tmp_path / "strict.mp4", weights=nearest_x2, device="cpu", strict=True)
    assert not (tmp_path / "strict.mp4").exists()
    early = _muxed(ffmpeg, plain + with_it, tmp_path)
    assert probe(early).video.dropped_metadata == (words,)


def test_a_mastering_display_that_comes_late(ffmpeg: Callable[..., bytes], plain: bytes, tmp_path: Path) -> None:
    """Encoders are told before the first picture, so that it is lost, and said to be."""
    display = "master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,1):max-cll=1000,400"
    video = "-f lavfi -i testsrc2=size=96x80:rate=25 -frames:v 3 -pix_fmt yuv420p10le -c:v libx265"
    tags = "-color_primaries bt2020 -color_trc smpte2084 -colorspace bt2020nc"
    graded = tmp_path / "graded.hevc"
    options = f"log-level=error:bframes=0:aud=1:slices=1:{display}"
    ffmpeg(*video.split(), *tags.split(), "-x265-params", options, graded)
    path = _muxed(ffmpeg, plain + plain + graded.read_bytes(), tmp_path)
    with Decoder(info := probe(path), TimeRange()) as decoder:
        assert len(list(decoder)) == 9
    assert not info.video.hdr
    assert decoder.report.late_static_hdr == 3


def test_a_stereoscopic_layout_is_named(ffmpeg: Callable[..., bytes], nearest_x2: Path, tmp_path: Path) -> None:
    """Side by side, as x264 writes it into H.264 (D.1.26)."""
    source = tmp_path / "in.mp4"
    video = "-f lavfi -i testsrc2=size=48x40:rate=25 -frames:v 2 -pix_fmt yuv420p -c:v libx264"
    ffmpeg(*video.split(), "-x264-params", "frame-packing=3", source)
    summary = upscale_video(source, tmp_path / "out.mp4", weights=nearest_x2)
    assert summary.dropped == ("stereoscopic layout: cannot be carried yet",)


def test_without_a_base_layer_it_is_refused(
    command_line: CommandLine, ffmpeg: Callable[..., bytes], plain: bytes, tmp_path: Path
) -> None:
    """Profile 5: the planes are no Y'CbCr, so dropping what explains them would leave wrong colours."""
    path = _muxed(ffmpeg, plain, tmp_path)
    path.write_bytes(with_box(path.read_bytes(), _configuration(profile=5, compatibility=0), b"hev1"))
    done = command_line(path, "-o", tmp_path / "out.mp4")
    assert done.returncode == 3
    assert "Dolby Vision profile 5: without its metadata" in done.stderr
    assert "ffmpeg -i IN -vf libplacebo" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def _dynamic_metadata() -> bytes:
    """ITU-T T.35 message of SMPTE ST 2094-40, one window without any curve (CTA-861-H, annex S)."""
    fields = [(0xB5, 8), (0x3C, 16), (1, 16), (4, 8), (1, 8), (1, 2), (400, 27), (0, 1)]
    fields += [*[(50_000, 17)] * 3, (20_000, 17), (0, 4), (10, 10), (0, 1), (0, 1), (0, 1)]
    return _bytes("".join(f"{value:0{width}b}" for value, width in fields))


def _reference_processing_unit() -> bytes:
    """Profile 8, every component mapped to itself by one straight line (ETSI GS CCM 001, section 5.2)."""
    header = f"{2:06b}{18:011b}" + f"{1:04b}{0:04b}" + "1" + "0" + "00" + _ue(23) + "01" + "0"
    depths = _ue(2) + _ue(2) + _ue(4) + "0" + "000" + "0" + "1"
    pivots = 3 * (_ue(0) + f"{0:010b}{1023:010b}")
    line = _ue(0) + _ue(0) + "0" + _ue(0) + f"{0:023b}" + "010" + f"{0:023b}"
    mapping = "0" + "0" + _ue(0) + _ue(0) + _ue(0) + pivots + _ue(0) + _ue(0) + 3 * line
    content = _bytes(header + depths + mapping)
    return b"\x19" + content + struct.pack(">I", _crc32_mpeg(content)) + b"\x80"


def _ue(value: int) -> str:
    """Exponential-Golomb code."""
    digits = f"{value + 1:b}"
    return "0" * (len(digits) - 1) + digits


def _crc32_mpeg(data: bytes) -> int:
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte << 24
        for _ in range(8):
            crc = (crc << 1 ^ (0x04C11DB7 if crc >> 31 else 0)) & 0xFFFFFFFF
    return crc


def _bytes(bits: str) -> bytes:
    bits += "0" * (-len(bits) % 8)
    return int(bits, 2).to_bytes(len(bits) // 8)


def _configuration(profile: int, compatibility: int) -> bytes:
    """A dvcC box (dvvC beyond profile 7): metadata and base layer are there, an enhancement layer is not."""
    name = b"dvvC" if profile > 7 else b"dvcC"
    level, present = 1, 0b101
    content = bytes([1, 0]) + struct.pack(">HI16x", profile << 9 | level << 3 | present, compatibility << 28)
    return box(name, content)


def _pictures(data: bytes) -> list[bytes]:
    return re.split(rb"(?=\x00\x00\x00\x01\x46\x01)", data)[1:]


def _with_unit(data: bytes, unit: bytes, before: bytes) -> bytes:
    pictures = []
    for picture in _pictures(data):
        slices = re.search(rb"\x00?" + before, picture)
        assert slices is not None
        pictures.append(picture[: slices.start()] + START + unit + picture[slices.start() :])
    return b"".join(pictures)


def _escaped(unit: bytes) -> bytes:
    """With emulation prevention (ITU-T H.265, 7.4.2)."""
    return re.sub(rb"\x00\x00(?=[\x00-\x03])", b"\x00\x00\x03", unit)


def _muxed(ffmpeg: Callable[..., bytes], data: bytes, folder: Path) -> Path:
    (folder / "in.hevc").write_bytes(data)
    ffmpeg("-r", "25", "-i", folder / "in.hevc", "-c", "copy", folder / "in.mp4")
    return folder / "in.mp4"


def _frame_side_data(path: Path) -> set[str]:
    frames = ffmpeg_python.probe(str(path), show_frames=None)["frames"]
    kinds = {d["side_data_type"] for frame in frames for d in frame.get("side_data_list", [])}
    return {kind for kind in kinds if "Unregistered" not in kind}
