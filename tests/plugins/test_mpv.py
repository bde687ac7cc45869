"""plugins/mpv/rfdn.vpy under what mpv does: globals, no frame at first, few at a time, a new run at every seek."""

from __future__ import annotations

import re
import runpy
import threading
from pathlib import Path

import numpy as np
import pytest

from rfdn_video import Upscaler

vs = pytest.importorskip("vapoursynth", reason="needs VapourSynth: pip install 'rfdn-video[vapoursynth]'")
from noise import HEIGHT, WIDTH, noise_clip  # noqa: E402 (it needs VapourSynth)
from vsrfdn import filter as vsrfdn_filter  # noqa: E402
from vsrfdn import rfdn  # noqa: E402

FOLDER = Path(__file__).parents[2] / "plugins" / "mpv"
ENDLESS = (2**31 - 1) // 16  # what mpv calls the length of its clip


class Player:
    """Does to a script what mpv's vf_vapoursynth does."""

    def __init__(self, buffered: int = 4, concurrent: int = 3, **variables: object) -> None:
        self.variables = {"container_fps": 24.0, "display_fps": 60.0, "display_res": [1920, 1080]} | variables
        self.buffer, self.concurrent = buffered * concurrent, concurrent
        self.newest, self.initializing = 0, True
        self.lock = threading.Lock()

    def load(self):
        """Runs the script, as mpv does for the first frame and after every seek."""
        self.newest, self.initializing = 0, True
        blank = noise_clip(vs.YUV420P8, ENDLESS)
        source = blank.std.ModifyFrame(blank, self._give)
        size = {"video_in_dw": WIDTH, "video_in_dh": HEIGHT}
        vs.clear_outputs()
        runpy.run_path(str(FOLDER / "rfdn.vpy"), init_globals={"video_in": source} | size | self.variables)
        self.initializing = False
        return vs.get_output(0).clip

    def play(self, clip, count: int):
        """Frames in order, ``concurrent`` of them asked for ahead."""
        waiting = [clip.get_frame_async(n) for n in range(self.concurrent)]
        for n in range(count):
            waiting.append(clip.get_frame_async(n + self.concurrent))
            yield waiting.pop(0).result()
        for future in waiting:
            future.result()

    def _give(self, n, f):
        with self.lock:
            assert not self.initializing, "a frame was asked for before the script had run"
            assert n > self.newest - self.buffer, f"frame {n} was asked for when {self.newest} had come"
            self.newest = max(self.newest, n)
        frame = f.copy()
        frame.props["_DurationNum"], frame.props["_DurationDen"] = 41_708, 1_000_000
        frame.props["_ColorSpace"], frame.props["_FieldBased"] = 1, 0  # mpv's own name of the matrix
        return frame


def planes(frame):
    return [np.asarray(frame[plane]) for plane in range(frame.format.num_planes)]


def test_plays_and_seeks_with_one_network(monkeypatch: pytest.MonkeyPatch) -> None:
    opened = []
    monkeypatch.setattr(vsrfdn_filter, "Upscaler", lambda **options: opened.append(options) or Upscaler(**options))
    player = Player()
    expected = rfdn(noise_clip(vs.YUV420P8, 8).std.SetFrameProps(_Matrix=1))
    opened.clear()
    vsrfdn_filter._open_file.cache_clear()
    for _ in range(3):  # the beginning and two seeks
        clip = player.load()
        assert clip.num_frames == ENDLESS
        for n, frame in enumerate(player.play(clip, 8)):
            assert (frame.width, frame.height) == (2 * WIDTH, 2 * HEIGHT)
            assert (frame.props["_DurationNum"], frame.props["_DurationDen"]) == (41_708, 1_000_000)
            assert frame.props["_Matrix"] == 1
            wanted = planes(expected.get_frame(n))
            assert all(np.array_equal(a, b) for a, b in zip(planes(frame), wanted, strict=True))
    assert len(opened) == 1


def test_options_come_from_user_data() -> None:
    for given in ("scale=3/2, tune=clean,num_streams=1", b"scale=3/2,tune=clean"):
        clip = Player(user_data=given).load()
        assert (clip.width, clip.height) == (WIDTH * 3 // 2, HEIGHT * 3 // 2)
        expected = rfdn(noise_clip(vs.YUV420P8, 1).std.SetFrameProps(_Matrix=1), 1.5, tune="clean").get_frame(0)
        assert all(np.array_equal(a, b) for a, b in zip(planes(clip.get_frame(0)), planes(expected), strict=True))


def test_bands_are_a_number_or_a_word() -> None:
    for tile in (16, "off"):
        clip = Player(user_data=f"tile={tile}").load()
        expected = rfdn(noise_clip(vs.YUV420P8, 1).std.SetFrameProps(_Matrix=1), tile=tile).get_frame(0)
        assert all(np.array_equal(a, b) for a, b in zip(planes(clip.get_frame(0)), planes(expected), strict=True))


def test_a_wrong_option_is_said() -> None:
    with pytest.raises(vs.Error, match="rfdn: scale 9: above 1 and up to 8"):
        Player(user_data="scale=9").load()


@pytest.mark.parametrize(
    ("screen", "enlarged"), [([0, 0], True), ([1920, 1080], True), ([WIDTH, 1080], False), ([1920, HEIGHT], False)]
)
def test_what_fills_the_screen_is_left_alone(screen: list[int], enlarged: bool) -> None:
    assert Player(display_res=screen).load().width == (2 * WIDTH if enlarged else WIDTH)


def test_an_interlaced_frame_is_said() -> None:
    player = Player()
    clip = player.load()
    interlaced = rfdn(noise_clip(vs.YUV420P8, ENDLESS).std.SetFieldBased(2))
    with pytest.raises(vs.Error, match="rfdn: frame 0 is interlaced"):
        interlaced.get_frame(0)
    assert clip.get_frame(0).width == 2 * WIDTH


def test_the_snippets_name_the_script_and_the_same_filter() -> None:
    filters = set()
    for name in ("mpv.conf", "input.conf"):
        text = (FOLDER / name).read_text(encoding="utf-8")
        found = re.search(r'@rfdn:vapoursynth=file="~~/rfdn\.vpy":buffered-frames=\d+:concurrent-frames=\d+', text)
        assert found, name
        filters.add(found[0])
    assert len(filters) == 1
