"""Segments that are made by themselves are the whole: same pictures, times and sound. Without Ray."""

from __future__ import annotations

import os
import pickle
import shutil
import threading
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest

from rfdn_video.cluster.film import plan_on_cluster
from rfdn_video.cluster.mount import outlast
from rfdn_video.cluster.order import Order
from rfdn_video.cluster.record import read_record
from rfdn_video.cluster.segment import introduce, make_segment
from rfdn_video.cluster.spans import Span, cut
from rfdn_video.errors import InputError, OutputError, UsageError
from rfdn_video.media.keeping.work_folder import work_folder
from rfdn_video.media.reading import decode
from rfdn_video.stamp import Stamp
from tests.cluster.conftest import FRAMES
from tests.cluster.workers import SEGMENT, Here, cluster_settings, enlarge, whole

type FFmpeg = Callable[..., bytes]
type Pictures = Callable[[Path], list[bytes]]

SOURCES = {
    "h264_open.mp4": ["-c:v", "libx264", "-x264-params", "open-gop=1:keyint=12:bframes=3:b-pyramid=normal"],
    "h264_closed.mkv": ["-c:v", "libx264", "-x264-params", "open-gop=0:keyint=20:bframes=2"],
    "hevc_open.mkv": ["-c:v", "libx265", "-x265-params", "log-level=none:open-gop=1:keyint=12:bframes=4"],
    "hevc_open.mp4": ["-c:v", "libx265", "-x265-params", "log-level=none:open-gop=1:keyint=12:bframes=4"],
    "mpeg2.mkv": ["-c:v", "mpeg2video", "-bf", "2", "-g", "12"],
    "mpeg4.mp4": ["-c:v", "mpeg4", "-bf", "2", "-g", "12"],
    "vp9.webm": ["-c:v", "libvpx-vp9", "-g", "12", "-deadline", "realtime", "-cpu-used", "8"],
    "ffv1.mkv": ["-c:v", "ffv1", "-g", "12"],
    "uneven.mkv": [
        "-vf",
        "setpts='(N*5+mod(N,3))/100/TB'",
        "-enc_time_base",
        "1/1000",
        "-fps_mode",
        "passthrough",
        "-c:v",
        "libx264",
        "-g",
        "12",
    ],
    "recording.ts": ["-c:v", "libx264", "-g", "12"],
    "counted.avi": ["-c:v", "mpeg4", "-g", "12"],
}
ALIKE = ("h264_closed.mkv", "hevc_open.mkv", "mpeg2.mkv", "mpeg4.mp4", "ffv1.mkv", "counted.avi")  # cut as others are


@pytest.fixture
def strict_search(monkeypatch: pytest.MonkeyPatch) -> None:
    """Decoding begins close before a segment; real runs begin ten seconds before it, and these clips are short."""
    monkeypatch.setattr(decode, "SEEK_MARGIN", Fraction(2, 5))


def _make(ffmpeg: FFmpeg, path: Path, options: list[str]) -> Path:
    lavfi = ["-f", "lavfi", "-i"]
    source = [*lavfi, f"testsrc2=size=96x80:rate=25:duration={FRAMES / 25}", *lavfi, f"sine=duration={FRAMES / 25}"]
    audio = "libopus" if path.suffix == ".webm" else "mp2" if path.suffix in (".ts", ".avi") else "aac"
    ffmpeg(*source, "-pix_fmt", "yuv420p", "-c:a", audio, *options, path)
    return path


@pytest.mark.fault(79)
@pytest.mark.parametrize("name", [pytest.param(n, marks=pytest.mark.slow) if n in ALIKE else n for n in SOURCES])
@pytest.mark.usefixtures("strict_search")
def test_fault_79_segments_add_up(
    ffmpeg: FFmpeg, pictures: Pictures, nearest_x2: Path, tmp_path: Path, name: str
) -> None:
    source = _make(ffmpeg, tmp_path / name, SOURCES[name])
    settings, workers = cluster_settings(nearest_x2), Here()
    summary = enlarge(source, tmp_path / "cut.mkv", settings, workers)
    alone = whole(source, tmp_path / "whole.mkv", settings)
    assert len(workers.made) >= 4  # none was done twice: the searches were exact
    assert len({span.number for span in workers.made}) == len(workers.made)
    assert pictures(tmp_path / "cut.mkv") == pictures(tmp_path / "whole.mkv")
    assert (summary.frames, summary.decoding) == (alone.frames, alone.decoding)
    assert not list(tmp_path.glob(".*"))


