"""The page in a real browser: the divider moves, both sides are the right pictures, keys work, nothing is loaded."""

from __future__ import annotations

import io
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from rfdn_video.errors import OutputError
from rfdn_video.quality.crop_files import check_images, save_images
from rfdn_video.quality.page import render, time_text
from rfdn_video.quality.preview import View

COLORS = {"bicubic": (200, 30, 30), "Lanczos": (30, 160, 40), "ours": (40, 60, 210), '<b>"theirs"': (220, 200, 40)}
SIZE = (320, 200)


def view_of(name: str, time: float, difference: float, shade: int = 0) -> View:
    """Each layer has one colour, ``shade`` darker, with a white corner."""
    layers = {}
    for layer, color in COLORS.items():
        image = np.full((SIZE[1], SIZE[0], 3), [max(c - shade, 0) for c in color], np.uint8)
        image[:20, :20] = 255
        layers[layer] = image
    window = (slice(40, 140), slice(60, 220))
    thumbnail = np.full((60, 90, 3), 128, np.uint8)
    return View(Path(name), Fraction(time), (180, 320), window, layers, thumbnail, difference)


VIEWS = [view_of("a <film>.mp4", 0, 1.0), view_of("b.mp4", 61.25, 3.5, shade=25), view_of("c.mp4", 3725, 2.0)]


@pytest.fixture(scope="module")
def html(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "page.html"
    path.write_text(render(VIEWS, "a <film>.mp4, b.mp4, c.mp4", ["a remark & more"]), encoding="utf-8")
    return path


@pytest.fixture(params=[(1280, 900, 1), (390, 844, 2)], ids=["1280", "390"])
def page(request: pytest.FixtureRequest, browser: Any, html: Path) -> Iterator[Any]:
    """The page in a window of this size; at the end it must not have complained or asked for anything."""
    width, height, ratio = request.param
    context = browser.new_context(viewport={"width": width, "height": height}, device_scale_factor=ratio)
    page = context.new_page()
    complaints: list[str] = []
    requests: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: requests.append(request.url))
    page.goto(html.as_uri())
    yield page
    context.close()
    assert complaints == []
    assert [url for url in requests if not url.startswith("data:")] == [html.as_uri()]


def pixels(page: Any) -> NDArray[np.uint8]:
    """The stage as it is on the screen."""
    return np.asarray(Image.open(io.BytesIO(page.locator("#stage").screenshot())).convert("RGB"))


def shown(page: Any, share: float) -> str:
    """Which layer is to be seen at this share of the stage's width, below its middle."""
    image = pixels(page)
    color = image[int(image.shape[0] * 0.8), int(image.shape[1] * share)].astype(int)
    shade = 25 if page.locator("#caption").inner_text().startswith("b.mp4") else 0
    distances = {name: np.abs(np.maximum(np.array(c) - shade, 0) - color).max() for name, c in COLORS.items()}
    name = min(distances, key=lambda key: distances[key])
    assert distances[name] <= 2, f"{color} is no layer's colour"
    return name


def test_the_page_begins_with_the_crop_that_differs_most(page: Any) -> None:
    assert page.locator("#caption").inner_text() == "b.mp4, 1:01.2: 160x100 pixels at 60, 40"
    current = page.locator("#views [aria-current=true]").inner_text()
    assert " ".join(current.split()) == "1:01.2 differs most results differ by 3.50"
    assert page.locator("h1").inner_text() == "a <film>.mp4, b.mp4, c.mp4"
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_both_sides_are_the_right_pictures_and_the_divider_moves(page: Any) -> None:
    assert (shown(page, 0.3), shown(page, 0.7)) == ("bicubic", "ours")
    page.locator("#split").fill("80")
    assert (shown(page, 0.7), shown(page, 0.9)) == ("bicubic", "ours")
    box = page.locator("#stage").bounding_box()
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 0.8 * box["width"], middle)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.2 * box["width"], middle, steps=4)
    page.mouse.up()
    assert (shown(page, 0.1), shown(page, 0.3)) == ("bicubic", "ours")
    assert float(page.locator("#split").input_value()) == pytest.approx(20, abs=0.5)
    page.locator("#left").select_option("Lanczos")
    page.locator("#right").select_option('<b>"theirs"')
    assert (shown(page, 0.1), shown(page, 0.3)) == ("Lanczos", '<b>"theirs"')
    assert page.locator("#stage .name").all_inner_texts() == ["Lanczos", '<b>"theirs"']


def test_the_keys(page: Any) -> None:
    press = page.keyboard.press
    press("f")
    assert {shown(page, share) for share in (0.1, 0.9)} == {"bicubic"}
    press(" ")
    assert {shown(page, share) for share in (0.1, 0.9)} == {"ours"}
    for _ in range(10):
        press("ArrowRight")
    assert (shown(page, 0.65), shown(page, 0.75)) == ("bicubic", "ours")
    press("r")
    assert (shown(page, 0.65), shown(page, 0.75)) == ("bicubic", '<b>"theirs"')
    press("n")
    assert page.locator("#caption").inner_text().startswith("c.mp4, 1:02:05.0")
    press("n")
    assert page.locator("#caption").inner_text().startswith("a <film>.mp4")
    press("p")
    press("p")
    assert page.locator("#caption").inner_text().startswith("b.mp4")


