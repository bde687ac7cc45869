"""Sound and subtitles beside the video: copied, converted, encoded, in their place; or refused at once."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import ffmpeg as ffmpeg_python
import numpy as np
import pytest

from tests.oracle import look

type CommandLine = Callable[..., subprocess.CompletedProcess[str]]

SUBTITLES = "1\n00:00:00,200 --> 00:00:00,900\nOne & two\n\n2\n00:00:01,000 --> 00:00:01,500\nthree\n"


@pytest.fixture(scope="module")
def source(ffmpeg: Callable[..., bytes], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seconds of picture; German sound that is 0.5 s late, longer French sound, English subtitles, a font."""
    folder = tmp_path_factory.mktemp("side_streams")
    (folder / "words.srt").write_text(SUBTITLES)
    (folder / "font.ttf").write_bytes(bytes(100))
    inputs = ["-f", "lavfi", "-i", "testsrc2=size=48x32:rate=25:duration=2", "-itsoffset", "0.5"]
    inputs += ["-f", "lavfi", "-i", "sine=440:duration=1", "-f", "lavfi", "-i", "sine=880:duration=3"]
    inputs += ["-i", folder / "words.srt", "-map", "0", "-map", "1", "-map", "2", "-map", "3"]
    codecs = ["-c:v", "libx264", "-pix_fmt", "yuv420p", "-c:a", "aac", "-c:s", "srt"]
    tags = ["-metadata:s:a:0", "language=ger", "-metadata:s:a:0", "title=Kommentar", "-metadata:s:a:1", "language=fre"]
    tags += ["-metadata:s:s:0", "language=eng", "-disposition:a:1", "default", "-disposition:a:0", "comment"]
    font = ["-attach", folder / "font.ttf", "-metadata:s:t", "mimetype=application/x-truetype-font"]
    path = folder / "source.mkv"
    ffmpeg(*inputs, *codecs, *tags, *font, "-metadata", "title=A film", path)
    return path


def _streams(path: Path) -> list[dict[str, Any]]:
    return list(ffmpeg_python.probe(str(path))["streams"])


@pytest.mark.fault(32)
@pytest.mark.parametrize(
    ("name", "arguments", "codecs"),
    [
        ("out.mkv", [], ["h264", "aac", "aac", "subrip", "ttf"]),
        ("out.mp4", [], ["h264", "aac", "aac", "mov_text"]),
        ("out.mov", ["--audio", "pcm_s16le"], ["h264", "pcm_s16le", "pcm_s16le", "mov_text"]),
        ("out.webm", ["--audio", "libopus"], ["vp9", "opus", "opus", "webvtt"]),
        ("out.mkv", ["--audio", "flac", "--verify", "full"], ["h264", "flac", "flac", "subrip", "ttf"]),
        ("out.mkv", ["--audio", "none"], ["h264", "subrip", "ttf"]),
    ],
)
def test_all_go_along(
    command_line: CommandLine,
    nearest_x2: Path,
    source: Path,
    tmp_path: Path,
    name: str,
    arguments: list[str],
    codecs: list[str],
) -> None:
    output = tmp_path / name
    done = command_line(source, "-o", output, "-w", nearest_x2, *arguments)
    assert done.returncode == 0, done.stderr
    streams = _streams(output)
    assert [s.get("codec_name", s["codec_type"]) for s in streams] == codecs
    before, after = look(source), look(output)
    assert len(after.times) == 50
    if after.audio:
        offsets = [seen.audio[0][0] - seen.times[0] for seen in (before, after)]
        # A codec's own priming (AAC 21 ms, Opus 6.5 ms) comes before what is heard.
        assert abs(offsets[0] - offsets[1]) <= (Fraction(1, 1000) if not arguments else Fraction(24, 1000))