@pytest.mark.fault(79)
@pytest.mark.parametrize("suffix", [".mp4", ".mov", pytest.param(".webm", marks=pytest.mark.slow)])
def test_fault_79_lossy_encoders_are_joined(
    ffmpeg: FFmpeg, nearest_x2: Path, clip: Path, tmp_path: Path, suffix: str
) -> None:
    """Every picture is there, at its time, and can be decoded; the file passes its check."""
    encoder = {".mp4": "libx264", ".mov": "libx265", ".webm": "libvpx-vp9"}[suffix]
    preset = "8" if suffix == ".webm" else "ultrafast"
    settings = cluster_settings(
        nearest_x2, encoder=encoder, encoder_preset=preset, verify="full", audio="none" if suffix == ".webm" else "copy"
    )
    enlarge(clip, tmp_path / f"cut{suffix}", settings, Here())
    whole(clip, tmp_path / f"whole{suffix}", settings)
    listing = ["-map", "0:V", "-f", "framehash", "-hash", "crc32", "-"]
    times = [
        [
            line.split(b",")[2]
            for line in ffmpeg("-i", tmp_path / f"{n}{suffix}", *listing).splitlines()
            if b"#" not in line
        ]
        for n in ("cut", "whole")
    ]
    assert times[0] == times[1]
    assert len(times[0]) == FRAMES


@pytest.mark.parametrize("suffix", [".mkv", ".mp4"])
def test_a_first_segment_of_one_picture(ffmpeg: FFmpeg, nearest_x2: Path, tmp_path: Path, suffix: str) -> None:
    """A recording that stands at first: its encoder does not tell how far the others look ahead."""
    source, output = tmp_path / "source.mkv", tmp_path / f"out{suffix}"
    still = ["-vf", "select='eq(n,0)+gte(t,3)'", "-fps_mode", "passthrough", "-c:v", "libx264"]
    ffmpeg("-f", "lavfi", "-i", "testsrc2=size=96x80:rate=25:duration=5", "-pix_fmt", "yuv420p", *still, source)
    workers = Here()
    summary = enlarge(source, output, cluster_settings(nearest_x2, encoder="libx264", verify="full"), workers)
    assert summary.frames == 51
    assert len(workers.made) > 2
    shown = ffmpeg("-i", output, "-map", "0:V", "-f", "framehash", "-hash", "crc32", "-").decode()
    lines = [line.split(",") for line in shown.splitlines() if "#" not in line]
    base = Fraction(next(line for line in shown.splitlines() if line.startswith("#tb")).split()[-1])
    times = [round(float(int(line[2]) * base), 2) for line in lines]
    assert times == [0, *(round(3 + n / 25, 2) for n in range(50))]


def test_sound_that_outlasts_the_pictures(ffmpeg: FFmpeg, pictures: Pictures, nearest_x2: Path, tmp_path: Path) -> None:
    """A part that is open at its end has all of it, as a single process gives it."""
    source = tmp_path / "in.mkv"
    lavfi = ["-f", "lavfi", "-i"]
    ffmpeg(*lavfi, "testsrc2=size=48x32:rate=25:duration=1", *lavfi, "sine=duration=3", "-c:v", "ffv1", source)
    settings = cluster_settings(nearest_x2, start=Fraction(2, 5))
    enlarge(source, tmp_path / "cut.mkv", settings, Here())
    whole(source, tmp_path / "whole.mkv", settings)
    assert pictures(tmp_path / "cut.mkv") == pictures(tmp_path / "whole.mkv")
    assert sum(line.startswith(b"1") for line in pictures(tmp_path / "cut.mkv")) > 100  # packets, of 1024 samples


@pytest.mark.fault(79)
def test_fault_79_a_search_that_went_wrong_is_found(
    monkeypatch: pytest.MonkeyPatch, ffmpeg: FFmpeg, pictures: Pictures, nearest_x2: Path, tmp_path: Path
) -> None:
    """Of an open GOP that decoding begins at, the first pictures are lost; MP4 searches by decoding times."""
    monkeypatch.setattr(decode, "SEEK_MARGIN", 0)
    source = _make(ffmpeg, tmp_path / "open.mp4", SOURCES["hevc_open.mp4"])
    settings, workers = cluster_settings(nearest_x2), Here()
    enlarge(source, tmp_path / "cut.mkv", settings, workers)
    whole(source, tmp_path / "whole.mkv", settings)
    again = [span for span in workers.made if not span.search]
    assert again
    assert all(span.number for span in again)
    assert pictures(tmp_path / "cut.mkv") == pictures(tmp_path / "whole.mkv")


