"""Clips for the video degradation: motion as it was asked for, compression by a real encoder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from math import atan2, degrees, hypot
from pathlib import Path

import numpy as np
import pytest

from rfdn_video.errors import InputError
from rfdn_video.quality.metrics import luma, psnr
from rfdn_video.training.clips import Motion, darken_edges, film_still, random_motion, read_clips, read_frames
from rfdn_video.training.codec import Encoding, encode_and_decode, random_encoding
from rfdn_video.training.images import read_image
from rfdn_video.training.imresize import RGB8, imresize
from rfdn_video.training.recipe import Recipe
from rfdn_video.training.sources import bicubic_pairs, find_sources, prepare_cache


def noise(height: int, width: int) -> RGB8:
    return np.random.default_rng(4).integers(0, 256, (height, width, 3), np.uint8)


def test_a_pan_moves_the_picture_by_what_it_says() -> None:
    frames = film_still(noise(70, 70), 64, Motion(8, (3.0, -2.0), 1.0, 0.0), np.random.default_rng(0))
    assert len(frames) == 8
    for before, after in pairwise(frames):
        np.testing.assert_allclose(after[2:, :-3].astype(int), before[:-2, 3:], atol=1)
        assert np.abs(after.astype(int) - before).mean() > 20


def test_a_still_is_made_softer_by_magnifying_it() -> None:
    soft, sharp = (
        film_still(noise(300, 300), 64, Motion(8, (0.0, 0.0), 1.0, 0.0, reach), np.random.default_rng(0))[0]
        for reach in (0.5, 1.0)
    )
    assert soft.shape == sharp.shape == (64, 64, 3)
    steps = [np.abs(np.diff(frame[..., 0].astype(int), axis=1)).mean() for frame in (soft, sharp)]
    assert steps[0] < 0.7 * steps[1]


@pytest.mark.parametrize("size", [140, 300])  # the window as it is, and a larger one reduced
def test_zoom_and_turn_are_those_asked_for(size: int) -> None:
    ramp = (np.arange(size) * (220 / size)).astype(np.uint8)[None, :, None].repeat(size, 0).repeat(3, 2)
    frames = film_still(ramp, 96, Motion(8, (0.0, 0.0), 1.02, 1.5, reach=2.0), np.random.default_rng(0))
    slopes = []
    for frame in frames:
        y, x = np.mgrid[:96, :96]
        columns = np.stack((x.ravel(), y.ravel(), np.ones(x.size)), axis=1)
        slopes.append(np.linalg.lstsq(columns, frame[..., 0].ravel().astype(float))[0][:2])
    turns = [degrees(atan2(dy, dx)) for dx, dy in slopes]
    np.testing.assert_allclose(np.diff(turns), -1.5, atol=0.2)
    steepness = [hypot(*slope) for slope in slopes]
    np.testing.assert_allclose(np.array(steepness[1:]) / steepness[:-1], 1 / 1.02, atol=0.004)


def test_dark_edges_take_the_picture_away_at_a_side_and_stand_still() -> None:
    clip = np.stack([noise(64, 96) // 2 + 100] * 8)
    clips = [np.stack(darken_edges(list(clip), 0.3, np.random.default_rng(seed))) for seed in range(100)]
    for side in (np.s_[:, :, 0], np.s_[:, :, -1], np.s_[:, 0], np.s_[:, -1]):
        assert sum((dark[side] < clip[side]).all() for dark in clips) == pytest.approx(30, abs=14)
    for dark in clips:
        np.testing.assert_array_equal(dark[:, 14:-14, 14:-14], clip[:, 14:-14, 14:-14])
    assert min(dark.min() for dark in clips) < 24 < clip.min()


def test_without_dark_edges_a_clip_stays_what_it_is() -> None:
    clip = [noise(64, 96)] * 8
    np.testing.assert_array_equal(darken_edges(clip, 0.0, np.random.default_rng(0)), clip)


def test_random_motion_is_sub_pixel_and_8_to_12_frames_long() -> None:
    random = np.random.default_rng(1)
    motions = [random_motion(random, 2) for _ in range(200)]
    assert {motion.frames for motion in motions} == {8, 9, 10, 11, 12}
    assert all(abs(value) <= 3 and value != round(value) for motion in motions for value in motion.pan)
    assert {motion.zoom != 1 for motion in motions} == {motion.turn != 0 for motion in motions} == {True, False}


def test_random_encodings_are_of_both_codecs_and_all_qualities() -> None:
    random = np.random.default_rng(2)
    encodings = [random_encoding(random, 72, 16, 35) for _ in range(400)]
    assert {encoding.codec for encoding in encodings} == {"h264", "hevc"}
    assert {encoding.crf for encoding in encodings} == set(range(16, 36))
    assert {random_encoding(random, 70, 16, 35).codec for _ in range(100)} == {"h264"}
    assert sum(encoding.codec == "hevc" for encoding in encodings) == pytest.approx(60, abs=30)


def test_clips_too_small_for_x265_never_reach_it() -> None:
    with pytest.raises(InputError, match="48x48"):
        encode_and_decode([noise(48, 48)] * 8, Encoding("hevc", 20, "fast"))


@pytest.mark.parametrize("codec", ["h264", "hevc"])
def test_compression_is_real_and_keeps_the_order(codec: str, photographs: Path) -> None:
    still = read_image(photographs / "0.png")
    clip = film_still(still, 80, Motion(10, (2.0, 1.0), 1.0, 0.0), np.random.default_rng(0))
    qualities = []
    for crf in (16, 34):
        decoded = encode_and_decode(clip, Encoding(codec, crf, "fast"))  # type: ignore[arg-type]
        assert len(decoded) == 10
        own = [psnr(luma(a), luma(b)) for a, b in zip(decoded, clip, strict=True)]
        other = [psnr(luma(a), luma(b)) for a, b in zip(decoded[1:], clip, strict=False)]
        assert min(own) > max(other)
        qualities.append(np.mean(own))
    assert 60 > qualities[0] > qualities[1] + 3


def test_the_video_degradation_makes_pairs_of_compressed_frames(
    photographs: Path, recipe: Recipe, tmp_path: Path
) -> None:
    video = replace(recipe, degradation="video", clips=6)
    sources = find_sources([photographs])
    cache = prepare_cache(sources, video, tmp_path / "cache", lambda _: None)
    assert len(cache.index) == 6 * 3
    low, high = cache.batch(0, 0, 16, 24)
    for small, large in zip(low.numpy(), high.numpy(), strict=True):
        clean = imresize(np.moveaxis(large, 0, 2).copy(), 1 / 2)
        difference = np.abs(np.moveaxis(small, 0, 2).astype(int) - clean)[4:-4, 4:-4].mean()
        assert 0.1 < difference < 30  # compressed, and of the same place
    again = prepare_cache(sources, video, tmp_path / "again", lambda _: None)
    np.testing.assert_array_equal(again.high, cache.high)
    framed = prepare_cache(sources, replace(video, dark_edges=1.0), tmp_path / "cache", lambda _: None)
    assert framed.name != cache.name
    assert framed.high.mean() < cache.high.mean()


@pytest.fixture
def film(ffmpeg: Callable[..., bytes], tmp_path: Path) -> Path:
    """75 frames of 25 a second, losslessly compressed."""
    path = tmp_path / "film.mkv"
    ffmpeg("-f", "lavfi", "-i", "testsrc2=size=160x120:rate=25:duration=3", "-c:v", "ffv1", path)
    return path


def test_a_video_gives_a_frame_a_second(film: Path, ffmpeg: Callable[..., bytes]) -> None:
    frames = list(read_frames(film))
    assert len(frames) == 3
    raw = ffmpeg(
        "-i",
        film,
        "-vf",
        "select=not(mod(n\\,25))",
        "-vsync",
        "0",
        "-f",
        "rawvideo",
        "-pix_fmt",
        "rgb24",
        "-",
    )
    expected = np.frombuffer(raw, np.uint8).reshape(3, 120, 160, 3)
    for frame, wanted in zip(frames, expected, strict=True):
        assert psnr(luma(frame), luma(wanted)) > 35


def test_a_video_gives_clips_that_do_not_overlap(film: Path) -> None:
    clips = list(read_clips(film, 50, 64, np.random.default_rng(0)))
    assert len(clips) == 75 // 12
    assert all(8 <= len(clip) <= 12 and clip[0].shape == (64, 64, 3) for clip in clips)
    assert all((clip[0] != clip[1]).any() for clip in clips)


def test_images_and_videos_are_trained_on_together(film: Path, photographs: Path) -> None:
    pairs = list(bicubic_pairs(find_sources([photographs, film]), 2))
    assert len(pairs) == 4 + 3
    assert pairs[-1][0].shape == (60, 80, 3)
