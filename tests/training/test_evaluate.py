"""Evaluation: the authors' published quality, and the command's formats and refusals."""

from __future__ import annotations

import csv
import io
import json
from argparse import ArgumentParser
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from rfdn_video.cli import eval as eval_command
from rfdn_video.errors import InputError, ModelError, UsageError
from rfdn_video.models.catalog import BUNDLED
from rfdn_video.models.weights import load_weights
from rfdn_video.training.evaluate import evaluate, find_pairs, interpolator, network_enlarger
from rfdn_video.training.imresize import imresize

CPU = torch.device("cpu")


def authors_psnr(shared: Path, test_set: str) -> float:
    weights = load_weights(shared / "weights" / "RFDN_AIM.pth")
    enlarge = network_enlarger(weights.build(), weights.pixel_range, CPU)
    return evaluate("authors", enlarge, find_pairs(shared / "data" / test_set, 4), 4).mean.psnr_y


@pytest.mark.shared
def test_the_authors_checkpoint_reaches_its_psnr_on_set5(shared: Path) -> None:
    assert authors_psnr(shared, "Set5") == pytest.approx(32.16, abs=0.01)


@pytest.mark.shared
@pytest.mark.slow
def test_the_authors_checkpoint_reaches_its_psnr_on_bsd100(shared: Path) -> None:
    assert authors_psnr(shared, "BSD100") == pytest.approx(27.61, abs=0.01)


@pytest.mark.shared
def test_the_bundled_clean_weights_reach_what_the_catalogue_says(shared: Path) -> None:
    bundled = next(b for b in BUNDLED if (b.tune, b.scale) == ("clean", 2))
    weights = load_weights(bundled.path)
    enlarge = network_enlarger(weights.build(), weights.pixel_range, CPU)
    psnr = evaluate("x", enlarge, find_pairs(shared / "data" / "Set5", 2), 2).mean.psnr_y
    assert round(psnr, 2) == dict(bundled.psnr_y)["Set5"]


class Lopsided(nn.Module):
    """Enlarges by repeating pixels, and brightens the left column only."""

    def forward(self, image: Tensor) -> Tensor:
        output = image.repeat_interleave(2, 2).repeat_interleave(2, 3)
        return torch.cat((output[..., :1] + 0.8, output[..., 1:]), dim=3)


def test_the_self_ensemble_is_the_mean_over_flips_and_turns() -> None:
    low = np.full((4, 4, 3), 51, np.uint8)
    output = network_enlarger(Lopsided(), 1.0, CPU, self_ensemble=True)(low)
    # Two of the eight views have each side on the left: 0.8 * 2 / 8 of 255 is 51; a corner gets it twice.
    assert output[0, 0].tolist() == [153, 153, 153]
    assert output[0, 3].tolist() == [102, 102, 102]
    assert output[3, 7].tolist() == [102, 102, 102]
    assert output[3, 3].tolist() == [51, 51, 51]


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Two smooth pictures, 49x37 (no multiple of a scale) and 64x48."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    for i, (height, width) in enumerate(((37, 49), (48, 64))):
        y, x = np.mgrid[:height, :width]
        image = np.stack((x * 4, y * 5, (x + y) * 2), axis=2).clip(0, 255).astype(np.uint8)
        Image.fromarray(image).save(folder / f"picture{i}.png")
    return folder


def run_eval(*arguments: object) -> int:
    parser = ArgumentParser()
    eval_command.add_arguments(parser)
    return eval_command.execute(parser.parse_args([str(argument) for argument in arguments]))