@pytest.mark.fault(79)
def test_fault_79_a_part_and_a_claim(pictures: Pictures, nearest_x2: Path, clip: Path, tmp_path: Path) -> None:
    """Ranges are cut too; --frames is one span."""
    for values in ({"start": Fraction(1), "end": Fraction(7, 2)}, {"end": Fraction(2)}, {"frames": 40}):
        settings, workers = cluster_settings(nearest_x2, overwrite=True, **values), Here()
        enlarge(clip, tmp_path / "cut.mkv", settings, workers)
        whole(clip, tmp_path / "whole.mkv", settings)
        assert (len(workers.made) == 1) == ("frames" in values)
        assert pictures(tmp_path / "cut.mkv") == pictures(tmp_path / "whole.mkv")


@pytest.mark.fault(29)
@pytest.mark.parametrize("claim", [1, 10**9])
def test_a_header_that_lies(
    monkeypatch: pytest.MonkeyPatch, nearest_x2: Path, clip: Path, tmp_path: Path, claim: int
) -> None:
    """Its number of pictures bounds neither the film nor the number of segments."""
    monkeypatch.setattr("rfdn_video.plan.FilePlan.expected_frames", claim)
    settings = cluster_settings(nearest_x2, segment_frames=2400 if claim > FRAMES else SEGMENT)
    files = plan_on_cluster(clip, str(tmp_path / "cut.mkv"), settings)
    assert len(cut(files, 600)) < clip.stat().st_size
    assert enlarge(clip, tmp_path / "cut.mkv", settings, Here()).frames == FRAMES


@pytest.fixture
def order(nearest_x2: Path, clip: Path, tmp_path: Path) -> Order:
    """Of the clip; a worker has introduced itself."""
    source = tmp_path / "in" / "clip.mkv"
    source.parent.mkdir()
    shutil.copy(clip, source)
    stamp = Stamp.of(source)
    plain = Order(source, tmp_path / "o.mkv", cluster_settings(nearest_x2), SEGMENT, stamp)
    plain.work.mkdir()
    return Order(source, tmp_path / "o.mkv", cluster_settings(nearest_x2), SEGMENT, stamp, introduce(plain))


SPAN = Span(1, Fraction(SEGMENT, 25), Fraction(2 * SEGMENT, 25))


def _record(order: Order) -> object:
    from rfdn_video.cluster.record import job_digest

    return read_record(order.work, 1, job_digest(order.job))