@pytest.mark.fault(32)
def test_names_languages_and_dispositions(
    command_line: CommandLine, nearest_x2: Path, source: Path, tmp_path: Path
) -> None:
    for name, title in (("out.mkv", "title"), ("out.mp4", "handler_name")):
        assert command_line(source, "-o", tmp_path / name, "-w", nearest_x2).returncode == 0
        german, french, english = _streams(tmp_path / name)[1:4]
        assert [s["tags"]["language"] for s in (german, french, english)] == ["ger", "fre", "eng"]
        assert german["tags"][title] == "Kommentar"
        assert french["disposition"]["default"] == 1
        assert ffmpeg_python.probe(str(tmp_path / name))["format"]["tags"]["title"] == "A film"


@pytest.mark.fault(34)
def test_text_survives_conversion(
    command_line: CommandLine, ffmpeg: Callable[..., bytes], nearest_x2: Path, source: Path, tmp_path: Path
) -> None:
    for name, arguments in (("out.mp4", []), ("out.webm", ["--audio", "none"])):
        assert command_line(source, "-o", tmp_path / name, "-w", nearest_x2, *arguments).returncode == 0
        start = look(tmp_path / name).times[0] - look(source).times[0]
        text = ffmpeg("-i", tmp_path / name, "-map", "0:s:0", "-f", "srt", "-").decode()
        assert "One & two" in text.replace("&amp;", "&")
        assert "three" in text
        packets = ffmpeg_python.probe(str(tmp_path / name), select_streams="s", show_packets=None)["packets"]
        times = [float(p["pts_time"]) for p in packets if int(p["size"]) > 2]
        wanted = [float(p["pts_time"]) for p in _subtitle_packets(source)]
        assert all(abs(a - float(start) - b) < 0.002 for a, b in zip(times, wanted, strict=True))


def test_a_subtitle_from_before_the_range(
    command_line: CommandLine, nearest_x2: Path, source: Path, tmp_path: Path
) -> None:
    """It is shown from the range's first moment on; nothing else moves for it."""
    begin = look(source).times[0]
    arguments = ["--start", "0.6", "--end", "1.2", "--audio", "none"]
    output = tmp_path / "out.mkv"
    done = command_line(source, "-o", output, "-w", nearest_x2, *arguments)
    assert done.returncode == 0, done.stderr
    assert look(output).times[0] < Fraction(1, 20)
    first, second = _subtitle_packets(output)
    assert float(first["pts_time"]) == 0
    assert abs(float(first["duration_time"]) - (0.3 + float(begin))) < 0.03
    assert abs(float(second["pts_time"]) - (0.4 + float(begin))) < 0.03


def test_a_subtitle_ends_with_the_range(
    command_line: CommandLine, nearest_x2: Path, source: Path, tmp_path: Path
) -> None:
    """It would make the part longer than was asked for."""
    for name, more in (("out.mkv", ["--strict"]), ("out.mp4", [])):  # sound that nobody wants is no loss
        arguments = ["--start", "0.6", "--end", "1.2", "--audio", "none", *more]
        done = command_line(source, "-o", tmp_path / name, "-w", nearest_x2, *arguments)
        assert done.returncode == 0, done.stderr
        packets = _subtitle_packets(tmp_path / name)
        ends = [float(p["pts_time"]) + float(p["duration_time"]) for p in packets]
        assert 0.55 < max(ends) < 0.65
        assert float(ffmpeg_python.probe(str(tmp_path / name))["format"]["duration"]) < 0.65


@pytest.mark.fault(34)
@pytest.mark.parametrize("suffix", ["srt", "ass"])
def test_text_that_is_not_utf8(
    command_line: CommandLine, ffmpeg: Callable[..., bytes], nearest_x2: Path, tmp_path: Path, suffix: str
) -> None:
    """It is read as Windows-1252 and counted; the rest is as it was."""
    source, output, words = tmp_path / "in.mkv", tmp_path / "out.mp4", tmp_path / "words.srt"
    words.write_text(SUBTITLES.replace("two", "GrXXe"))
    ffmpeg("-f", "lavfi", "-i", "testsrc2=size=48x32:rate=25:duration=0.2", "-i", words, "-c:s", suffix, source)
    source.write_bytes(source.read_bytes().replace(b"GrXXe", b"Gr\xfc\xdfe"))
    done = command_line(source, "-o", output, "-w", nearest_x2)
    assert done.returncode == 0, done.stderr
    assert "1 packets of sound or subtitles" in done.stderr
    text = ffmpeg("-i", output, "-map", "0:s", "-f", "srt", "-").decode()
    assert "One & Grüße" in text
    assert "three" in text
    strict = command_line(source, "-o", tmp_path / "strict.mp4", "-w", nearest_x2, "--strict")
    assert strict.returncode == 3