def test_one_to_one_is_a_pixel_a_pixel_and_zoom_keeps_the_middle(page: Any) -> None:
    image = "document.querySelector('#stage img').getBoundingClientRect()"
    page.keyboard.press("1")
    assert page.locator("#zoom").inner_text() == "100 %"
    assert page.evaluate(f"{image}.width * devicePixelRatio") == pytest.approx(SIZE[0])
    middle = page.evaluate(f"{image}.x + {image}.width / 2")
    page.locator("#in").click()
    page.keyboard.press("+")
    assert page.locator("#zoom").inner_text() == "156 %"
    assert page.evaluate(f"{image}.x + {image}.width / 2") == pytest.approx(middle, abs=0.1)
    page.keyboard.press("0")
    box = page.locator("#stage").bounding_box()
    fitted = page.evaluate(f"[{image}.width, {image}.height]")
    assert fitted[0] == pytest.approx(box["width"], abs=1) or fitted[1] == pytest.approx(box["height"], abs=1)


def test_all_panes_move_in_step(page: Any) -> None:
    page.locator("#grid").click()
    assert page.locator("#stage .name").all_inner_texts() == list(COLORS)
    page.keyboard.press("1")
    places = """[...document.querySelectorAll('.pane')].map((pane) => {
        const [box, image] = [pane, pane.firstChild].map((each) => each.getBoundingClientRect());
        return [image.x - box.x, image.y - box.y, image.width].map(Math.round).join(); })"""
    before = page.evaluate(places)
    box = page.locator(".pane").nth(2).bounding_box()
    page.mouse.move(box["x"] + 60, box["y"] + 60)
    page.mouse.down()
    page.mouse.move(box["x"] + 90, box["y"] + 40, steps=3)
    page.mouse.up()
    after = page.evaluate(places)
    assert len(set(before)) == len(set(after)) == 1
    x, y, width = map(int, before[0].split(","))
    assert after[0] == f"{x + 30},{y - 20},{width}"
    page.mouse.wheel(0, -200)
    assert page.evaluate(places) == after, "the wheel alone scrolls the page"


def test_dark_and_light(browser: Any, html: Path) -> None:
    grounds = []
    for scheme in ("light", "dark"):
        context = browser.new_context(color_scheme=scheme)
        page = context.new_page()
        page.goto(html.as_uri())
        grounds.append(page.evaluate("getComputedStyle(document.body).backgroundColor"))
        context.close()
    assert grounds == ["rgb(250, 249, 246)", "rgb(29, 28, 33)"]


def test_without_scripts_all_pictures_are_there(browser: Any, html: Path) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(html.as_uri())
    assert page.locator(".layers img").first.is_visible()
    assert page.locator(".layers figcaption").all_inner_texts() == list(COLORS) * 3
    assert not page.locator("#viewer").is_visible()
    context.close()


def test_names_cannot_break_the_page(html: Path) -> None:
    text = html.read_text(encoding="utf-8")
    assert "<film>" not in text
    assert "<b>" not in text
    assert "http" not in text.replace('http-equiv="', "")


def test_the_crops_as_files(tmp_path: Path) -> None:
    paths = save_images(VIEWS, tmp_path, overwrite=False)
    assert len(paths) == len(set(paths)) == 12
    assert (tmp_path / "b_00061.250_bicubic.png") in paths
    np.testing.assert_array_equal(np.asarray(Image.open(paths[5])), VIEWS[1].layers["Lanczos"])
    with pytest.raises(FileExistsError):
        save_images(VIEWS, tmp_path, overwrite=False)
    save_images(VIEWS, tmp_path, overwrite=True)


def test_crops_of_files_of_one_name_have_names_of_their_own(tmp_path: Path) -> None:
    views = [view_of(f"{folder}/film.mkv", 0, 1.0, shade) for folder, shade in (("d1", 0), ("d2", 50))]
    check_images(tmp_path, [view.source for view in views], list(COLORS)[2:], overwrite=False)
    paths = save_images(views, tmp_path, overwrite=False)
    assert len(set(paths)) == 8
    for view, path in zip(views, (paths[0], paths[4]), strict=True):
        assert path.name == f"{view.source.parent}_film_00000.000_bicubic.png"
        np.testing.assert_array_equal(np.asarray(Image.open(path)), view.layers["bicubic"])


@pytest.mark.parametrize(
    ("sources", "way", "words"),
    [
        (["b.mp4"], "ours", r"b_00061\.250_.*: exists already"),
        (["new.mp4", "new.mp4"], "ours", "2 would have crops named new;"),
        (["x/y_b.mp4", "x_y/b.mp4", "z/b.mp4"], "ours", "2 would have crops named x_y_b;"),
        (["new.mp4"], "bicubic", "2 would have crops named bicubic;"),
    ],
)
def test_crops_that_could_not_be_written_are_refused(tmp_path: Path, sources: list[str], way: str, words: str) -> None:
    save_images(VIEWS, tmp_path, overwrite=False)
    with pytest.raises(OutputError, match=words):
        check_images(tmp_path, [Path(source) for source in sources], [way], overwrite=False)
    check_images(tmp_path, [VIEWS[1].source], ["ours"], overwrite=True)


def test_times_are_readable() -> None:
    assert [time_text(t) for t in (0, 59.96, 61.25, 3725)] == ["0:00.0", "1:00.0", "1:01.2", "1:02:05.0"]
