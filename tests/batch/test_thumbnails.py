"""Thumbnails show what ffmpeg shows, in pairs of one moment, seldom, and never at the cost of the film."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from rfdn_video.batch import thumbnails as module
from rfdn_video.batch.thumbnails import Thumbnails, shrink
from rfdn_video.frame import Frame
from rfdn_video.media.reading.decode import Decoder
from rfdn_video.media.reading.info import VideoInfo
from rfdn_video.media.reading.probe import probe
from rfdn_video.media.timing import TimeRange
from rfdn_video.onlooker import Onlooker

type Ffmpeg = Callable[..., bytes]

PICTURE = "gradients=size=640x360:rate=10:duration=1:x0=0:y0=0:x1=639:y1=359:c0=red:c1=lime:c2=blue:nb_colors=3"


def opened(path: Path) -> tuple[VideoInfo, list[Frame]]:
    info = probe(path)
    with Decoder(info, TimeRange()) as decoder:
        return info.video, [replace(frame, planes=tuple(map(np.array, frame.planes))) for frame in decoder]


@pytest.mark.parametrize(
    ("pix_fmt", "shape", "size"),
    [
        ("yuv420p", "", (320, 180)),
        ("yuv422p10le", "", (320, 180)),
        ("gray", "", (320, 180)),
        ("gbrp", "", (320, 180)),
        ("yuv420p", "setsar=1/2,", (284, 320)),
        ("yuv420p", "setsar=4/3,", (320, 135)),
    ],
)
def test_it_is_what_ffmpeg_shows(
    tmp_path: Path, ffmpeg: Ffmpeg, pix_fmt: str, shape: str, size: tuple[int, int]
) -> None:
    path = tmp_path / "a.mkv"
    ffmpeg("-f", "lavfi", "-i", PICTURE, "-frames:v", 1, "-vf", f"{shape}format={pix_fmt}", "-c:v", "ffv1", path)
    video, [frame] = opened(path)
    image = shrink(frame, video)
    assert image.size == size
    assert_close(np.asarray(image), shown(ffmpeg, path, size))


def shown(ffmpeg: Ffmpeg, path: Path, size: tuple[int, int]) -> NDArray[np.uint8]:
    scale = f"scale={size[0]}:{size[1]}:flags=area,format=rgb24"
    raw = ffmpeg("-i", path, "-vf", scale, "-frames:v", 1, "-f", "rawvideo", "-")
    return np.frombuffer(raw, np.uint8).reshape(size[1], size[0], 3)


def assert_close(image: NDArray[np.uint8], expected: NDArray[np.uint8]) -> None:
    difference = np.abs(image.astype(int) - expected)
    assert difference.mean() < 2
    assert np.quantile(difference, 0.99) < 8


@pytest.mark.parametrize("rotation", [90, 180, 270])
def test_it_is_turned_as_players_turn_it(tmp_path: Path, ffmpeg: Ffmpeg, rotation: int) -> None:
    flat, path = tmp_path / "flat.mp4", tmp_path / "turned.mp4"
    ffmpeg("-f", "lavfi", "-i", PICTURE, "-frames:v", 1, "-pix_fmt", "yuv420p", "-c:v", "libx264", "-qp", 1, flat)
    ffmpeg("-i", flat, "-metadata:s:v", f"rotate={rotation}", "-c", "copy", path)
    video, [frame] = opened(path)
    assert video.display_matrix is not None
    size = (320, 180) if rotation == 180 else (180, 320)
    image = shrink(frame, video)
    assert image.size == size
    assert_close(np.asarray(image), shown(ffmpeg, path, size))


@pytest.fixture
def frames(tmp_path: Path, ffmpeg: Ffmpeg) -> tuple[VideoInfo, list[Frame]]:
    """Ten frames, ever lighter."""
    path = tmp_path / "ten.mkv"
    fade = "color=white:size=64x48:rate=10:duration=1,fade=in:0:10"
    ffmpeg("-f", "lavfi", "-i", fade, "-pix_fmt", "yuv420p", "-c:v", "ffv1", path)
    return opened(path)


def test_the_middle_is_of_one_place_and_at_full_size(tmp_path: Path, ffmpeg: Ffmpeg) -> None:
    """Twice as large by repeated pixels: the middle after has each pixel of the middle before four times."""
    small, large = tmp_path / "small.mkv", tmp_path / "large.mkv"
    source = "testsrc=size=642x358:rate=10"  # no multiple of anything
    ffmpeg("-f", "lavfi", "-i", source, "-frames:v", 1, "-vf", "format=gbrp", "-c:v", "ffv1", small)
    ffmpeg("-i", small, "-vf", "scale=iw*2:ih*2:flags=neighbor", "-c:v", "ffv1", large)
    (video, frames), (_, results) = opened(small), opened(large)
    look = Thumbnails(tmp_path, video)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "FORMAT", {"format": "png"})
        list(look.before(iter(frames)))
        list(look.after(iter(results)))
    before, after = (np.asarray(Image.open(tmp_path / f"thumbnail-detail-{side}.jpg")) for side in ("before", "after"))
    np.testing.assert_array_equal(before.repeat(2, 0).repeat(2, 1), after)
    part = f"crop=160:88:{(642 - 160) // 8 * 4}:{(358 - 88) // 8 * 4},format=rgb24"
    raw = ffmpeg("-i", small, "-vf", part, "-f", "rawvideo", "-")
    assert np.abs(np.frombuffer(raw, np.uint8).reshape(88, 160, 3) - before.astype(int)).max() <= 2


class Clock:
    """A second goes by when it is told, or ``cost`` whenever it is looked at."""

    def __init__(self, cost: float = 0) -> None:
        self.now, self.cost = 0.0, cost

    def __call__(self) -> float:
        self.now += self.cost
        return self.now


def watched(look: Onlooker, frames: list[Frame], clock: Clock, lag: int = 3) -> Iterator[Frame]:
    """As they come out of a device that holds ``lag`` of them; each takes a second."""
    waiting: list[Frame] = []

    def device() -> Iterator[Frame]:
        for frame in look.before(iter(frames)):
            clock.now += 1
            waiting.append(frame)
            if len(waiting) > lag:
                yield waiting.pop(0)
        yield from waiting

    return look.after(device())


def light(path: Path) -> float:
    return float(np.asarray(Image.open(path)).mean())


def test_a_pair_is_of_one_moment_and_the_next_comes_later(
    tmp_path: Path, frames: tuple[VideoInfo, list[Frame]]
) -> None:
    video, ten = frames
    clock, pairs = Clock(), []
    look = Thumbnails(tmp_path, video, clock)
    for count, _ in enumerate(watched(look, ten, clock)):
        sides = [tmp_path / f"thumbnail-{side}.jpg" for side in ("before", "after")]
        if sides[0].exists():
            before, after = map(light, sides)
            assert before == after
            pairs.append((count, before))
    lights = sorted({shade for _, shade in pairs})
    expected = [np.asarray(shrink(ten[index], video)).mean() for index in (0, 8)]
    assert lights == pytest.approx(expected, abs=1), "the first at once, the next four seconds after that was seen"
    assert look.fault is None


def test_what_costs_much_comes_seldom(tmp_path: Path, frames: tuple[VideoInfo, list[Frame]]) -> None:
    video, ten = frames
    clock = Clock(cost=0.1)
    look = Thumbnails(tmp_path, video, clock)
    taken = []
    shrink_ = module.shrink
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "shrink", lambda frame, video: taken.append(frame) or shrink_(frame, video))
        list(watched(look, [replace(ten[0], pts=pts) for pts in range(60)], clock))
    # a pair costs 0.2 s of this clock: 20 s must go by, not 4, and 60 frames take 60 s and what is looked at
    assert len(taken) // 4 in (3, 4)


def test_a_fault_ends_the_thumbnails_not_the_film(tmp_path: Path, frames: tuple[VideoInfo, list[Frame]]) -> None:
    video, ten = frames
    clock = Clock()
    look = Thumbnails(tmp_path / "gone", video, clock)
    assert list(watched(look, ten, clock)) == ten
    assert look.fault is not None
    assert "No such file" in look.fault


def test_results_that_never_come_are_not_waited_for(tmp_path: Path, frames: tuple[VideoInfo, list[Frame]]) -> None:
    video, ten = frames
    look = Thumbnails(tmp_path, video, Clock())
    list(look.after(iter(list(look.before(iter(ten)))[1:])))
    assert not list(tmp_path.glob("*.jpg"))
    list(look.after(look.before(iter(ten))))
    assert len(list(tmp_path.glob("*.jpg"))) == 4


def test_without_an_onlooker_nothing_stands_between() -> None:
    frames: Iterator[Frame] = iter(())
    assert Onlooker().before(frames) is Onlooker().after(frames) is frames