def _subtitle_packets(path: Path) -> list[dict[str, str]]:
    return list(ffmpeg_python.probe(str(path), select_streams="s", show_packets=None)["packets"])


@pytest.mark.fault(33)
@pytest.mark.parametrize(
    ("name", "arguments", "words"),
    [
        (
            "out.webm",
            [],
            "webm cannot hold audio stream 1 (aac, ger); convert it with --audio libopus, or leave it out",
        ),
        ("out.mkv", ["--audio", "lame"], "no audio encoder 'lame'; allowed: copy, none"),
        ("out.mkv", ["--audio", "libx264"], "no audio encoder 'libx264'"),
    ],
)
def test_refused_before_the_first_frame(
    command_line: CommandLine,
    nearest_x2: Path,
    source: Path,
    tmp_path: Path,
    name: str,
    arguments: list[str],
    words: str,
) -> None:
    done = command_line(source, "-o", tmp_path / name, "-w", nearest_x2, *arguments)
    assert done.returncode == 4
    assert words in done.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.fault(33)
@pytest.mark.parametrize(
    ("sound", "name", "encoder", "found"),
    [
        (["-ac", "2", "-c:a", "wmav2", "-f", "asf"], "out.mkv", "aac", ("aac", 2, "stereo")),
        (["-ac", "2", "-c:a", "pcm_s16le", "-f", "avi"], "out.mkv", "libopus", ("opus", 2, "stereo")),
        (["-af", "pan=5.1(side)|c0=c1|c4=c0|c5=c1", "-c:a", "flac"], "out.mkv", "libopus", ("opus", 6, "5.1")),
        (["-ac", "2", "-c:a", "pcm_s16le"], "out.mp4", "copy", ("pcm_s16le", 2, None)),
        (["-ac", "2", "-c:a", "pcm_s16le"], "out.mov", "copy", ("pcm_s16le", 2, "stereo")),
    ],
)
def test_channels_whose_places_are_not_said(
    command_line: CommandLine,
    ffmpeg: Callable[..., bytes],
    nearest_x2: Path,
    tmp_path: Path,
    sound: list[str],
    name: str,
    encoder: str,
    found: tuple[str, int, str | None],
) -> None:
    """They are in their usual places; an encoder that knows no speakers at the sides has them at the back."""
    source, output = tmp_path / "in.mkv", tmp_path / name
    video = ["-f", "lavfi", "-i", "testsrc2=size=48x32:rate=25:duration=0.2", "-c:v", "mpeg4"]
    ffmpeg("-f", "lavfi", "-i", "aevalsrc='0.2*sin(2000*t)|0.1*sin(3000*t)':d=1:s=48000", *video, *sound, source)
    done = command_line(source, "-o", output, "-w", nearest_x2, "--audio", encoder)
    assert done.returncode == 0, done.stderr
    audio = _streams(output)[-1]
    # What ffprobe 5 knows of PCM in MP4 is the number of channels.
    assert (audio["codec_name"], audio["channels"], audio.get("channel_layout")) == found
    levels = [_mean_levels(ffmpeg, path) for path in (source, output)]
    assert all(abs(a - b) < 0.01 for a, b in zip(*levels, strict=True))


