"""Still images: the network's result, with transparency, profile and EXIF data kept."""

from __future__ import annotations

import json
import struct
import subprocess
import zlib
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from PIL.PngImagePlugin import PngImageFile, PngInfo

from rfdn_video import Upscaler
from rfdn_video.errors import InputError, OutputError
from rfdn_video.media.still import Still, read_still, write_still
from rfdn_video.settings import Settings
from rfdn_video.stills import plan_still

type CommandLine = Callable[..., subprocess.CompletedProcess[str]]


def _picture(mode: str, size: tuple[int, int] = (20, 16)) -> Image.Image:
    values = np.random.default_rng(5).integers(0, 256, (size[1], size[0], 4), dtype=np.uint8)
    picture = Image.fromarray(values, "RGBA")
    return picture.convert("RGB").convert("P") if mode == "P" else picture.convert(mode)


def test_png_equals_the_upscaler(command_line: CommandLine, tmp_path: Path) -> None:
    """Still images take the clean weights."""
    source = tmp_path / "photo.png"
    picture = _picture("RGB")
    picture.save(source)
    assert command_line(source, "-s", "2", "--device", "cpu").returncode == 0
    image = torch.from_numpy(np.array(picture)).permute(2, 0, 1).float() / 255
    expected = (Upscaler(scale=2, tune="clean", device="cpu")(image) * 255).round().clamp(0, 255)
    result = np.asarray(Image.open(tmp_path / "photo_x2.png"))
    np.testing.assert_array_equal(result, expected.permute(1, 2, 0).numpy())


ORIENTATION, MAKER, GROUP, EXPOSURE = 0x0112, 0x010F, 0x8769, 0x829A


def _exif(orientation: int) -> bytes:
    exif = Image.Exif()
    exif[ORIENTATION], exif[MAKER] = orientation, "Somebody"
    exif[GROUP] = {EXPOSURE: 0.5}
    return exif.tobytes()


@pytest.mark.parametrize(("name", "output"), [("in.jpg", "out.tif"), ("in.tif", "out.tif"), ("in.png", "out.jpg")])
def test_what_the_file_says_is_kept(
    command_line: CommandLine, nearest_x2: Path, tmp_path: Path, name: str, output: str
) -> None:
    """But how it is turned when shown: that has been done."""
    source = tmp_path / name
    _picture("RGB").save(source, exif=_exif(6), icc_profile=b"a profile", dpi=(300, 300))
    done = command_line(source, "-w", nearest_x2, "-o", tmp_path / output)
    assert done.returncode == 0, done.stderr
    with Image.open(tmp_path / output) as result:
        exif = result.getexif()
        assert (exif.get(ORIENTATION, 1), exif[MAKER], exif.get_ifd(GROUP)) == (1, "Somebody", {EXPOSURE: 0.5})
        assert (result.size, result.info["icc_profile"]) == ((32, 40), b"a profile")
        assert [round(value) for value in result.info["dpi"]] == [300, 300]


@pytest.mark.parametrize("output", ["out.png", "out.jpg", "out.webp", "out.tif"])
@pytest.mark.parametrize("name", ["in.png", "in.jpg", "in.webp", "in.tif"])
def test_xmp_is_kept(tmp_path: Path, name: str, output: str) -> None:
    words, xmp = PngInfo(), b"<x:xmpmeta xmlns:x='adobe:ns:meta/'/>"
    words.add_itxt("XML:com.adobe.xmp", xmp.decode())
    options = {"in.png": {"pnginfo": words}, "in.tif": {"tiffinfo": {700: xmp}}}.get(name, {"xmp": xmp})
    _picture("RGB").save(tmp_path / name, **options)
    write_still(tmp_path / output, read_still(tmp_path / name))
    with Image.open(tmp_path / output) as result:
        result.load()
        assert result.info["xmp"] == xmp


