"""The status page in a real browser: a running and a failed file, pictures, both sizes, nothing from elsewhere."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from rfdn_video.batch.ledger import ledger_path
from rfdn_video.batch.staging import staging_path, thumbnail_path

EVIL = "<img src=x onerror=alert(1)> & a name_without_any_place_to_break_it_that_is_longer_than_the_window.mp4"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, clip: Callable[..., bytes], nearest_x2: Path) -> Iterator[str]:
    """A batch at work, held in the middle of a file: one is done, one failed, one runs, one waits."""
    folder, out = tmp_path_factory.mktemp("in"), tmp_path_factory.mktemp("out")
    files = {"a.mp4": clip(4), f"b{EVIL}": b"words", f"c{EVIL}": clip(600), "d.mp4": clip(4)}
    for name, content in files.items():
        (folder / name).write_bytes(content)
    command = [
        sys.executable,
        "-m",
        "rfdn_video",
        "batch",
        folder,
        "-o",
        out,
        "--serve",
        "0",
        "--json",
        "-w",
        nearest_x2,
    ]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    with subprocess.Popen(
        [*map(str, command), "--engine", "torch"], stdout=subprocess.PIPE, env=environment
    ) as process:
        events = (json.loads(line) for line in process.stdout or ())
        url = next(event["url"] for event in events if event["event"] == "serving")
        entry = next(event for event in events if event["event"] == "progress" and event["total"] == 600)
        picture = thumbnail_path(staging_path(ledger_path(out).parent, entry["id"]), "after")
        next(event for event in events if event["frames"] and picture.exists())
        children = subprocess.run(
            ["pgrep", "-P", str(process.pid), "-f", "spawn_main"], capture_output=True, check=True
        )
        worker = int(children.stdout.split()[0])
        os.kill(worker, signal.SIGSTOP)
        try:
            yield url
        finally:
            os.kill(worker, signal.SIGKILL)
            process.kill()


@pytest.fixture(params=[(1280, 900, 1), (390, 844, 2)], ids=["1280", "390"])
def page(request: pytest.FixtureRequest, browser: Any, served: str) -> Iterator[Any]:
    """The page in a window of this size; at the end it must not have complained, nor asked anybody else."""
    width, height, ratio = request.param
    context = browser.new_context(viewport={"width": width, "height": height}, device_scale_factor=ratio)
    page = context.new_page()
    complaints: list[str] = []
    hosts: set[str] = set()
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("dialog", lambda dialog: complaints.append(dialog.message))
    page.on("request", lambda request: hosts.add(urlsplit(request.url).netloc))
    page.goto(served)
    page.wait_for_selector("#running li")
    yield page
    context.close()
    assert complaints == []
    assert hosts - {""} == {urlsplit(served).netloc}


def test_what_runs_failed_waits_and_is_done(page: Any) -> None:
    card = page.locator("#running li")
    assert card.locator(".name").inner_text().startswith(f"c{EVIL}")
    assert "of 600" in card.locator("p").inner_text()
    assert "cpu (worker 0)" in card.locator("p").inner_text()
    assert 0 < card.locator("progress").evaluate("element => element.value") < 1
    failed = page.locator("#failed tbody tr")
    assert failed.locator(".name").inner_text().startswith(f"b{EVIL}")
    assert "Replace the source" in failed.inner_text()
    assert failed.locator(".bad").inner_text() != ""
    assert page.locator("#queued .name").inner_text().startswith("d.mp4")
    done = page.locator("#done tbody tr")
    assert "a_x2.mp4" in done.inner_text()
    assert "kB → " in done.inner_text()
    assert page.locator("#counts dt").all_inner_texts() == ["finished", "failed", "running", "waiting"]
    assert page.locator("#counts dd").all_inner_texts() == ["1"] * 4
    assert page.locator("#state").inner_text().startswith("at work since")
    assert 0 < page.locator("#overall").evaluate("element => element.value") < 1


def test_both_pictures_are_seen(page: Any) -> None:
    images = page.locator("#running img")
    images.evaluate_all("images => Promise.all(images.map((image) => image.decode()))")
    sizes = images.evaluate_all("images => images.map((image) => [image.naturalWidth, image.naturalHeight])")
    assert sizes == [[64, 48], [128, 96]] * 2
    assert all(image.is_visible() and image.bounding_box()["width"] > 100 for image in images.all())
    texts = page.locator("#running figcaption").all_inner_texts()
    assert texts == ["before", "after", "its middle before, every pixel larger", "its middle after"]


def test_nothing_is_wider_than_the_window(page: Any) -> None:
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    for row in page.locator("#failed td, #queued td, #done td, #running li *").all():
        box = row.bounding_box()
        assert box["x"] + box["width"] <= page.viewport_size["width"], row.inner_text()


def test_it_is_a_table_for_who_cannot_see_it(page: Any) -> None:
    table = page.get_by_role("table", name="Failed")
    assert table.get_by_role("columnheader").all_text_contents() == ["File", "Why", "What to do"]
    assert table.get_by_role("row").count() == 2
    assert table.get_by_role("cell").count() == 3
    assert page.get_by_role("progressbar").count() == 2
    assert page.locator("#running img").first.get_attribute("alt") == "a recent frame, before"


def test_dark_and_light(browser: Any, served: str) -> None:
    grounds = []
    for scheme in ("light", "dark"):
        context = browser.new_context(color_scheme=scheme)
        page = context.new_page()
        page.goto(served)
        grounds.append(page.evaluate("getComputedStyle(document.body).backgroundColor"))
        context.close()
    assert grounds == ["rgb(250, 249, 246)", "rgb(29, 28, 33)"]


def test_it_follows_and_says_when_nobody_answers(browser: Any, served: str) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.goto(served)
    page.wait_for_selector("#running li")
    status = page.evaluate("fetch('status.json').then((answer) => answer.json())")
    status["running"][0] |= {"frames": 300, "fps": 7.25, "eta_seconds": 3725}
    page.route("**/status.json", lambda route: route.fulfill(json=status))
    page.locator("#running p", has_text="frame 300 of 600").wait_for()
    assert "7.25 frames/s · 1:02:05 left" in page.locator("#running p").inner_text()
    page.unroute("**/status.json")
    context.set_offline(True)
    page.locator("#state", has_text="does not answer").wait_for()
    assert page.locator("#running li").is_visible(), "what was last known stays"
    context.close()


def test_without_scripts_it_says_where_to_look(browser: Any, served: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(served)
    assert "rfdn-video batch status" in page.locator("noscript").inner_text()
    context.close()
