"""What all tests share: the switches, the shared material, made clips, and tiny networks."""

from __future__ import annotations

import gc
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import torch
from safetensors.torch import save_file

from rfdn_video.inference.vectors import VARIABLE
from rfdn_video.models.rfdn import RFDN, RFDNConfig
from tests.command import run_forked
from tests.networks import nearest_state

# Tests share processes, where fp32 and bf16 alternate; tests/inference/test_vectors.py has some of its own.
os.environ.setdefault(VARIABLE, "DEFAULT")

if TYPE_CHECKING:
    from playwright.sync_api import Browser

SHARED = Path(__file__).parent.parent.parent / "shared"
UNTRIED = "the pages were NOT tried in a browser"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--require-cuda", action="store_true", help="fail where no CUDA device is there, instead of skipping"
    )
    parser.addoption(
        "--require-shared", action="store_true", help="fail where ../shared is absent, instead of skipping"
    )
    parser.addoption("--image", metavar="NAME", help="what the tests marked image run: see make image-check")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--require-cuda") or torch.cuda.is_available():
        return
    skip = pytest.mark.skip(reason="no CUDA device (--require-cuda makes this a failure)")
    for item in items:
        if "cuda" in item.keywords:
            item.add_marker(skip)


def pytest_collection_finish() -> None:
    """Every upscaler collects garbage; what thousands of tests are made of is none, and takes long to look through."""
    gc.collect()
    gc.freeze()


def pytest_itemcollected(item: pytest.Item) -> None:
    """``-k fault_07`` chooses the tests that bear this number."""
    numbers = (number for mark in item.iter_markers("fault") for number in mark.args)
    item.extra_keyword_matches.update(f"fault_{number:02}" for number in numbers)


@pytest.fixture(scope="session")
def shared(request: pytest.FixtureRequest) -> Path:
    """The folder of clips, data and the authors' checkpoint."""
    if not SHARED.is_dir():
        if request.config.getoption("--require-shared"):
            pytest.fail("../shared is absent, and --require-shared was given")
        pytest.skip("../shared (clips, data, the authors' checkpoint) is absent")
    return SHARED


@pytest.fixture(scope="session")
def ffmpeg() -> Callable[..., bytes]:
    """Runs the ffmpeg command line, the oracle of many tests; gives its standard output."""
    program = shutil.which("ffmpeg")
    if program is None:
        pytest.skip("the ffmpeg command line is absent; it is the oracle of this test")

    def run(*arguments: str | Path) -> bytes:
        command = [program, "-v", "error", "-nostdin", "-y", *map(str, arguments)]
        return subprocess.run(command, capture_output=True, check=True).stdout

    return run


@pytest.fixture(scope="session")
def nearest_weights(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], Path]:
    """Weights files of tiny networks whose result is the source with every pixel repeated, exactly."""

    def make(scale: int) -> Path:
        path = tmp_path_factory.mktemp("weights") / f"nearest_x{scale}.safetensors"
        save_file(nearest_state(scale), path, {"pixel_range": "1.0"})
        return path

    return make


@pytest.fixture(scope="session")
def nearest_x2(nearest_weights: Callable[[int], Path]) -> Path:
    """See :func:`nearest_weights`."""
    return nearest_weights(2)


@pytest.fixture(scope="session")
def attentive_x2(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny network with attention that differs from place to place; it sees 36 to 50 rows around."""
    torch.manual_seed(2)
    network = RFDN(RFDNConfig(2, channels=4, blocks=1, distilled=2))
    state = {n: (p * 3 if ".esa." in n else p).detach().clone() for n, p in network.state_dict().items()}
    path = tmp_path_factory.mktemp("weights") / "attentive_x2.safetensors"
    save_file(state, path, {"pixel_range": "1.0"})
    return path


@pytest.fixture
def refused(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., None]:
    """In a folder, a command ends with this code and one line that has these words, and leaves every file as it is."""

    def check(folder: Path, arguments: list[str], code: int, words: str) -> None:
        from rfdn_video.cli.main import main

        def contents() -> dict[Path, bytes]:
            return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}

        monkeypatch.chdir(folder)
        before = contents()
        assert main(arguments) == code
        error = capsys.readouterr().err
        assert words in error
        assert len(error.splitlines()) == 1
        assert contents() == before

    return check


@pytest.fixture(scope="session")
def command_line() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs ``rfdn-video`` as a user would, in a process of its own, in a folder (``cwd``)."""

    def run(*arguments: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        words = [*map(str, arguments)]
        if words[:1] != ["batch"] and "--ray" not in words:
            return run_forked(words, cwd or Path.cwd())
        # These make processes of their own, which must find the real command.
        command = [sys.executable, "-m", "rfdn_video", *words]
        return subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd)

    return run


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser | Any]:
    """A headless Chromium for the pages; skips, with the reason, where there is none."""
    api = pytest.importorskip("playwright.sync_api", reason=f"playwright is absent: {UNTRIED}")
    program = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if program is None:
        pytest.skip(f"no Chromium on the PATH: {UNTRIED}")
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program, args=["--no-sandbox", "--force-color-profile=srgb"]
        )
        yield browser
        browser.close()