@pytest.mark.parametrize(("options", "kept"), [({"lossless": True}, True), ({"quality": 80}, False)])
@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_what_is_lossless_stays_so_in_webp(tmp_path: Path, mode: str, options: dict[str, Any], kept: bool) -> None:
    _picture(mode).save(tmp_path / "in.webp", exif=_exif(1), icc_profile=b"a profile", **options)
    still = read_still(tmp_path / "in.webp")
    write_still(tmp_path / "out.webp", still)
    again = read_still(tmp_path / "out.webp")
    assert np.array_equal(again.rgb, still.rgb) == kept
    assert (b"VP8L" in (tmp_path / "out.webp").read_bytes()) == kept


def test_jfif_is_jpeg(command_line: CommandLine, nearest_x2: Path, tmp_path: Path) -> None:
    _picture("RGB").save(tmp_path / "in.jfif")
    done = command_line("in.jfif", "-w", nearest_x2, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert Image.open(tmp_path / "in_x2.jfif").format == "JPEG"


def test_gamma_and_chromaticities(command_line: CommandLine, nearest_x2: Path, tmp_path: Path) -> None:
    """PNG keeps them; elsewhere only those of sRGB go without saying."""
    for name, gamma in (("linear.png", 100_000), ("usual.png", 45_455)):
        words = PngInfo()
        words.add(b"gAMA", gamma.to_bytes(4))
        words.add(b"cHRM", b"".join(v.to_bytes(4) for v in (31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000)))
        _picture("RGB").save(tmp_path / name, pnginfo=words)
    assert command_line("linear.png", "-w", nearest_x2, "-o", "out.png", cwd=tmp_path).returncode == 0
    chunks = [(tmp_path / name).read_bytes() for name in ("linear.png", "out.png")]
    for chunk, length in ((b"gAMA", 4), (b"cHRM", 32)):
        before, after = (data[data.index(chunk) :][: 8 + length] for data in chunks)
        assert before == after
    assert command_line("usual.png", "-w", nearest_x2, "-o", "out.jpg", cwd=tmp_path).returncode == 0
    done = command_line("linear.png", "-w", nearest_x2, "-o", "o.jpg", cwd=tmp_path)
    assert done.returncode == 4
    assert "cannot say that the picture has a gamma of 1; write to .png" in done.stderr


@pytest.mark.parametrize("orientation", range(1, 9))
def test_is_turned_as_it_is_shown(tmp_path: Path, orientation: int) -> None:
    """By the table of Exif 2.32, section 4.6.4 A: where row 0 and column 0 of what is stored are shown."""
    picture = _picture("RGB")
    picture.save(path := tmp_path / "in.png", exif=_exif(orientation))
    stored = np.asarray(picture)
    shown = stored.swapaxes(0, 1) if orientation >= 5 else stored
    shown = shown[::-1] if orientation in (3, 4, 7, 8) else shown
    shown = shown[:, ::-1] if orientation in (2, 3, 6, 7) else shown
    np.testing.assert_array_equal(read_still(path).rgb, shown)


def test_a_height_is_that_of_the_picture_as_it_is_shown(
    command_line: CommandLine, nearest_x2: Path, tmp_path: Path
) -> None:
    _picture("RGB", (24, 16)).save(tmp_path / "in.jpg", exif=_exif(6))
    done = command_line("in.jpg", "-w", nearest_x2, "--height", "48", "-o", "out.png", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert Image.open(tmp_path / "out.png").size == (32, 48)


def test_text_of_png(command_line: CommandLine, nearest_x2: Path, tmp_path: Path) -> None:
    words = PngInfo()
    words.add_text("Title", "A picture")
    words.add_itxt("Author", "J\N{LATIN SMALL LETTER O WITH DIAERESIS}rg", "de", "Autor")
    _picture("RGB").save(tmp_path / "in.png", pnginfo=words)
    assert command_line("in.png", "-w", nearest_x2, cwd=tmp_path).returncode == 0
    seen = ["ffprobe", "-v", "error", "-show_entries", "frame_tags", "-of", "json", tmp_path / "in_x2.png"]
    tags = json.loads(subprocess.run(seen, capture_output=True, check=True).stdout)["frames"][0]["tags"]
    assert tags["Title"] == "A picture"
    with Image.open(tmp_path / "in_x2.png") as result:
        assert isinstance(result, PngImageFile)
        assert result.text == {"Title": "A picture", "Author": "J\N{LATIN SMALL LETTER O WITH DIAERESIS}rg"}


@pytest.mark.parametrize("output", ["out.jpg", "out.png"])
@pytest.mark.parametrize("comment", ["Gr\N{LATIN SMALL LETTER U WITH DIAERESIS}n".encode(), b"Gr\xfcn"])
def test_the_comment_of_a_jpeg(
    command_line: CommandLine, nearest_x2: Path, tmp_path: Path, output: str, comment: bytes
) -> None:
    _picture("RGB").save(tmp_path / "in.jpg", comment=comment)
    assert command_line("in.jpg", "-w", nearest_x2, "-o", output, cwd=tmp_path).returncode == 0
    with Image.open(tmp_path / output) as result:
        words = result.info["comment"] if output == "out.jpg" else result.info["Comment"]
        assert words == (comment if output == "out.jpg" else "Gr\N{LATIN SMALL LETTER U WITH DIAERESIS}n")


def test_of_several_pictures_in_one_jpeg_the_first(tmp_path: Path) -> None:
    """Telephones store a smaller one, or one of depth, behind it."""
    first, second = _picture("RGB"), Image.new("RGB", (8, 8))
    first.save(path := tmp_path / "in.jpg", "MPO", save_all=True, append_images=[second], quality=100)
    with Image.open(path) as stored:
        assert (stored.format, getattr(stored, "n_frames", 1)) == ("MPO", 2)
        np.testing.assert_array_equal(read_still(path).rgb, np.asarray(stored))


@pytest.mark.parametrize("exif", [b"Exif\0\0nonsense", b"Exif\0\0II*\0\xff\xff\xff\xff", b"?"])
def test_unreadable_exif_data_are_no_reason_to_refuse(tmp_path: Path, exif: bytes) -> None:
    _picture("RGB").save(path := tmp_path / "in.jpg", exif=exif)
    assert read_still(path).rgb.shape == (16, 20, 3)
    for suffix in ("jpg", "tif", "png"):
        write_still(tmp_path / f"out.{suffix}", read_still(path))


@pytest.mark.parametrize("suffix", ["bmp", "tif"])
def test_eight_bits_whatever_numbers_the_file_holds(tmp_path: Path, suffix: str) -> None:
    """A stride of 2160 bytes, or an offset of as many, are no 16-bit samples."""
    for width in range(715, 725):
        path = tmp_path / f"{width}.{suffix}"
        write_still(path, Still(np.zeros((2, width, 3), np.uint8), None, False, True, {}))
        assert read_still(path).rgb.shape == (2, width, 3)
    _picture("RGB", (720, 16)).convert("I;16").save(path := tmp_path / "deep.png")
    with pytest.raises(InputError, match="more than 8 bit"):
        read_still(path)


@pytest.mark.parametrize(("mode", "result"), [("RGBA", "RGBA"), ("L", "L"), ("LA", "LA"), ("P", "RGB"), ("1", "L")])
def test_modes(command_line: CommandLine, nearest_x2: Path, tmp_path: Path, mode: str, result: str) -> None:
    source = tmp_path / "in.png"
    picture = _picture(mode)
    picture.save(source)
    done = command_line(source, "-w", nearest_x2)
    assert done.returncode == 0, done.stderr
    larger = Image.open(tmp_path / "in_x2.png")
    assert (larger.mode, larger.size) == (result, (40, 32))
    bands = np.asarray(picture.convert(result)), np.asarray(larger)
    colours = slice(None) if bands[0].ndim == 2 else slice(0, 3 if result.startswith("RGB") else 1)
    if bands[0].ndim == 3:
        bands = bands[0][..., colours], bands[1][..., colours]
    np.testing.assert_array_equal(bands[1], bands[0].repeat(2, 0).repeat(2, 1))


def test_refusals(command_line: CommandLine, nearest_x2: Path, tmp_path: Path) -> None:
    deep, clear, text = tmp_path / "deep.png", tmp_path / "clear.png", tmp_path / "text.png"
    Image.fromarray(np.full((8, 8), 40000, np.uint16)).save(deep)
    _picture("RGBA").save(clear)
    text.write_text("no picture")
    for arguments, code, words in (
        ([deep], 3, "more than 8 bit"),
        ([clear, "-o", tmp_path / "out.jpg"], 4, "transparency"),
        ([text], 3, "not a readable image"),
        ([clear, "-o", tmp_path / "out.mp4"], 4, "no kind of image"),
    ):
        done = command_line(*arguments, "-w", nearest_x2)
        assert (done.returncode, len(done.stderr.splitlines())) == (code, 1)
        assert words in done.stderr


def test_what_the_format_does_not_hold_is_found_before_the_work(nearest_x2: Path, tmp_path: Path) -> None:
    """WebP has up to 16383 pixels a side (RFC 9649, section 2.6), and JPEG less than 64 KiB of XMP."""
    wide, wordy, words = tmp_path / "wide.png", tmp_path / "wordy.png", PngInfo()
    _picture("RGB", (8192, 4)).save(wide)
    words.add_itxt("XML:com.adobe.xmp", f"<x:xmpmeta xmlns:x='adobe:ns:meta/'>{'x' * 70_000}</x:xmpmeta>")
    _picture("RGB").save(wordy, pnginfo=words)
    settings = Settings(weights=nearest_x2, scale=Fraction(2))
    for source, refusing, reason, holding in ((wide, "a.webp", "16384x8", "a.jpg"), (wordy, "b.jpg", "XMP", "b.webp")):
        with pytest.raises(OutputError, match=f"{reason}.*write to .png"):
            plan_still(source, str(tmp_path / refusing), settings)
        assert plan_still(source, str(tmp_path / holding), settings).output == tmp_path / holding


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        (["--encoder", "ffv1"], "encoder"),
        (["--encoder-opt", "tune=film"], "encoder-opt"),
        (["--start", "5"], "start"),
        (["--audio", "none"], "audio"),
        (["--pix-fmt", "gray"], "pix-fmt"),
        (["--container", "mkv"], "container"),
        (["--deinterlace"], "deinterlace"),
        (["--preset", "archive"], "encoder"),
    ],
)
def test_what_is_for_videos(
    refused: Callable[..., None], nearest_x2: Path, tmp_path: Path, arguments: list[str], name: str
) -> None:
    _picture("RGB").save(tmp_path / "in.png")
    words = f"--{name} is for videos, and this is a picture; leave it away"
    refused(tmp_path, ["in.png", "-w", str(nearest_x2), *arguments], 2, words)


