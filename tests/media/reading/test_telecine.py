"""3:2 pulldown that nothing marks is found in the pictures, and nothing else is taken for it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from rfdn_video import probe, upscale_video
from rfdn_video.errors import InputError
from rfdn_video.media.reading.probe import examine
from rfdn_video.media.reading.telecine import BOTTOM_FIRST, TOP_FIRST, field_order_of_pulldown, telecined
from tests.oracle import look, luma

type FFmpeg = Callable[..., bytes]

SIZE = WIDE, HIGH = (160, 128)
FILM = f"testsrc2=s={WIDE}x{HIGH}:r=24000/1001,scroll=h=0.013:v=0.007"
X264 = ["-pix_fmt", "yuv420p", "-c:v", "libx264"]
CODECS = {
    "lossless.mkv": ["-pix_fmt", "yuv420p", "-c:v", "ffv1"],
    "film.mp4": [*X264, "-crf", "26", "-preset", "veryfast"],
    "deep.mp4": ["-pix_fmt", "yuv422p10le", "-c:v", "libx264", "-crf", "20"],
    "bare.h264": [*X264, "-crf", "26", "-preset", "veryfast"],
    "bare.m2v": ["-pix_fmt", "yuv420p", "-c:v", "mpeg2video", "-b:v", "2M"],
    "dvd.mpg": ["-pix_fmt", "yuv420p", "-c:v", "mpeg2video", "-b:v", "2M"],
}
PULLDOWNS = [("top", "23"), ("bottom", "23"), ("top", "32"), ("bottom", "2332")]


def made(ffmpeg: FFmpeg, path: Path, clip: str, *options: str, pictures: int = 60) -> Path:
    """Of lavfi's clip, without any mark of interlacing."""
    ffmpeg("-f", "lavfi", "-i", clip, "-vf", "setfield=prog", "-frames:v", str(pictures), *options, path)
    return path


@pytest.mark.fault(42)
@pytest.mark.parametrize(("first", "pattern"), PULLDOWNS)
@pytest.mark.parametrize("name", CODECS)
def test_refused_with_the_remedy(ffmpeg: FFmpeg, tmp_path: Path, name: str, first: str, pattern: str) -> None:
    clip = f"{FILM},telecine=first_field={first}:pattern={pattern}"
    path = made(ffmpeg, tmp_path / name, clip, *CODECS[name])
    order = "tff" if first == "top" else "bff"
    with pytest.raises(InputError, match=rf"3:2 pulldown.*fieldmatch=order={order},decimate.*--deinterlace"):
        probe(path)


@pytest.mark.parametrize("first", ["top", "bottom"])
def test_the_remedy_gives_the_film_back(ffmpeg: FFmpeg, tmp_path: Path, first: str) -> None:
    path = made(ffmpeg, tmp_path / "in.mkv", f"{FILM},telecine=first_field={first}", *CODECS["lossless.mkv"])
    with pytest.raises(InputError) as refusal:
        probe(path)
    command = str(refusal.value).partition("ffmpeg -i IN ")[2].partition(" OUT.mkv")[0]
    ffmpeg("-i", path, *command.split(), tmp_path / "film.mkv")
    film = luma(made(ffmpeg, tmp_path / "whole.mkv", FILM, *CODECS["lossless.mkv"], pictures=48), 48, SIZE)
    assert probe(tmp_path / "film.mkv").video.frame_rate == pytest.approx(24000 / 1001, abs=0.01)
    got = luma(tmp_path / "film.mkv", 48, SIZE)
    assert len(got) >= 47
    assert all((film == picture).all((1, 2)).any() for picture in got[:44])


@pytest.mark.parametrize(("first", "parity"), [("top", "tff"), ("bottom", "bff")])
def test_made_whole_when_asked(ffmpeg: FFmpeg, nearest_x2: Path, tmp_path: Path, first: str, parity: str) -> None:
    """As bwdif does with the order of fields that was found."""
    path = made(
        ffmpeg, tmp_path / "in.mkv", f"{FILM},telecine=first_field={first}", *CODECS["lossless.mkv"], pictures=30
    )
    output = tmp_path / "out.mkv"
    upscale_video(path, output, weights=nearest_x2, device="cpu", encoder="ffv1", deinterlace="field")
    assert len(look(output).times) == 60
    wanted = luma(path, 60, SIZE, ("bwdif", "send_field", parity, "all"))
    assert np.abs(luma(output, 60, (2 * WIDE, 2 * HIGH))[:, ::2, ::2].astype(int) - wanted).max() <= 1


def test_a_title_that_stands_still_at_the_beginning(ffmpeg: FFmpeg, tmp_path: Path) -> None:
    """Then the film is looked at further on."""
    film = f"{FILM},trim=start=4,setpts=PTS-STARTPTS"
    still = f"color=navy:s={WIDE}x{HIGH}:r=24000/1001:d=2,format=yuv420p"
    clip = f"{still}[a];{film}[b];[a][b]concat,telecine"
    path = made(ffmpeg, tmp_path / "in.mkv", clip, *X264, "-g", "15", pictures=240)
    assert telecined(examine(path)) == TOP_FIRST


