"""Headers that promise too much, lists of other files, names that look like protocols: refused, nothing else opened."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import av
import pytest

from rfdn_video import limits, probe
from rfdn_video.errors import InputError
from rfdn_video.media.reading import probe as probing
from rfdn_video.media.reading import source
from rfdn_video.media.reading.decode import Decoder
from rfdn_video.media.reading.probe import examine
from rfdn_video.media.timing import TimeRange

type FFmpeg = Callable[..., bytes]

SMALL = ("-f", "lavfi", "-i", "testsrc=size=64x48:rate=10:d=0.5")


@pytest.fixture
def clip(ffmpeg: FFmpeg, tmp_path: Path) -> Path:
    path = tmp_path / "clip.mp4"
    ffmpeg(*SMALL, "-c:v", "mpeg4", path)
    return path


@pytest.mark.fault(14)
@pytest.mark.parametrize(("width", "height"), [(100_000, 100_000), (20_000, 20_000), (2**31 - 1, 1)])
def test_pixels(ffmpeg: FFmpeg, tmp_path: Path, width: int, height: int) -> None:
    path = tmp_path / "large.avi"
    ffmpeg(*SMALL, "-c:v", "ffv1", path)
    data = bytearray(path.read_bytes())
    header = data.index(b"strf") + 12  # BITMAPINFOHEADER.biWidth
    data[header : header + 8] = struct.pack("<ii", width, height)
    path.write_bytes(data)
    with pytest.raises(InputError, match="no picture of its ffv1"):  # FFmpeg's own limit
        examine(path)  # no crash anywhere


@pytest.mark.fault(14)
def test_more_pixels_than_are_read(clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probing, "MAX_PIXELS", 64 * 48 - 1)
    with pytest.raises(InputError, match="claims 64x48 pixels; up to 3071 in all are read"):
        examine(clip)


@pytest.mark.fault(14)
def test_pixels_that_ffmpeg_refuses(tmp_path: Path) -> None:
    path = tmp_path / "large.y4m"
    path.write_bytes(b"YUV4MPEG2 W100000 H100000 F25:1 Ip A1:1 C420jpeg\nFRAME\n" + bytes(1000))
    with pytest.raises(InputError, match="not a media file that can be read"):
        probe(path)


@pytest.mark.fault(14)
@pytest.mark.parametrize(("size", "damaged"), [("4080x4080", 0), ("4128x4080", 1)])
def test_pixels_in_mid_stream(ffmpeg: FFmpeg, tmp_path: Path, size: str, damaged: int) -> None:
    """A stream that becomes huge on its way is not decoded: no other process has tried how much memory that takes."""
    path = tmp_path / "grows.h264"
    encoding = ("-pix_fmt", "yuv420p", "-c:v", "libx264", "-preset", "ultrafast")
    ffmpeg(*SMALL, "-frames:v", "5", *encoding, tmp_path / "small.h264")
    ffmpeg("-f", "lavfi", "-i", f"color=size={size}", "-frames:v", "1", *encoding, tmp_path / "large.h264")
    path.write_bytes((tmp_path / "small.h264").read_bytes() + (tmp_path / "large.h264").read_bytes())
    with Decoder(probe(path), TimeRange(), salvage=True) as decoder:
        assert len(list(decoder)) == 6 - damaged
    assert (decoder.report.damaged_packets, decoder.report.resized_frames) == (damaged, 1 - damaged)


@pytest.mark.fault(15)
@pytest.mark.parametrize("suffix", ["mkv", "mp4"])
def test_streams(ffmpeg: FFmpeg, tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"many.{suffix}"
    ffmpeg("-f", "lavfi", "-i", "testsrc=size=16x16:rate=10:d=0.1", *["-map", "0"] * 600, "-c:v", "mpeg4", path)
    with pytest.raises(InputError, match="more than 500 streams; up to 500 are read"):
        probe(path)


@pytest.mark.fault(15)
def test_attachments(ffmpeg: FFmpeg, clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    font, path = tmp_path / "font.ttf", tmp_path / "attached.mkv"
    font.write_bytes(bytes(3000))
    fonts = [word for n in range(2) for word in ("-attach", font, f"-metadata:s:t:{n}", "mimetype=font/ttf")]
    ffmpeg("-i", clip, *fonts, "-c", "copy", path)
    assert len(probe(path).others) == 2
    monkeypatch.setattr(source, "MAX_ATTACHED_BYTES", 5999)
    with pytest.raises(InputError, match="6000 bytes of attachments; up to 5999"):
        probe(path)


@pytest.mark.fault(15)
@pytest.mark.parametrize("count", [2000, limits.MAX_CHAPTERS + 1])
def test_chapters(ffmpeg: FFmpeg, clip: Path, tmp_path: Path, count: int) -> None:
    words, path = tmp_path / "chapters.txt", tmp_path / "chapters.mkv"
    chapter = "[CHAPTER]\nTIMEBASE=1/1000\nSTART={0}\nEND={0}\n"
    words.write_text(";FFMETADATA1\n" + "".join(map(chapter.format, range(count))))
    ffmpeg("-i", clip, "-f", "ffmetadata", "-i", words, "-map_chapters", "1", "-map", "0", "-c", "copy", path)
    if count <= limits.MAX_CHAPTERS:
        assert probe(path).chapters == count
    else:
        with pytest.raises(InputError, match=f"{count} chapters; up to {limits.MAX_CHAPTERS}"):
            probe(path)


@pytest.mark.fault(15)
def test_metadata(ffmpeg: FFmpeg, clip: Path, tmp_path: Path) -> None:
    words, path = tmp_path / "tags.txt", tmp_path / "tags.mkv"
    words.write_text(";FFMETADATA1\n" + "".join(f"tag{n}={'x' * 1000}\n" for n in range(1100)))
    ffmpeg("-i", clip, "-f", "ffmetadata", "-i", words, "-map_metadata", "1", "-map", "0", "-c", "copy", path)
    with pytest.raises(InputError, match="characters of metadata; up to 1048576"):
        probe(path)


@pytest.mark.fault(16)
@pytest.mark.parametrize(
    "text",
    [
        "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n{0}\n#EXT-X-ENDLIST\n",
        "ffconcat version 1.0\nfile '{0}'\n",
        '<?xml version="1.0"?>\n<MPD xmlns="urn:mpeg:dash:schema:mpd:2011"><BaseURL>{0}</BaseURL></MPD>',
        "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5000 RTP/AVP 96\n",
        "[Reference]\r\nRef1={0}\r\n",
        "[playlist]\nFile1={0}\n",
    ],
    ids=["hls", "concat", "dash", "sdp", "asx", "pls"],
)
def test_lists_of_files(clip: Path, tmp_path: Path, text: str) -> None:
    path = tmp_path / "list.mp4"
    path.write_text(text.format(clip))
    with pytest.raises(InputError, match="a playlist or list of files"):
        probe(path)


@pytest.mark.fault(16)
def test_a_pattern_of_images_is_a_name(clip: Path, tmp_path: Path) -> None:
    for number in range(3):
        (tmp_path / f"image{number}.dpx").write_bytes(b"SDPX" + bytes(3000))
    with pytest.raises(InputError, match="no such file"):
        probe(tmp_path / "image%d.dpx")
    clip.rename(tmp_path / "clip%d %s.mp4")
    assert probe(tmp_path / "clip%d %s.mp4").container.startswith("mov")


@pytest.mark.fault(13)
@pytest.mark.parametrize(("suffix", "codec"), [("mp4", "libx264"), ("mkv", "vp8"), ("avi", "mpeg4")])
def test_a_codec_without_decoder(ffmpeg: FFmpeg, tmp_path: Path, suffix: str, codec: str) -> None:
    path = tmp_path / f"unknown.{suffix}"
    ffmpeg(*SMALL, "-c:v", codec, path)
    tags = {"mp4": (b"avc1", b"qqqq"), "mkv": (b"V_VP8", b"V_QQQ"), "avi": (b"FMP4", b"qqqq")}
    path.write_bytes(path.read_bytes().replace(*tags[suffix]))
    with pytest.raises(InputError, match=rf"no decoder here for its video \(codec {tags[suffix][1].decode()}\)"):
        probe(path)


@pytest.mark.fault(17)
@pytest.mark.parametrize(
    "name",
    ["http:x.mp4", "file:x.mp4", "data:video,x", "-i", "subfile,,start,0,end,9,,:x", "concat:a.mp4|b.mp4", "pipe:0"],
)
def test_names_that_look_like_protocols(clip: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.chdir(clip.parent)
    with pytest.raises(InputError, match="no such file"):
        probe(name)
    clip.rename(name)
    assert probe(name).video.width == 64


@pytest.mark.fault(17)
@pytest.mark.parametrize("name", ["http://localhost/x.mp4", "https://x/y", "rtsp://x/y", "file:///x.mp4"])
def test_addresses(name: str) -> None:
    with pytest.raises(InputError, match="only local files are read"):
        probe(name)


@pytest.mark.fault(18)
def test_external_references(clip: Path, tmp_path: Path) -> None:
    """A MOV may say that its pictures lie in another file: that one is not opened."""
    data = clip.read_bytes()
    url = data.index(b"dref") - 4
    other = tmp_path / "other.mp4"
    other.write_bytes(data)
    size, moov = struct.unpack_from(">I", data, url)[0], data.index(b"moov") - 4
    record = struct.pack(">4sHH", b"\0\0\0\0", 0, 0) + bytes(142) + struct.pack(">HH", 2, len(str(other)))
    record += str(other).encode() + b"\0" * (len(str(other)) % 2) + struct.pack(">HH", 0xFFFF, 0)
    alias = struct.pack(">I4sI", 12 + len(record), b"alis", 0) + record
    dref = struct.pack(">I4sII", 16 + len(alias), b"dref", 0, 1) + alias
    grown = bytearray(data[:url] + dref + data[url + size :])
    for name in (b"moov", b"trak", b"mdia", b"minf", b"dinf"):
        at = moov if name == b"moov" else grown.index(name) - 4
        grown[at : at + 4] = struct.pack(">I", struct.unpack_from(">I", grown, at)[0] + len(dref) - size)
    path = tmp_path / "reference.mov"
    end = moov + struct.unpack_from(">I", grown, moov)[0]
    path.write_bytes(grown[moov:end])  # no pictures of its own
    followed = {"enable_drefs": "1", "use_absolute_path": "1"}
    with av.open(str(path), options=followed) as container:  # whoever follows it finds the pictures
        assert len(list(container.decode(video=0))) == 5
    with pytest.raises(InputError, match="no picture of its mpeg4"):
        probe(path)
