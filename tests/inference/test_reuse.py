"""Reuse against doing everything again: equal bits, and really less work."""

from __future__ import annotations

import gc
import itertools
from collections.abc import Iterable, Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from rfdn_video import Color, Frame, PixelFormat, Upscaler, probe
from rfdn_video.frame import Matrix
from rfdn_video.inference.reuse import Strips, changed_rows
from rfdn_video.inference.slots import _Slot
from rfdn_video.media.reading.decode import Decoder
from rfdn_video.media.timing import TimeRange
from tests.test_expected_clips import GOOD

YUV420 = PixelFormat("yuv", 8, 1, 1)
WIDTH, HEIGHT = 20, 200

OF_EVERY_KIND = (
    *("bikes.mp4", "bt601.mp4", "bear-vp9-odd-dimensions.webm", "h264-10bits.mp4", "h264-anim.mkv"),
    *("long_1080p_lowbitrate.mp4", "sample_with_srt.mkv", "var-fps.mp4", "vp9-resize.mp4"),
)

type Drawing = list[NDArray[np.uint8 | np.uint16]]


def _still(layout: PixelFormat = YUV420, seed: int = 0, size: tuple[int, int] = (WIDTH, HEIGHT)) -> Drawing:
    generator = np.random.default_rng(seed)
    sizes = layout.plane_sizes(*size)
    return [generator.integers(0, 1 << layout.depth, plane).astype(layout.dtype) for plane in sizes]


def _frame(planes: Drawing, pts: int = 0, layout: PixelFormat = YUV420) -> Frame:
    return Frame(tuple(p.copy() for p in planes), layout, Color(Matrix.BT709), pts, 1, Fraction(1, 25))


def _upscalers(**arguments: object) -> tuple[Upscaler, Upscaler]:
    """With reuse and without."""
    exact, off = (
        Upscaler(**({"scale": 2, "device": "cpu", "engine": "torch"} | arguments), reuse=reuse)  # type: ignore[arg-type]
        for reuse in ("exact", "off")
    )
    return exact, off


def test_slots_that_copied_from_each_other_go_without_a_search_for_circles() -> None:
    def slots() -> int:
        return sum(isinstance(one, _Slot) for one in gc.get_objects())

    upscaler, _ = _upscalers(tile=12)
    planes, frames = _still(), []
    for pts in range(6):
        planes[0][0, 0] += 1
        frames.append(_frame(planes, pts))
    gc.collect()
    gc.disable()
    try:
        before = slots()  # upscalers of other tests may live
        assert len(list(upscaler.stream(frames))) == 6
        assert upscaler.tally.copied_share > 0.1
        assert slots() == before
    finally:
        gc.enable()