def lines(every: str) -> str:
    return f"nullsrc=s={WIDE}x{HIGH}:r=30000/1001,format=yuv420p,geq=lum='{every}':cb=128:cr=128"


# All of 29.97 pictures a second.
NOT_TELECINED = {
    "fine detail that moves down": lines("200*mod(floor((Y+N)/1)\\,2)+X/4"),
    "fine detail that moves by halves": lines("100+90*sin(PI*(Y+N/2))+X/4"),
    "a zone plate": lines("128+127*cos(((X-80)^2+(Y-64)^2)/80+N)"),
    "lines that blink in each field": lines("255*(mod(Y\\,2)*eq(mod(N\\,5)\\,1)+mod(Y+1\\,2)*eq(mod(N\\,5)\\,3))"),
    "lines that blink in turn": lines("255*eq(mod(Y\\,2)\\,mod(N\\,2))"),
    "lines in turn at 6 a second": lines("255*eq(mod(Y\\,2)\\,mod(floor(N/5)\\,2))+mod(N*7+X\\,30)"),
    "noise": f"color=gray:s={WIDE}x{HIGH}:r=30000/1001,noise=alls=60:allf=t",
    "still": f"testsrc2=s={WIDE}x{HIGH}:r=30000/1001,trim=end_frame=1,loop=-1:1",
    "dark": f"testsrc2=s={WIDE}x{HIGH}:r=30000/1001,lutyuv=y=16+val/60:u=128:v=128",
    "whole": f"testsrc2=s={WIDE}x{HIGH}:r=30000/1001",
    "whole, scrolling": f"testsrc2=s={WIDE}x{HIGH}:r=30000/1001,scroll=v=0.0078125",
    "film with every fourth picture twice": f"{FILM},fps=30000/1001",
    "animation on twos": f"testsrc2=s={WIDE}x{HIGH}:r=15000/1001,fps=30000/1001",
    "interlaced": f"testsrc2=s={WIDE}x{HIGH}:r=60000/1001,scroll=h=0.01:v=0.01,tinterlace=interleave_top",
    "interlaced, bottom first": f"testsrc2=s={WIDE}x{HIGH}:r=60000/1001,scroll=v=0.02,tinterlace=interleave_bottom",
    "interlaced noise": f"color=gray:s={WIDE}x{HIGH}:r=60000/1001,noise=alls=60:allf=t,tinterlace=interleave_top",
    "a game of life": f"life=s={WIDE}x{HIGH}:r=30000/1001:mold=10:ratio=0.3:seed=1",
}


@pytest.mark.fault(42)
@pytest.mark.parametrize("codec", ["lossless.mkv", "film.mp4", "bare.h264"])
@pytest.mark.parametrize("clip", NOT_TELECINED.values(), ids=NOT_TELECINED.keys())
def test_nothing_else_is_taken_for_it(ffmpeg: FFmpeg, tmp_path: Path, clip: str, codec: str) -> None:
    path = made(ffmpeg, tmp_path / codec, clip, *CODECS[codec], pictures=30)
    assert telecined(examine(path)) is None


@pytest.mark.shared
def test_film_is_known_and_video_is_not(ffmpeg: FFmpeg, shared: Path, tmp_path: Path) -> None:
    """The shared clips at 29.97 pictures a second, as they are and, from film, telecined."""
    clips, judged = shared / "clips", 0
    for path in sorted(clips.glob("*.m*")):
        try:
            info = examine(path)
        except InputError:
            continue
        judged += 1
        assert telecined(info) is None, path
    assert judged > 20
    for crf in (18, 34):
        film = ["-r", "24000/1001", "-i", clips / "bikes.mp4", "-frames:v", "40", "-vf", "telecine=pattern=23"]
        ffmpeg(*film, *X264, "-crf", str(crf), "-preset", "veryfast", tmp_path / "t.mp4")
        assert telecined(examine(tmp_path / "t.mp4")) == TOP_FIRST


def test_closed_form() -> None:
    """Phases of the cycle as they come; a tenth of what repeats is noise."""
    whole, top, bottom = (0.3, 0.3), (0.03, 0.3), (0.3, 0.03)
    for shift in range(5):
        cycle = np.roll([whole, whole, top, whole, bottom], shift, axis=0).tolist()
        assert field_order_of_pulldown([tuple(change) for change in cycle * 4]) == TOP_FIRST
        swapped = [tuple(change[::-1]) for change in cycle * 4]
        assert field_order_of_pulldown(swapped) == BOTTOM_FIRST
    assert field_order_of_pulldown([whole, whole, top, whole, bottom] * 2) is None  # too short
    assert field_order_of_pulldown([whole, whole, top, whole, whole] * 4) is None
    assert field_order_of_pulldown([whole, top, top, bottom, bottom] * 4) is None
    assert field_order_of_pulldown([whole, whole, top, whole, bottom] * 3 + [whole] * 5) is None  # once not
    assert field_order_of_pulldown([(0.003, 0.003), (0.0, 0.004)] * 10) is None  # hardly anything moves
