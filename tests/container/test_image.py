"""The built image at work, as root on Linux: ``make image-check``. Everything that a test here runs has no network."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import ffmpeg
import numpy as np
import pytest
from numpy.typing import NDArray

from tests.container.sandbox import Container, Image
from tests.oracle import look

pytestmark = pytest.mark.image

PRESET = """\
scale = 2
encoder = "ffv1"
container = "mkv"
"""
BY_PRESET = {"RFDN_BATCH_PRESET": "/presets/mine.toml"}
WATCHING = BY_PRESET | {"RFDN_BATCH_SETTLE": "1"}
PATIENCE = 120.0
PAGES = {"": "<html", "status.js": "fetch", "status.json": '"alive": true', "healthz": "ok", "metrics": "rfdn"}

type Result = Callable[[Path], None]


@pytest.fixture(scope="module")
def image(request: pytest.FixtureRequest) -> Iterator[Image]:
    name = request.config.getoption("--image")
    if name is None:
        pytest.fail("--image NAME: say which image")
    with Image.mounted(name) as mounted:
        yield mounted


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Has in, out and presets, as they would be mounted; out is the user's."""
    for name in ("in", "out", "presets"):
        (tmp_path / name).mkdir(mode=0o755)
    os.chown(tmp_path / "out", 1000, 1000)
    (tmp_path / "presets" / "mine.toml").write_text(PRESET)
    return tmp_path