def _assert_equal(got: Iterable[Frame], want: Iterable[Frame]) -> int:
    count = 0
    for a, b in zip(got, want, strict=True):
        assert (a.pts, a.duration, a.format, a.color) == (b.pts, b.duration, b.format, b.color)
        for plane_a, plane_b in zip(a.planes, b.planes, strict=True):
            np.testing.assert_array_equal(plane_a, plane_b, err_msg=f"frame {count}")
        count += 1
    return count


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 99), st.integers(0, 9)), max_size=3))
def test_changed_rows_are_those_that_changed(places: list[tuple[int, int, int]]) -> None:
    before, after = _still(), _still()
    for plane, row, column in places:
        after[plane][row, column] += 1
    found = np.zeros(HEIGHT, bool)
    for rows in changed_rows(YUV420, tuple(before), tuple(after)):
        found[rows.start : rows.stop] = True
    different = np.any([(a != b).any(1).repeat(HEIGHT // a.shape[0]) for a, b in zip(before, after, strict=True)], 0)
    assert (found >= different).all()
    assert found.sum() <= 16 * len(places)
    assert bool(changed_rows(YUV420, tuple(before), tuple(after), at_all=True)) == bool(different.any())


@pytest.mark.parametrize("size", [(1, 1), (3, 5), (5, 17), (4, 33)])
@pytest.mark.parametrize("layout", [YUV420, PixelFormat("yuv", 8, 2, 2), PixelFormat("gray", 16)])
def test_every_sample_of_odd_pictures_counts(layout: PixelFormat, size: tuple[int, int]) -> None:
    before = _still(layout, size=size)
    assert changed_rows(layout, tuple(before), tuple(before)) == []
    for number, plane in enumerate(before):
        for index in np.ndindex(plane.shape):
            after = [p.copy() for p in before]
            after[number][index] ^= 1
            assert changed_rows(layout, tuple(before), tuple(after)), (number, index)


@settings(max_examples=100, deadline=None)
@given(
    strip=st.integers(1, 20),
    reach=st.integers(0, 30),
    changed=st.lists(st.tuples(st.integers(0, 99), st.integers(1, 30)), min_size=1, max_size=4),
)
def test_what_is_done_again(strip: int, reach: int, changed: list[tuple[int, int]]) -> None:
    """Every strip that sees a change, and others only between two such ones that are close."""
    rows = [range(top, min(top + strip, 200)) for top in range(0, 200, strip)]
    needed = [range(max(0, r.start // 2 - reach), min(100, -(-r.stop // 2) + reach)) for r in rows]
    where = {row for first, count in changed for row in range(first, min(100, first + count))}
    runs = Strips(rows, needed, needed, (100, 200)).to_redo([range(a, min(100, a + n)) for a, n in changed])
    seeing = [r for r, n in zip(rows, needed, strict=True) if not where.isdisjoint(n)]
    done = [r for run in runs for r in run]
    assert done == sorted(done, key=lambda r: r.start)
    assert len(set(done)) == len(done)
    assert set(seeing) <= set(done)
    assert {run[0] for run in runs} | {run[-1] for run in runs} <= set(seeing)
    for run in runs:
        assert [r.start for r in run[1:]] == [r.stop for r in run[:-1]]
    for above, below in itertools.pairwise(runs):
        assert below[0].start // 2 > min(100, -(-above[-1].stop // 2) + reach)


@pytest.mark.parametrize(
    ("scale", "layout", "tile"),
    [
        (2, YUV420, 16),
        (2, PixelFormat("yuv", 10, 1, 0), 7),
        (1.5, YUV420, 16),
        (4, YUV420, 12),
        (2, PixelFormat("rgb", 8), 16),
        (3, PixelFormat("gray", 12), 20),
    ],
)
def test_rows_change(scale: float, layout: PixelFormat, tile: int, attentive_x2: Path) -> None:
    """At the top, at the bottom, in the middle, nowhere, everywhere; what does not see it is copied."""
    planes, frames = _still(layout), []
    for index, rows in enumerate(([0], [3], [], [HEIGHT - 1], [], [90, 105], [7, 190], range(HEIGHT), [100], [])):
        for row in rows:
            planes[0][row] ^= 1
        frames.append(_frame(planes, index, layout))
    reusing, plain = _upscalers(scale=scale, tile=tile, weights=attentive_x2)
    assert _assert_equal(reusing.stream(frames), plain.stream(frames)) == len(frames)
    assert reusing.tally.repeated == 3
    assert 0.3 < reusing.tally.copied_share < 0.9
    assert plain.tally.repeated == plain.tally.copied_share == 0


@pytest.mark.parametrize("threads", [1, 2])
def test_a_real_network(threads: int) -> None:
    usual = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        planes, frames = _still(size=(24, 420)), []
        for index, rows in enumerate(([], [5], [410, 415], [200])):
            for row in rows:
                planes[0][row] ^= 1
            frames.append(_frame(planes, index))
        reusing, plain = _upscalers(tile=24)
        _assert_equal(reusing.stream(frames), plain.stream(frames))
        assert 0.2 < reusing.tally.copied_share < 0.6
    finally:
        torch.set_num_threads(usual)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    tile=st.integers(3, 60),
    slots=st.integers(2, 4),
    layout=st.sampled_from([YUV420, PixelFormat("yuv", 10), PixelFormat("gray", 8)]),
    changes=st.lists(
        st.lists(st.tuples(st.integers(0, HEIGHT - 1), st.integers(1, 40), st.integers(0, WIDTH - 1)), max_size=2),
        min_size=2,
        max_size=8,
    ),
)
def test_random_rectangles_in_random_frames(
    tile: int, slots: int, layout: PixelFormat, changes: list[list[tuple[int, int, int]]], attentive_x2: Path
) -> None:
    planes, frames = _still(layout), []
    for index, rectangles in enumerate(changes):
        for number, (top, rows, left) in enumerate(rectangles):
            planes[number % len(planes)][top : top + rows, left:] ^= 1
        frames.append(_frame(planes, index, layout))
    reusing, plain = _upscalers(tile=tile, slots=slots, weights=attentive_x2)
    _assert_equal(reusing.stream(frames), plain.stream(frames))
    assert plain.tally.copied_share == 0


@pytest.mark.parametrize(
    "layout", [YUV420, PixelFormat("yuv", 8, 1, 1, alpha=True), PixelFormat("gray", 8, alpha=True)]
)
def test_the_last_plane_alone_changes(layout: PixelFormat, attentive_x2: Path) -> None:
    planes = _still(layout)
    frames = [_frame(planes, 0, layout)]
    planes[-1][5, 3] ^= 1
    frames.append(_frame(planes, 1, layout))
    reusing, plain = _upscalers(tile=16, weights=attentive_x2)
    _assert_equal(reusing.stream(frames), plain.stream(frames))
    assert 0.2 < reusing.tally.copied_share < 0.5


def test_dithered_rows_are_copied_too(attentive_x2: Path) -> None:
    deep, shallow = PixelFormat("yuv", 10, 1, 1), YUV420
    planes = _still(deep)
    frames = [_frame(planes, 0, deep), _frame(planes, 1, deep)]
    planes[0][150] ^= 1
    frames.append(_frame(planes, 2, deep))
    reusing, plain = _upscalers(tile=16, weights=attentive_x2)
    results = [u.stream(frames, pixel_format=shallow, dither="ordered") for u in (reusing, plain)]
    assert _assert_equal(*results) == 3
    assert reusing.tally.copied_share > 0.4


def test_equal_samples_of_another_colour_are_another_picture(attentive_x2: Path) -> None:
    first = _frame(_still())
    frames = [first, replace(first, color=Color(Matrix.SMPTE170M), pts=1), replace(first, pts=2)]
    reusing, plain = _upscalers(weights=attentive_x2)
    _assert_equal(reusing.stream(frames), plain.stream(frames))
    assert reusing.tally.repeated == 0


@pytest.mark.parametrize("slots", [2, 3, 5])
def test_animation_on_twos_and_threes(nearest_x2: Path, slots: int) -> None:
    drawings = [_frame(_still(seed=seed)) for seed in range(4)]
    frames = [replace(drawings[d], pts=i) for i, d in enumerate([0, 0, 1, 1, 1, 2, 2, 3, 3, 3, 3, 0])]
    reusing, plain = _upscalers(weights=nearest_x2, slots=slots)
    assert _assert_equal(reusing.stream(frames), plain.stream(frames)) == len(frames)
    assert reusing.tally.repeated == 7
    assert reusing.tally.copied_share == pytest.approx(7 / 12)


def test_results_come_soon_however_long_a_picture_stands(nearest_x2: Path) -> None:
    taken = []

    def source() -> Iterator[Frame]:
        for index in range(50):
            taken.append(index)
            yield _frame(_still(), index)

    for count, _ in enumerate(Upscaler(scale=2, weights=nearest_x2, device="cpu").stream(source())):
        assert len(taken) - count <= 4


def test_single_frames_reuse_the_one_before(attentive_x2: Path) -> None:
    reusing, plain = _upscalers(weights=attentive_x2, tile=16)
    planes = [_still(seed=seed) for seed in (0, 0, 1, 0, 0)]
    planes[4][0][3] ^= 1
    frames = [_frame(p, index) for index, p in enumerate(planes)]
    _assert_equal([reusing.enlarge(f) for f in frames], [plain.enlarge(f) for f in frames])
    assert reusing.tally.repeated == 1
    assert 1.4 < 5 * reusing.tally.copied_share < 1.9


def test_whole_pictures_reuse_whole_frames(attentive_x2: Path) -> None:
    reusing, plain = _upscalers(weights=attentive_x2, tile="off")
    planes = _still()
    frames = [_frame(planes), _frame(planes, 1)]
    planes[0][0] ^= 1
    frames.append(_frame(planes, 2))
    _assert_equal(reusing.stream(frames), plain.stream(frames))
    assert (reusing.tally.repeated, reusing.tally.copied_share) == (1, pytest.approx(1 / 3))


def test_near_differs_by_one_code_value_at_most() -> None:
    planes = _still(size=(24, 420))
    frames = [_frame(planes)]
    for index in range(3):
        planes[0][:16] = _still(seed=index + 1, size=(24, 420))[0][:16]
        frames.append(_frame(planes, index + 1))
    near, exact = (Upscaler(scale=2, device="cpu", engine="torch", tile=16, reuse=r) for r in ("near", "exact"))  # type: ignore[arg-type]
    for a, b in zip(near.stream(frames), exact.stream(frames), strict=True):
        for plane_a, plane_b in zip(a.planes, b.planes, strict=True):
            assert np.abs(plane_a.astype(int) - plane_b.astype(int)).max() <= 1
    assert near.tally.copied_share > exact.tally.copied_share + 0.1


def _decoded(clip: Path, count: int) -> Iterator[Frame]:
    with Decoder(probe(clip), TimeRange(frames=count)) as decoder:
        yield from decoder


@pytest.mark.shared
@pytest.mark.parametrize(
    "clip", [pytest.param(e.clip, marks=() if e.clip in OF_EVERY_KIND else pytest.mark.slow) for e in GOOD]
)
def test_real_clips(shared: Path, attentive_x2: Path, clip: str) -> None:
    """In bands of the size that a CPU gets for 720p, whatever the clip's size, and not in all columns."""
    reusing, plain = _upscalers(weights=attentive_x2, tile=36)
    source = shared / "clips" / clip
    got, want = (upscaler.stream(_crop(_decoded(source, 5))) for upscaler in (reusing, plain))
    assert _assert_equal(got, want) >= 1


def _crop(frames: Iterator[Frame]) -> Iterator[Frame]:
    """A column of 32 pixels."""
    for frame in frames:
        left = frame.width // 4 & ~3
        parts = [p[:, left * p.shape[1] // frame.width :][:, : 32 * p.shape[1] // frame.width] for p in frame.planes]
        yield replace(frame, planes=tuple(parts))


@pytest.mark.shared
@pytest.mark.parametrize("clip", ["sample_15fps_720p_1s.mp4", "h264-anim.mkv", "edit_list_positive_shift.mp4"])
def test_real_clips_and_a_real_network(shared: Path, clip: str) -> None:
    source = shared / "clips" / clip
    reusing, plain = _upscalers(tile=36)
    _assert_equal(reusing.stream(_crop(_decoded(source, 4))), plain.stream(_crop(_decoded(source, 4))))
