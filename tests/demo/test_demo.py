"""The demo's clip is what it says it is, and its comparison measures what it says it measures."""

from __future__ import annotations

import math
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from demo.compare import CROPS, Views, audio_packets, before_after, decoded, luma, psnr, rgb
from demo.make_clip import CLIP, CLIP_SIZE, halve
from demo.scene import COUNT, FPS, SIZE, Scene
from demo.sound import RATE, tune


@pytest.fixture(scope="module")
def scene() -> Scene:
    return Scene()


def test_clip_is_small_and_its_streams_are_tagged() -> None:
    assert CLIP.stat().st_size < 300_000
    with av.open(CLIP) as clip:
        video, audio = clip.streams.video[0], clip.streams.audio[0]
        context = video.codec_context
        tags = (context.colorspace, context.color_primaries, context.color_trc, context.color_range)
        assert tags == (1, 1, 1, 1)  # BT.709, studio range
        assert (context.width, context.height, context.pix_fmt) == (*CLIP_SIZE, "yuv420p")
        assert float(video.average_rate or 0) == FPS
        assert audio.codec_context.sample_rate == RATE
        pts = [frame.pts * frame.time_base for frame in clip.decode(video) if frame.pts is not None]
    assert pts == [Fraction(n, FPS) for n in range(COUNT)]


@pytest.mark.parametrize("number", [0, 34, COUNT - 1])
def test_clip_shows_the_scene_reduced_by_half(scene: Scene, number: int) -> None:
    """Else the demo would compare with the wrong film: the next frame is already far less alike."""
    (frame,) = decoded(CLIP, [number])
    here = psnr(luma(frame), luma(halve(scene.frame(number))))
    near = psnr(luma(frame), luma(halve(scene.frame(number + (1 if number == 0 else -1)))))
    assert here > 28
    assert here > near + 3


def test_clip_colours_are_the_scenes(scene: Scene) -> None:
    (frame,) = decoded(CLIP, [20])
    error = np.asarray(rgb(frame), float) - np.asarray(halve(scene.frame(20)), float)
    assert np.abs(error.mean(axis=(0, 1))).max() < 1.5


def test_sound_is_heard_and_does_not_clip() -> None:
    samples = tune(COUNT / FPS)
    assert samples.shape == (2, round(COUNT / FPS * RATE))
    assert 0.3 < np.abs(samples).max() < 1
    with av.open(CLIP) as clip:
        heard = np.concatenate([frame.to_ndarray() for frame in clip.decode(audio=0)], axis=1)
    kept = heard[:, : samples.shape[1]]
    assert np.corrcoef(kept[0], samples[0, : kept.shape[1]])[0, 1] > 0.95


def test_luma_is_bt709_in_studio_range() -> None:
    colours = Image.fromarray(np.array([[[0, 0, 0], [255, 255, 255], [255, 0, 0], [0, 255, 0], [0, 0, 255]]], np.uint8))
    assert np.asarray(luma(colours)).tolist() == [[16, 235, 63, 173, 32]]


def test_psnr_of_a_known_error() -> None:
    flat = Image.new("L", (8, 8), 100)
    assert psnr(Image.new("L", (8, 8), 105), flat) == pytest.approx(20 * math.log10(255 / 5))


def test_audio_packets_are_the_payloads_in_order(tmp_path: Path) -> None:
    copy = tmp_path / "copy.mkv"
    with av.open(CLIP) as source, av.open(copy, "w") as target:
        stream = target.add_stream_from_template(source.streams.audio[0])
        for packet in source.demux(audio=0):
            if packet.size:
                packet.stream = stream
                target.mux(packet)
    assert audio_packets(copy) == audio_packets(CLIP)
    assert len(set(audio_packets(CLIP))) > 100


def test_before_after_shows_each_pixel_of_each_view_enlarged() -> None:
    rng = np.random.default_rng(1)
    views = [Image.fromarray(rng.integers(0, 256, (SIZE[1], SIZE[0], 3), np.uint8)) for _ in range(3)]
    sheet = before_after(Views(*views), ("a", "b", "c"))
    last = CROPS[-1]
    width, height = (last[2] - last[0]) * 3, (last[3] - last[1]) * 3
    corner = sheet.crop((sheet.width - width, sheet.height - height, sheet.width, sheet.height))
    assert np.array_equal(np.asarray(corner)[1::3, 1::3], np.asarray(views[2].crop(last)))