def test_what_makes_no_difference(command_line: CommandLine, nearest_x2: Path, tmp_path: Path) -> None:
    _picture("RGB").save(tmp_path / "in.png")
    options = ["--strict", "--verify", "full", "--reuse", "off", "--no-resume"]
    done = command_line("in.png", "-w", nearest_x2, *options, cwd=tmp_path)
    assert done.returncode == 0, done.stderr


@pytest.mark.fault(14)
@pytest.mark.parametrize(
    ("size", "code", "words"),
    [
        ((50_000, 50_000), 3, "exceeds limit"),  # Pillow's own
        ((12_000, 12_000), 3, "images of up to 134217728 pixels are read"),
        ((10_000, 10_000), 2, "up to 268435456 pixels are written"),
    ],
)
def test_a_picture_that_would_burst_memory(
    command_line: CommandLine, tmp_path: Path, size: tuple[int, int], code: int, words: str
) -> None:
    """A few kilobytes that say they are 2,500 million pixels; and 100 million that would become 400 million."""
    source = tmp_path / "bomb.png"
    _write_black_png(source, size)
    done = command_line(source, "-s", "2")
    assert done.returncode == code, done.stderr
    assert words in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert list(tmp_path.iterdir()) == [source]


def _write_black_png(path: Path, size: tuple[int, int]) -> None:
    width, height = size
    press = zlib.compressobj(9)
    rows = b"".join(press.compress(bytes(1 + (width + 7) // 8)) for _ in range(height)) + press.flush()
    chunks = {b"IHDR": struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0), b"IDAT": rows, b"IEND": b""}
    body = b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks.items()
    )
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + body)