@pytest.fixture(scope="module")
def clip(ffmpeg: Callable[..., bytes], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight pictures of 96x64, at 10 a second, with sound."""
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    sources = ("-f", "lavfi", "-i", "testsrc=size=96x64:rate=10:d=0.8", "-f", "lavfi", "-i", "sine=d=0.8")
    ffmpeg(*sources, "-pix_fmt", "yuv420p", "-c:v", "libx264", "-c:a", "aac", path)
    return path


@pytest.fixture(scope="module")
def is_right(clip: Path, command_line: Callable[..., object], tmp_path_factory: pytest.TempPathFactory) -> Result:
    """Fails unless a result has the clip's times and sound, and within a code value the pictures computed here."""
    folder = tmp_path_factory.mktemp("here")
    (folder / "mine.toml").write_text(PRESET)
    ours = folder / "ours.mkv"
    command_line(clip, "-o", ours, "--preset", folder / "mine.toml", "--engine", "torch")
    source, expected = look(clip), _planes(ours)

    def check(result: Path) -> None:
        seen = look(result)
        assert (seen.stream["width"], seen.stream["height"]) == (192, 128)
        assert [round(t, 2) for t in seen.times] == [round(t, 2) for t in source.times]
        assert [packet for _, packet in seen.audio] == [packet for _, packet in source.audio]
        planes = _planes(result)
        assert planes.shape == expected.shape
        assert np.abs(planes.astype(int) - expected).max() <= 1

    return check


def _planes(path: Path) -> NDArray[np.uint8]:
    raw, _ = ffmpeg.input(str(path)).output("pipe:", format="rawvideo").run(capture_stdout=True, quiet=True)
    return np.frombuffer(raw, np.uint8)


def _until(condition: Callable[[], bool], container: Container) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "nothing came of it"
        assert container.process.poll() is None, container.process.communicate()[1]
        time.sleep(0.2)


def test_by_default_it_watches_is_healthy_and_ends_when_it_is_told_to(
    image: Image, folder: Path, clip: Path, is_right: Result
) -> None:
    result = folder / "out" / "clip_x2.mkv"
    with image.running(folder, environment=WATCHING) as container:
        _until(container.is_healthy, container)
        (folder / "in" / "clip.mp4").write_bytes(clip.read_bytes())
        _until(result.exists, container)
        assert container.is_healthy()
        code, complaints = container.stop()
    assert (code, complaints) == (143, "rfdn-video: interrupted; the same command goes on with what was begun\n")
    is_right(result)
    assert (result.stat().st_uid, result.stat().st_gid) == (1000, 1000)


def test_told_to_end_in_the_middle_of_a_file_it_leaves_nothing_half_done(
    image: Image, folder: Path, ffmpeg: Callable[..., bytes]
) -> None:
    ffmpeg("-f", "lavfi", "-i", "testsrc=size=640x360:rate=25:d=20", "-c:v", "libx264", folder / "in" / "long.mp4")
    with image.running(folder, environment=WATCHING) as container:
        staged = folder / "out" / ".rfdn-batch" / "work"
        _until(lambda: any(path.is_file() for path in staged.rglob("*")), container)
        code, _ = container.stop()
    assert code == 143
    assert [path.name for path in (folder / "out").iterdir()] == [".rfdn-batch"]


def test_a_job_ends_and_is_not_done_again(image: Image, folder: Path, clip: Path, is_right: Result) -> None:
    (folder / "in" / "clip.mp4").write_bytes(clip.read_bytes())
    job = ["batch", "/in", "-o", "/out", "--json"]
    for event in ("finished", "skipped"):
        with image.running(folder, job, BY_PRESET) as container:
            output, complaints = container.process.communicate(timeout=PATIENCE)
        assert container.process.returncode == 0, complaints
        assert f'"event": "{event}"' in output
    is_right(folder / "out" / "clip_x2.mkv")


def test_it_shows_its_status_where_it_is_asked_to(image: Image, folder: Path) -> None:
    fetch = "import sys, urllib.request; print(urllib.request.urlopen(sys.argv[1]).read().decode())"
    with image.running(folder, environment={"RFDN_BATCH_SERVE": "0.0.0.0:8080"}) as container:
        _until(container.is_healthy, container)
        for path, words in PAGES.items():
            assert words in container.execute("python", "-c", fetch, f"http://127.0.0.1:8080/{path}").stdout, path
        assert container.stop()[0] == 143


def test_a_single_file_without_a_place_for_temporary_files(
    image: Image, folder: Path, clip: Path, is_right: Result
) -> None:
    (folder / "in" / "clip.mp4").write_bytes(clip.read_bytes())
    job = ["/in/clip.mp4", "-o", "/out/", "--preset", "/presets/mine.toml"]
    with image.running(folder, job, tmpfs=False) as container:
        code, complaints = container.wait()
    assert code == 0, complaints
    is_right(folder / "out" / "clip_x2.mkv")


def test_without_the_gpu_that_is_required_it_ends_before_a_file_comes(image: Image, folder: Path) -> None:
    with image.running(folder, environment={"RFDN_REQUIRE_GPU": "1"}) as container:
        code, complaints = container.wait()
    assert code == 6
    assert complaints.startswith("rfdn-video: no GPU")


@pytest.mark.parametrize("ended", [False, True])
def test_without_a_batch_it_is_not_healthy(image: Image, folder: Path, ended: bool) -> None:
    if ended:
        with image.running(folder, ["batch", "/in", "-o", "/out"]) as container:
            assert container.wait()[0] == 0
    with image.running(folder, ["60"], entrypoint=["sleep"]) as container:
        assert not container.is_healthy()


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        ("id -u; id -g", "1000\n1000\n"),
        ("touch /opt/rfdn-video/a /in/a 2>&1 | grep -c 'Read-only file system'", "2\n"),
        ("grep -E 'Cap(Prm|Eff|Bnd)' /proc/self/status | cut -f 2 | uniq", "0000000000000000\n"),
        ("grep -c : /proc/net/dev", "1\n"),  # itself only
        ("cat /proc/1/comm", "tini\n"),
        ("rfdn-video models | grep -cE '^e-rfdn +x2 +(clean|video)'", "2\n"),
    ],
)
def test_what_it_is_given(image: Image, folder: Path, command: str, answer: str) -> None:
    with image.running(folder, [command], entrypoint=["tini", "--", "sh", "-c"]) as container:
        output, complaints = container.process.communicate(timeout=PATIENCE)
    assert (output, complaints) == (answer, "")