def _mean_levels(ffmpeg: Callable[..., bytes], path: Path) -> list[float]:
    """Of every channel."""
    channels = next(stream["channels"] for stream in _streams(path) if stream["codec_type"] == "audio")
    raw = ffmpeg("-i", path, "-map", "0:a", "-f", "f32le", "-c:a", "pcm_f32le", "-")
    samples = np.frombuffer(raw, np.float32).reshape(-1, channels)
    return [float(abs(channel).mean()) for channel in samples.T]


def test_the_encoder_of_sound_says_why_it_refuses(
    command_line: CommandLine, ffmpeg: Callable[..., bytes], nearest_x2: Path, tmp_path: Path
) -> None:
    """Before the first frame, and its remedy is another one."""
    source = tmp_path / "in.mkv"
    video = ["-f", "lavfi", "-i", "testsrc2=size=48x32:rate=25:duration=0.2", "-c:v", "mpeg4"]
    ffmpeg(*video, "-f", "lavfi", "-i", "sine=duration=0.2", "-ac", "6", "-c:a", "flac", source)
    done = command_line(source, "-o", tmp_path / "out.mkv", "-w", nearest_x2, "--audio", "libmp3lame")
    assert done.returncode == 4
    assert "channel layout '5.1' is not supported by the libmp3lame encoder; convert it with --audio aac" in done.stderr


@pytest.mark.fault(25)
@pytest.mark.parametrize("name", ["out.nut", "out.mp4"])
def test_sound_that_an_edit_list_hides(
    command_line: CommandLine, ffmpeg: Callable[..., bytes], nearest_x2: Path, tmp_path: Path, name: str
) -> None:
    """It stays unheard: NUT, which can hide nothing, lacks it but for the packet that primes the decoder."""
    source, output = _cut(ffmpeg, tmp_path), tmp_path / name
    done = command_line(source, "-o", output, "-w", nearest_x2)
    assert done.returncode == 0, done.stderr
    before, after = (ffmpeg("-i", path, "-map", "0:a", "-f", "s16le", "-") for path in (source, output))
    packet = 2 * 1024  # bytes: MP4 hides parts of the first and of the last one too
    assert len(after) - len(before) <= 3 * packet
    assert before[packet:-packet] in after
    film, result = look(source), look(output)
    shift, times = film.times[0] - result.times[0], {digest: time for time, digest in film.audio if time is not None}
    for time, digest in result.audio:
        assert time is not None
        assert abs(times[digest] - time - shift) <= Fraction(2, 1000)


def test_matroska_says_what_is_not_heard(
    command_line: CommandLine, ffmpeg: Callable[..., bytes], nearest_x2: Path, tmp_path: Path
) -> None:
    """Its CodecDelay (RFC 9559, section 5.1.4.1.25) is as long as what lies before the first picture."""
    source, output = _cut(ffmpeg, tmp_path), tmp_path / "out.mkv"
    done = command_line(source, "-o", output, "-w", nearest_x2)
    assert done.returncode == 0, done.stderr
    at = output.read_bytes().index(b"\x56\xaa\x84") + 3  # its element, with four bytes
    delay = Fraction(int.from_bytes(output.read_bytes()[at : at + 4]), 10**9)
    first, _ = look(output).audio[0]
    assert first is not None
    assert abs(first + delay - look(output).times[0]) <= Fraction(1, 1000)


def _cut(ffmpeg: Callable[..., bytes], folder: Path) -> Path:
    """A film from 3.3 s on: its packets from 0 s on are there, and an edit list hides the beginning."""
    inputs = ["-f", "lavfi", "-i", "testsrc2=size=48x32:rate=2:duration=8", "-f", "lavfi"]
    inputs += ["-i", "sine=duration=8:sample_rate=8000"]
    ffmpeg(*inputs, "-c:v", "libx264", "-g", "8", "-pix_fmt", "yuv420p", "-c:a", "aac", folder / "whole.mp4")
    ffmpeg("-ss", "3.3", "-i", folder / "whole.mp4", "-c", "copy", folder / "in.mp4")
    return folder / "in.mp4"