@pytest.mark.fault(73)
def test_fault_73_done_twice_is_done_once(order: Order) -> None:
    """One after the other, and two at the same time: one record, and the one file that it names."""
    threads = [threading.Thread(target=make_segment, args=(order, SPAN, lambda *_: None)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    first = _record(order)
    make_segment(order, SPAN, lambda *_: None)
    assert _record(order) == first
    assert first is not None
    assert set(os.listdir(order.work)) == {"000001.json", first.file}  # type: ignore[attr-defined]


@pytest.mark.fault(76)
def test_fault_76_only_names_travel(order: Order) -> None:
    """An order is the same size whatever the film; its answer is nothing at all."""
    assert len(pickle.dumps((order, SPAN))) < 10_000


@pytest.mark.fault(77)
def test_fault_77_a_mount_that_comes_back(order: Order) -> None:
    """The whole folder is away when a segment begins, and comes back."""
    away = order.source.parent.with_name("away")
    order.source.parent.rename(away)
    timer = threading.Timer(0.8, away.rename, (order.source.parent,))
    timer.start()
    make_segment(order, SPAN, lambda *_: None)
    timer.join()
    assert _record(order) is not None


@pytest.mark.fault(77)
def test_fault_77_a_mount_that_goes_in_mid_segment(order: Order) -> None:
    """What was written cannot be published; when the folder is back, the segment is made again."""
    away, begun = order.work.with_name("away"), 0
    timer = threading.Timer(0.8, away.rename, (order.work,))

    def report(frames: int, _: int) -> None:
        nonlocal begun
        begun += frames == 5
        if frames == 5 and begun == 1:
            order.work.rename(away)
            timer.start()

    make_segment(order, SPAN, report)
    timer.join()
    assert begun == 2
    assert _record(order) is not None


@pytest.mark.fault(77)
def test_fault_77_backs_off_and_gives_up() -> None:
    pauses: list[float] = []

    def fail() -> None:
        raise OSError(116, "Stale file handle")

    with pytest.raises(OutputError, match=r"Stale file handle.* away for .* is it mounted"):
        outlast(fail, lambda: False, limit=100, sleep=pauses.append)
    assert pauses[:4] == [0.5, 1, 2, 4]
    assert max(pauses) == 30
    assert sum(pauses) >= 100
    with pytest.raises(OSError, match="Stale"):
        outlast(fail, lambda: True)


@pytest.mark.fault(78)
@pytest.mark.parametrize("name", ["weights", "rfdn-video", "FFmpeg", "decoders", "torch", "tile"])
def test_fault_78_another_kind_of_worker_is_refused(order: Order, name: str) -> None:
    """What the film was begun with is not what this worker has."""
    other = Order(order.source, order.output, order.settings, SEGMENT, order.stamp, {**order.job, name: "other"})
    with pytest.raises(UsageError, match=rf"the worker on .* differs in {name} \(was other, is "):
        make_segment(other, SPAN, lambda *_: None)
    assert not os.listdir(order.work)


@pytest.mark.fault(78)
def test_fault_78_another_source_is_refused(order: Order) -> None:
    os.utime(order.source, (time.time(), time.time() + 5))
    with pytest.raises(InputError, match="another file, or it has changed"):
        make_segment(order, SPAN, lambda *_: None)


def test_what_nobody_expected_is_told_in_one_line(
    monkeypatch: pytest.MonkeyPatch, nearest_x2: Path, clip: Path, tmp_path: Path
) -> None:
    """Such as what Ray raises where a worker lacks a module: with its kind, without its traceback."""
    workers, fault = Here(), RuntimeError("no module\ntraceback: ...")
    monkeypatch.setattr(workers, "make", lambda _, spans, __: workers.failed.update({s.number: fault for s in spans}))
    with pytest.raises(OutputError, match=r"segment 0 \(.*\) failed, and 3 more: RuntimeError: no module$"):
        enlarge(clip, tmp_path / "o.mkv", cluster_settings(nearest_x2), workers)


@pytest.mark.fault(75)
@pytest.mark.parametrize("away", [False, True])
def test_fault_75_what_is_published_last_is_kept_and_nothing_is_read_twice(
    monkeypatch: pytest.MonkeyPatch, nearest_x2: Path, clip: Path, tmp_path: Path, away: bool
) -> None:
    """A signal comes before the driver has looked again; what it knows, perhaps a whole film, is not read for that."""
    read: list[int] = []

    def note(work: Path, number: int, job: str) -> object:
        read.append(number)
        if away and number == 2:
            raise OSError(116, "Stale file handle")
        return read_record(work, number, job)

    def unseen(order: Order, span: Span, report: Callable[[int, int], None]) -> None:
        make_segment(order, span, report if span.number < 2 else lambda *_: None)
        if span.number == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr("rfdn_video.cluster.film.read_record", note)
    output = tmp_path / "o.mkv"
    with pytest.raises(KeyboardInterrupt) as caught:
        enlarge(clip, output, cluster_settings(nearest_x2), Here(unseen))
    assert sorted(read) == [0, 1, 2]
    assert f"{SEGMENT * (2 if away else 3)} frames are finished and kept" in caught.value.__notes__[0]
    assert len(list(work_folder(output).glob("0*.json"))) == (2 if away else 3)


@pytest.mark.fault(75)
def test_fault_75_goes_on_with_what_is_published(
    pictures: Pictures, uncut: list[bytes], nearest_x2: Path, clip: Path, tmp_path: Path
) -> None:
    """By the rules of --resume; a file that a power failure has damaged is made again."""
    output, settings = tmp_path / "o.mkv", cluster_settings(nearest_x2)

    def ill(order: Order, span: Span, report: Callable[[int, int], None]) -> None:
        if span.number == 3:
            raise InputError("nothing but noise")
        make_segment(order, span, report)

    with pytest.raises(InputError, match=r"segment 3 \(3.360 s to the end\) failed: nothing but noise") as caught:
        enlarge(clip, output, settings, Here(ill))
    assert "84 frames are finished and kept" in caught.value.__notes__[0]
    with pytest.raises(OutputError, match="--resume"):
        enlarge(clip, output, settings, Here())
    with pytest.raises(UsageError, match="segment_frames"):
        whole(clip, output, cluster_settings(nearest_x2, resume=True))
    with pytest.raises(UsageError, match="height"):
        enlarge(clip, output, cluster_settings(nearest_x2, resume=True, scale=3), Here())
    next(work_folder(output).glob("000001.*.packets")).write_bytes(b"")
    again = Here()
    summary = enlarge(clip, output, cluster_settings(nearest_x2, resume=True), again)
    assert [span.number for span in again.made] == [1, 3]
    assert summary.frames_reused == 84 - SEGMENT
    assert pictures(output) == uncut
    assert os.listdir(tmp_path) == ["o.mkv"]
