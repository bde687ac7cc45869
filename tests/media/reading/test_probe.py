"""Probing real files: what is found, what is refused, and with which words."""

from __future__ import annotations

import os
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest

from rfdn_video import probe
from rfdn_video.errors import InputError, NoVideoError
from rfdn_video.frame import Matrix, PixelFormat
from rfdn_video.media.reading.decode import Decoder
from rfdn_video.media.timing import TimeRange

type FFmpeg = Callable[..., bytes]


@pytest.mark.fault(28)
def test_describes_a_tagged_clip(shared: Path) -> None:
    info = probe(shared / "clips" / "bt601.mp4")
    video = info.video
    assert (video.codec, video.width, video.height, video.pix_fmt) == ("h264", 360, 240, "yuv420p")
    assert video.format == PixelFormat("yuv", 8, 1, 1)
    assert (video.color.matrix, video.color.full_range, video.tagged_matrix) == (Matrix.SMPTE170M, False, 6)
    assert (video.time_base, video.frame_rate, video.frame_count) == (Fraction(1, 30000), Fraction(30000, 1001), 30)
    assert [(s.kind, s.codec, s.drop_reason) for s in info.others] == [("audio", "aac", None)]


@pytest.mark.fault(47)
@pytest.mark.parametrize(
    ("name", "matrix"),
    [
        ("bikes.mp4", Matrix.SMPTE170M),  # untagged and small
        ("bigbuckbunny.mp4", Matrix.BT709),  # untagged and large
        ("sample_15fps_720p_1s.mp4", Matrix.BT709),  # tagged
        ("hlg10-color-test.mp4", Matrix.BT2020_NCL),
    ],
)
def test_matrix_follows_tags_then_size(shared: Path, name: str, matrix: Matrix) -> None:
    assert probe(shared / "clips" / name).video.color.matrix is matrix


def test_full_range_of_yuvj(shared: Path) -> None:
    video = probe(shared / "clips" / "sample_shorter_audio.mp4").video
    assert (video.pix_fmt, video.color.full_range) == ("yuvj420p", True)


@pytest.mark.fault(38)
def test_rotation_and_pixel_shape(shared: Path) -> None:
    video = probe(shared / "clips" / "h264-displaymatrix.mp4").video
    assert video.turned
    assert video.sample_aspect_ratio == Fraction(1, 2)


@pytest.mark.fault(4)
def test_content_counts_not_the_name(shared: Path, tmp_path: Path) -> None:
    link = tmp_path / "holiday.txt"
    link.symlink_to(shared / "clips" / "bikes.mp4")
    assert probe(link).video.width == 640
    assert probe(shared / "clips" / "h264-brokensps.mp4").container == "flv"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("h264-interlaced_crop.mp4", "interlaced"),
        ("prores-gray.mp4", "interlaced"),
        ("invalid-bitstream.webm", "no picture"),
        ("sample_fragmented_widevine.mp4", "encrypted"),
    ],
)
def test_unusable_clips_are_refused(shared: Path, name: str, text: str) -> None:
    with pytest.raises(InputError, match=text):
        probe(shared / "clips" / name)


@pytest.mark.fault(9)
def test_audio_only_is_its_own_error(shared: Path) -> None:
    with pytest.raises(NoVideoError, match="no video stream"):
        probe(shared / "clips" / "sample_audio_only.mp4")


def test_a_stream_without_description_is_dropped_with_its_reason(shared: Path) -> None:
    (audio,) = probe(shared / "clips" / "sample_missing_stsd.mp4").others
    assert audio.drop_reason is not None


@pytest.mark.fault(5)
def test_mp4_without_its_index(tmp_path: Path) -> None:
    """What an interrupted download leaves: file type and media data, no moov."""
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(b"\0\0\0\x10ftypmp42\0\0\0\0" + b"\0\0\x10\0mdat" + bytes(500))
    with pytest.raises(InputError, match=r"interrupted download"):
        probe(cut)


@pytest.mark.fault(1)
def test_what_is_no_media_file(tmp_path: Path) -> None:
    text = tmp_path / "notes.mp4"
    text.write_text("these are only words\n" * 100)
    empty = tmp_path / "empty.mp4"
    empty.touch()
    pipe = tmp_path / "pipe.mp4"
    os.mkfifo(pipe)
    playlist = tmp_path / "list.mp4"
    playlist.write_text(f"#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\n{text}\n#EXT-X-ENDLIST\n")
    concat = tmp_path / "concat.mp4"
    concat.write_text("ffconcat version 1.0\nfile notes.mp4\n")
    subtitles = tmp_path / "words.mp4"
    subtitles.write_text("1\n00:00:00,000 --> 00:00:01,000\nHello\n")
    cases = {
        text: "not a media file",
        empty: "empty file",
        pipe: "not a regular file",
        tmp_path: "is a directory",
        tmp_path / "missing.mp4": "no such file",
        Path("http://example.org/film.mp4"): "no URLs",
        playlist: "playlist",
        concat: "playlist",
        subtitles: "not a media file that can be read; containers that are: asf",
    }
    for path, words in cases.items():
        with pytest.raises(InputError, match=words):
            probe(path)


@pytest.mark.fault(28)
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.h264", "-c:v libx264"),
        ("a.hevc", "-c:v libx265 -x265-params log-level=none"),
        ("a.m2v", "-c:v mpeg2video"),
        ("a.obu", "-c:v libsvtav1 -bsf:v av1_metadata=tick_rate=24000/1001:num_ticks_per_picture=1"),
    ],
)
def test_a_bare_bitstream_has_the_rate_that_it_says(ffmpeg: FFmpeg, tmp_path: Path, name: str, options: str) -> None:
    source = tmp_path / name
    ffmpeg(*f"-f lavfi -i testsrc2=s=64x64:r=24000/1001:d=0.5 -pix_fmt yuv420p {options}".split(), source)
    video = probe(source).video
    assert (video.frame_rate, video.rate_is_said) == (Fraction(24000, 1001), True)
    with Decoder(probe(source), TimeRange()) as decoder:
        times = [frame.pts * frame.time_base for frame in decoder]
    assert [time - times[0] for time in times] == [Fraction(1001 * n, 24000) for n in range(12)]


def test_a_bare_bitstream_that_says_no_rate(ffmpeg: FFmpeg, tmp_path: Path) -> None:
    source = tmp_path / "a.hevc"
    silent = "log-level=none:vui-timing-info=0"
    ffmpeg(*f"-f lavfi -i testsrc2=s=64x64:r=50:d=0.1 -c:v libx265 -x265-params {silent}".split(), source)
    video = probe(source).video
    assert (video.frame_rate, video.rate_is_said) == (25, False)


def test_a_late_subtitle_makes_no_pictures(ffmpeg: Callable[..., bytes], tmp_path: Path) -> None:
    """Matroska has one length for all streams; the estimate is of the video's own."""
    words, film = tmp_path / "late.srt", tmp_path / "late.mkv"
    words.write_text("1\n00:00:58,000 --> 00:01:00,000\nlate\n")
    picture = ("-f", "lavfi", "-i", "testsrc2=size=48x40:rate=12:duration=0.5")
    ffmpeg(*picture, "-i", words, "-map", "0", "-map", "1", "-c:s", "srt", film)
    info = probe(film)
    assert info.duration == 60
    assert info.video.frame_count == 6