@pytest.mark.parametrize("name", ["out.mp4", "out.mov"])
def test_sound_whose_packets_have_no_duration(
    command_line: CommandLine, ffmpeg: Callable[..., bytes], nearest_x2: Path, tmp_path: Path, name: str
) -> None:
    """ALAC in Matroska: MP4 has the last packet too, and all of it is heard."""
    source, output = tmp_path / "in.mkv", tmp_path / name
    video = ["-f", "lavfi", "-i", "testsrc2=size=48x32:rate=25:duration=0.4", "-c:v", "mpeg4"]
    ffmpeg(*video, "-f", "lavfi", "-i", "sine=duration=0.4:sample_rate=48000", "-c:a", "alac", source)
    done = command_line(source, "-o", output, "-w", nearest_x2)
    assert done.returncode == 0, done.stderr
    before, after = (look(path).audio for path in (source, output))
    assert [digest for _, digest in after] == [digest for _, digest in before]
    sound = [ffmpeg("-i", path, "-map", "0:a", "-f", "s16le", "-") for path in (source, output)]
    assert sound[0] == sound[1]


@pytest.mark.fault(10)
def test_cover_art(command_line: CommandLine, ffmpeg: Callable[..., bytes], nearest_x2: Path, tmp_path: Path) -> None:
    """It is never the video, and goes along."""
    cover, source = tmp_path / "cover.jpg", tmp_path / "in.mp4"
    ffmpeg("-f", "lavfi", "-i", "testsrc=size=64x64", "-frames:v", "1", cover)
    video = ["-f", "lavfi", "-i", "testsrc2=size=48x32:rate=25:duration=0.4"]
    maps = ["-map", "1", "-map", "0", "-c:v:0", "copy", "-c:v:1", "libx264", "-pix_fmt:v:1", "yuv420p"]
    ffmpeg("-i", cover, *video, *maps, "-disposition:v:0", "0", "-disposition:v:0", "default", "-c", "libx264",
           "-c:v:1", "mjpeg", "-disposition:v:1", "attached_pic", "-pix_fmt:v:0", "yuv420p", source)  # fmt: skip
    for name, part in (("out.mp4", []), ("out.mkv", []), ("part.mp4", ["--start", "0.2"])):
        done = command_line(source, "-o", tmp_path / name, "-w", nearest_x2, "--strict", *part)
        assert done.returncode == 0, done.stderr
        streams = _streams(tmp_path / name)
        assert [(s["width"], s["disposition"]["attached_pic"]) for s in streams] == [(96, 0), (64, 1)]