def test_json_has_means_and_each_image(pictures: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_eval(pictures, "-s", 2, "--tune", "clean", "--json") == 0
    content = json.loads(capsys.readouterr().out)
    assert [result["name"].split()[0] for result in content["results"]] == ["bicubic", "lanczos", "e-rfdn", "rfdn"]
    for result in content["results"]:
        assert set(result["images"]) == {"picture0", "picture1"}
        for metric in ("psnr_y", "ssim_y", "psnr_rgb", "ssim_rgb"):
            values = [image[metric] for image in result["images"].values()]
            assert result[metric] == pytest.approx(sum(values) / 2)
    assert content["results"][2]["psnr_y"] > 30


def test_json_has_null_for_an_infinite_psnr(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Of a flat picture, and then of the mean."""
    Image.new("RGB", (32, 32), (90, 90, 90)).save(tmp_path / "flat.png")
    assert run_eval(tmp_path, "-s", 2, "--tune", "video", "--json") == 0
    bicubic = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)["results"][0]
    assert bicubic["psnr_y"] is bicubic["images"]["flat"]["psnr_y"] is None
    assert bicubic["ssim_y"] == 1


def test_images_that_share_a_stem_all_count(pictures: Path) -> None:
    Image.new("RGB", (64, 48)).save(pictures / "picture1.bmp")
    pairs = find_pairs(pictures, 2)
    assert [pair.name for pair in pairs] == ["picture0.png", "picture1.bmp", "picture1.png"]
    assert len(evaluate("bicubic", interpolator(2, "bicubic"), pairs, 2).images) == 3


def test_of_partners_that_share_a_stem_suffixes_are_equal(pictures: Path) -> None:
    pictures.rename(pictures.parent / "HR")
    folder, lows = pictures.parent, pictures.parent / "LR"
    lows.mkdir()
    Image.new("RGB", (64, 48)).save(folder / "HR/picture1.bmp")
    for name in ("picture0.bmp", "picture1.bmp"):
        Image.new("RGB", (32, 24)).save(lows / name)
    with pytest.raises(InputError, match=r"picture1\.png: no image of that name"):
        find_pairs(folder, 2)
    Image.new("RGB", (32, 24)).save(lows / "picture1x2.png")
    names = [(pair.high.name, pair.low.name) for pair in find_pairs(folder, 2) if pair.low]
    assert names == [
        ("picture0.png", "picture0.bmp"),
        ("picture1.bmp", "picture1.bmp"),
        ("picture1.png", "picture1x2.png"),
    ]
    Image.new("RGB", (32, 24)).save(lows / "picture1.png")
    with pytest.raises(InputError, match=r"picture1\.png and picture1x2\.png in .*LR are both of its name; leave one"):
        find_pairs(folder, 2)


@pytest.mark.parametrize(("scale", "least"), [(2, 16), (3, 18), (4, 20)])
def test_an_image_too_small_to_be_scored_is_refused(tmp_path: Path, scale: int, least: int) -> None:
    """SSIM's window must fit within the borders that are cut off."""
    path = tmp_path / "small.png"
    for width in (1, least - 1):
        Image.new("RGB", (width, 40)).save(path)
        with pytest.raises(InputError, match=rf"small\.png: {width}x40 pixels; {least} or more a side .* at x{scale}"):
            find_pairs(tmp_path, scale)[0].load(scale)
    Image.new("RGB", (least, 40)).save(path)
    evaluate("bicubic", interpolator(scale, "bicubic"), find_pairs(tmp_path, scale), scale)


def test_weights_of_two_trainings_have_names_of_their_own(
    pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runs = [tmp_path / run / "best.safetensors" for run in ("a", "b")]
    for path, bundled in zip(runs, BUNDLED, strict=False):
        path.parent.mkdir()
        path.symlink_to(bundled.path)
    assert run_eval(pictures, "-s", 2, "-w", *runs) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [" ".join(line.split()[:2]) for line in lines[-2:]] == ["e-rfdn a/best", "e-rfdn b/best"]


def test_csv_has_a_row_for_each_image(pictures: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_eval(pictures, "-s", 3, "--csv") == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [(row["method"], row["image"]) for row in rows] == [
        (method, image)
        for method in ("bicubic", "lanczos", "e-rfdn e-rfdn_x3_clean")
        for image in ("picture0", "picture1", "mean")
    ]


def test_an_image_called_mean_is_an_image_like_others(pictures: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (pictures / "picture0.png").rename(pictures / "mean.png")
    assert run_eval(pictures, "-s", 3, "--csv") == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))[:3]
    assert [row["image"] for row in rows] == ["mean", "picture1", "mean"]
    images, mean = [float(row["psnr_y"]) for row in rows[:2]], float(rows[2]["psnr_y"])
    assert mean == pytest.approx(sum(images) / 2, abs=1e-5)


def test_markdown_stands_beside_the_published_numbers(pictures: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pictures.rename(pictures.parent / "Set5")
    assert run_eval(pictures.parent / "Set5", "-s", 4, "--markdown") == 0
    table = capsys.readouterr().out
    assert "| method | scale | parameters | Set5 |" in table
    assert "| rfdn (published) | x4 | | 32.24/0.8952 |" in table


def test_low_resolution_images_are_taken_from_their_folder(pictures: Path) -> None:
    highs, lows = pictures / "HR", pictures / "LR"
    highs.mkdir()
    lows.mkdir()
    for path in pictures.glob("*.png"):
        path.rename(highs / path.name)
    Image.fromarray(np.zeros((18, 24, 3), np.uint8)).save(lows / "picture0.png")
    with pytest.raises(InputError, match="picture1"):
        find_pairs(pictures, 2)
    Image.fromarray(np.zeros((9, 9, 3), np.uint8)).save(lows / "picture1x2.png")
    first, second = find_pairs(pictures, 2)
    low, high = first.load(2)
    assert high.shape == (36, 48, 3)
    assert low.shape == (18, 24, 3)
    assert not low.any()
    Image.fromarray(np.zeros((19, 25, 3), np.uint8)).save(lows / "picture0.png")  # rounded up, as MATLAB does
    assert [image.shape for image in first.load(2)] == [(18, 24, 3), (36, 48, 3)]
    with pytest.raises(InputError, match="9x9"):
        second.load(2)


def test_without_a_folder_for_them_they_are_made(pictures: Path) -> None:
    low, high = find_pairs(pictures, 3)[0].load(3)
    assert high.shape == (36, 48, 3)
    np.testing.assert_array_equal(low, imresize(high, 1 / 3))


def test_what_cannot_be_evaluated_is_refused(pictures: Path) -> None:
    with pytest.raises(UsageError, match="x2, not x4"):
        run_eval(pictures, "-s", 4, "-w", BUNDLED[0].path)
    with pytest.raises(ModelError, match="x3"):
        run_eval(pictures, "-s", 3, "--tune", "video")
    with pytest.raises(InputError, match="no such folder"):
        run_eval(pictures / "nowhere", "-s", 2)