@pytest.mark.fault(10)
@pytest.mark.parametrize("kind", ["gif", "tiff", "png"])
def test_cover_art_keeps_its_name(
    command_line: CommandLine, ffmpeg: Callable[..., bytes], nearest_x2: Path, tmp_path: Path, kind: str
) -> None:
    cover, source, output = tmp_path / f"art.{kind}", tmp_path / "in.mkv", tmp_path / "out.mkv"
    ffmpeg("-f", "lavfi", "-i", "testsrc=size=64x64", "-frames:v", "1", cover)
    tags = {"filename": f"front.{kind}", "mimetype": f"image/{kind}", "title": "Vorderseite"}
    words = [word for key, value in tags.items() for word in ("-metadata:s:t", f"{key}={value}")]
    video = ["-f", "lavfi", "-i", "testsrc2=size=48x32:rate=25:duration=0.2", "-c:v", "mpeg4"]
    ffmpeg(*video, "-attach", cover, *words, source)
    done = command_line(source, "-o", output, "-w", nearest_x2)
    assert done.returncode == 0, done.stderr
    stream = _streams(output)[1]
    assert stream["disposition"]["attached_pic"] == 1
    assert {key: stream["tags"].get(key) for key in tags} == tags
    picture = ["-map", "0:1", "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
    assert ffmpeg("-i", output, *picture) == ffmpeg("-i", source, *picture)


def test_cover_art_without_a_name(
    command_line: CommandLine, ffmpeg: Callable[..., bytes], nearest_x2: Path, tmp_path: Path
) -> None:
    """A BMP of an MP4 becomes an attachment that says what it is."""
    cover, source, output = tmp_path / "art.bmp", tmp_path / "in.mp4", tmp_path / "out.mkv"
    ffmpeg("-f", "lavfi", "-i", "testsrc=size=64x64", "-frames:v", "1", cover)
    video = ["-f", "lavfi", "-i", "testsrc2=size=48x32:rate=25:duration=0.2", "-i", cover, "-map", "0", "-map", "1"]
    ffmpeg(*video, "-c:v:0", "mpeg4", "-c:v:1", "copy", "-disposition:v:1", "attached_pic", source)
    done = command_line(source, "-o", output, "-w", nearest_x2)
    assert done.returncode == 0, done.stderr
    tags = _streams(output)[1]["tags"]
    assert (tags["filename"], tags["mimetype"]) == ("cover.bmp", "image/bmp")
    assert cover.read_bytes() in output.read_bytes()


@pytest.mark.parametrize(
    ("arguments", "begin", "end"),
    [
        (["--start", "0.4"], 0.4, 3),
        (["--frames", "100"], 0, 3),
        (["--start", "0.4", "--end", "2"], 0.4, 2),
        (["--end", "0.8"], 0, 0.8),
        (["--frames", "10"], 0, 0.4),
    ],
)
def test_sound_that_outlasts_the_pictures(
    command_line: CommandLine,
    ffmpeg: Callable[..., bytes],
    nearest_x2: Path,
    tmp_path: Path,
    arguments: list[str],
    begin: float,
    end: float,
) -> None:
    """A part that goes on behind the last picture has the sound that is there."""
    source, output = tmp_path / "in.mkv", tmp_path / "out.mkv"
    video = ["-f", "lavfi", "-i", "testsrc2=size=48x32:rate=25:duration=1"]
    ffmpeg(*video, "-f", "lavfi", "-i", "sine=duration=3", "-c:v", "libx264", "-c:a", "pcm_s16le", source)
    done = command_line(source, "-o", output, "-w", nearest_x2, *arguments)
    assert done.returncode == 0, done.stderr
    times = [float(time) for time, _ in look(output).audio if time is not None]
    assert abs(times[0]) < 0.1
    assert abs(times[-1] - (end - begin)) < 0.1


@pytest.mark.parametrize("suffix", ["mkv", "mp4"])
def test_sound_of_a_part_that_ends_while_a_picture_stands(
    command_line: CommandLine, ffmpeg: Callable[..., bytes], nearest_x2: Path, tmp_path: Path, suffix: str
) -> None:
    """Whether the container says how long a picture is shown or not, the sound ends where the part does."""
    source, output = tmp_path / f"in.{suffix}", tmp_path / "out.mkv"
    video = ["-f", "lavfi", "-i", "testsrc2=size=48x32:rate=25:duration=4", "-f", "lavfi", "-i", "sine=duration=4"]
    gap = ["-vf", "select='lt(t,1)+gte(t,3)'", "-fps_mode", "passthrough", "-c:v", "libx264", "-bf", "0"]
    ffmpeg(*video, *gap, "-c:a", "aac", source)
    done = command_line(source, "-o", output, "-w", nearest_x2, "--end", "2")
    assert done.returncode == 0, done.stderr
    times = [float(time) for time, _ in look(output).audio if time is not None]
    assert abs(times[-1] - 2) < 0.05


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_sound_that_is_counted_in_packets_is_encoded_in_samples(
    command_line: CommandLine, ffmpeg: Callable[..., bytes], nearest_x2: Path, tmp_path: Path, suffix: str
) -> None:
    """AVI's ticks are whole packets of MP3, longer than those of AAC."""
    source, output = tmp_path / "in.avi", tmp_path / f"out.{suffix}"
    inputs = "-f lavfi -i testsrc2=size=48x32:rate=25:duration=2 -f lavfi -i sine=duration=2 -c:v mpeg4 -c:a libmp3lame"
    ffmpeg(*inputs.split(), source)
    done = command_line(source, "-o", output, "-w", nearest_x2, "--audio", "aac")
    assert done.returncode == 0, done.stderr
    packets = ffmpeg_python.probe(str(output), select_streams="a", show_packets=None)["packets"]
    steps = np.diff([float(packet["pts_time"]) for packet in packets])
    np.testing.assert_allclose(steps, 1024 / 44100, atol=0.0015)


def test_sound_whose_times_nearly_stand(
    command_line: CommandLine, ffmpeg: Callable[..., bytes], nearest_x2: Path, tmp_path: Path
) -> None:
    """As after a step back: 1/90000 s apart in a transport stream, less than a sample, by which MP4 counts."""
    source, output = tmp_path / "in.ts", tmp_path / "out.mp4"
    inputs = ["-f", "lavfi", "-i", "testsrc2=size=48x32:rate=25:duration=2", "-f", "lavfi", "-i", "sine=duration=2"]
    ffmpeg(*inputs, "-c:v", "libx264", "-c:a", "aac", tmp_path / "usual.ts")
    nearly = "setts=ts=if(between(N\\,20\\,24)\\,PREV_OUTPTS+1\\,TS)"
    ffmpeg("-i", tmp_path / "usual.ts", "-c", "copy", "-pes_payload_size", "0", "-bsf:a", nearly, source)
    done = command_line(source, "-o", output, "-w", nearest_x2)
    assert done.returncode == 0, done.stderr
    assert len(look(output).audio) == len(look(source).audio)


def test_a_subtitle_that_outlasts_the_film(
    command_line: CommandLine, ffmpeg: Callable[..., bytes], nearest_x2: Path, tmp_path: Path
) -> None:
    """MP4 does not count it into the length, Matroska does; both are right."""
    (tmp_path / "late.srt").write_text("1\n00:00:00,200 --> 00:00:30,000\nlong\n")
    source = tmp_path / "in.mkv"
    video = ["-f", "lavfi", "-i", "testsrc2=size=48x32:rate=25:duration=0.4", "-i", tmp_path / "late.srt"]
    ffmpeg(*video, "-c:v", "libx264", "-pix_fmt", "yuv420p", source)
    for name in ("out.mp4", "out.mkv"):
        done = command_line(source, "-o", tmp_path / name, "-w", nearest_x2)
        assert done.returncode == 0, done.stderr


def test_gray_into_mp4(
    command_line: CommandLine, ffmpeg: Callable[..., bytes], nearest_x2: Path, tmp_path: Path
) -> None:
    source = tmp_path / "in.mkv"
    ffmpeg("-f", "lavfi", "-i", "testsrc2=size=48x32:rate=25:duration=0.2", "-pix_fmt", "gray", "-c:v", "ffv1", source)
    done = command_line(source, "-o", tmp_path / "out.mp4", "-w", nearest_x2)
    assert done.returncode == 0, done.stderr
    assert len(look(tmp_path / "out.mp4").times) == 5


AUDIO_PID = 0x101  # that ffmpeg gives the second stream of a transport stream


def _announced(ffmpeg: Callable[..., bytes], folder: Path, delay: float) -> Path:
    """A transport stream whose sound, which it announces at once, comes later than FFmpeg looks by default."""
    video = ["-f", "lavfi", "-i", "testsrc2=size=48x32:rate=5:duration=10", "-itsoffset", str(delay)]
    sound = ["-f", "lavfi", "-i", "sine=duration=1:sample_rate=48000"]
    ffmpeg(*video, *sound, "-c:v", "libx264", "-pix_fmt", "yuv420p", "-c:a", "aac", folder / "late.ts")
    return folder / "late.ts"


@pytest.mark.parametrize(("name", "arguments"), [("out.mp4", []), ("out.mkv", ["--audio", "flac"])])
def test_sound_that_is_announced_and_comes_late(
    command_line: CommandLine,
    ffmpeg: Callable[..., bytes],
    nearest_x2: Path,
    tmp_path: Path,
    name: str,
    arguments: list[str],
) -> None:
    source, output = _announced(ffmpeg, tmp_path, 8), tmp_path / name
    done = command_line(source, "-o", output, "-w", nearest_x2, "--strict", *arguments)
    assert done.returncode == 0, done.stderr
    before, after = (ffmpeg("-i", path, "-map", "0:a", "-f", "s16le", "-") for path in (source, output))
    np.testing.assert_allclose(np.frombuffer(after, np.int16), np.frombuffer(before, np.int16), atol=1)  # rounded
    begins = [look(path).audio[0][0] - look(path).times[0] for path in (source, output)]
    assert abs(begins[0] - begins[1]) < Fraction(3, 1000)


def test_sound_that_is_announced_and_never_comes(
    command_line: CommandLine, ffmpeg: Callable[..., bytes], nearest_x2: Path, tmp_path: Path
) -> None:
    """Nothing could declare it; it is named, and a strict job refused."""
    source, content = tmp_path / "never.ts", _announced(ffmpeg, tmp_path, 8).read_bytes()
    packets = [content[at : at + 188] for at in range(0, len(content), 188)]
    source.write_bytes(b"".join(p for p in packets if int.from_bytes(p[1:3]) & 0x1FFF != AUDIO_PID))
    assert [stream["codec_type"] for stream in _streams(source)] == ["video", "audio"]
    done = command_line(source, "-o", tmp_path / "out.mp4", "-w", nearest_x2)
    assert done.returncode == 0, done.stderr
    assert "audio stream 1 (aac): no packet in the first 256 MiB of the file says its sample rate" in done.stderr
    assert [stream["codec_type"] for stream in _streams(tmp_path / "out.mp4")] == ["video"]
    assert command_line(source, "-o", tmp_path / "s.mp4", "-w", nearest_x2, "--strict").returncode == 3


@pytest.mark.parametrize(("suffix", "codec"), [("wmv", "wmav2"), ("wmv", "wmav1"), ("avi", "adpcm_ms")])
def test_sound_that_matroska_holds_as_windows_does(
    command_line: CommandLine, ffmpeg: Callable[..., bytes], nearest_x2: Path, tmp_path: Path, suffix: str, codec: str
) -> None:
    """Packet for packet, and the ffmpeg program plays it."""
    source, output = tmp_path / f"in.{suffix}", tmp_path / "out.mkv"
    video = ["-f", "lavfi", "-i", "testsrc2=size=48x32:rate=25:duration=1", "-c:v", "mpeg4"]
    ffmpeg(*video, "-f", "lavfi", "-i", "sine=duration=1:sample_rate=44100", "-c:a", codec, source)
    done = command_line(source, "-o", output, "-w", nearest_x2, "--strict")
    assert done.returncode == 0, done.stderr
    assert [stream["codec_name"] for stream in _streams(output)] == ["h264", codec]
    assert [digest for _, digest in look(output).audio] == [digest for _, digest in look(source).audio]
    heard = [ffmpeg("-i", path, "-map", "0:a", "-f", "s16le", "-") for path in (source, output)]
    assert heard[0] == heard[1]


def test_sound_that_even_matroska_does_not_hold(
    command_line: CommandLine, ffmpeg: Callable[..., bytes], nearest_x2: Path, tmp_path: Path
) -> None:
    """Windows has no number for it; that is said before the first frame."""
    video = ["-f", "lavfi", "-i", "testsrc2=size=48x32:rate=25:duration=1", "-c:v", "flv"]
    sound = ["-f", "lavfi", "-i", "sine=duration=1:sample_rate=44100", "-c:a", "nellymoser"]
    ffmpeg(*video, *sound, tmp_path / "in.flv")
    done = command_line(tmp_path / "in.flv", "-o", tmp_path / "out.mkv", "-w", nearest_x2)
    assert done.returncode == 4
    assert "(nellymoser); convert it with --audio aac, or leave it out" in done.stderr
