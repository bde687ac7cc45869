"""Training pairs: low and high belong together, and a batch depends on seed and step alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from rfdn_video.errors import InputError
from rfdn_video.training.data import PairCache, Prefetcher, open_cache, write_cache
from rfdn_video.training.images import read_image
from rfdn_video.training.imresize import RGB8
from rfdn_video.training.recipe import Recipe
from rfdn_video.training.sources import cache_name, find_sources, prepare_cache


@pytest.fixture
def cache(tmp_path: Path) -> PairCache:
    """Two pairs of different sizes at x3 in which high repeats low's pixels, so that both can be compared."""
    random = np.random.default_rng(1)
    lows = [random.integers(0, 256, (h, w, 3), np.uint8) for h, w in ((12, 17), (20, 11))]
    write_cache(tmp_path / "cache", [(low, low.repeat(3, 0).repeat(3, 1)) for low in lows])
    return open_cache(tmp_path / "cache", 3)


def test_patches_of_low_and_high_show_the_same_place(cache: PairCache) -> None:
    seen = set()
    for step in range(20):
        low, high = cache.batch(0, step, 4, 9)
        np.testing.assert_array_equal(high[:, :, ::3, ::3], low)
        np.testing.assert_array_equal(high[:, :, 2::3, 1::3], low)
        seen |= {patch.numpy().tobytes() for patch in low}
    assert len(seen) > 60


def test_a_batch_depends_on_seed_and_step_alone(cache: PairCache) -> None:
    again = Prefetcher(cache, seed=7, size=4, patch=8, first=5)
    for step in (5, 6, 7):
        np.testing.assert_array_equal(next(again)[0], cache.batch(7, step, 4, 8)[0])
    again.close()
    assert (cache.batch(7, 5, 4, 8)[0] != cache.batch(8, 5, 4, 8)[0]).any()


def test_processes_share_a_batch_out(cache: PairCache) -> None:
    shares = []
    for rank in (0, 1):
        loader = Prefetcher(cache, seed=1, size=6, patch=8, first=0, rank=rank, world=2)
        shares.append(next(loader)[1])
        loader.close()
    np.testing.assert_array_equal(np.concatenate(shares), cache.batch(1, 0, 6, 8)[1])


def test_images_smaller_than_a_patch_are_left_out(cache: PairCache) -> None:
    low, _ = cache.batch(0, 0, 16, 12)
    assert low.shape == (16, 3, 12, 12)  # from the 12x17 image; the other is 11 wide
    with pytest.raises(InputError, match="96 pixels"):
        cache.batch(0, 0, 1, 32)


def test_whoever_has_prepared_the_same_data_first_is_kept(cache: PairCache, tmp_path: Path) -> None:
    before = [cache.low.tobytes(), cache.high.tobytes()]
    write_cache(tmp_path / "cache", [(np.zeros((8, 8, 3), np.uint8), np.zeros((24, 24, 3), np.uint8))])
    again = open_cache(tmp_path / "cache", 3)
    assert [again.low.tobytes(), again.high.tobytes()] == before
    assert [path.name for path in tmp_path.iterdir()] == ["cache"]


def test_gray_of_16_bits_is_not_cut_off(tmp_path: Path) -> None:
    ramp = (np.arange(256, dtype=np.uint16) * 257).reshape(16, 16)
    Image.fromarray(ramp).save(tmp_path / "ramp.png")
    np.testing.assert_array_equal(read_image(tmp_path / "ramp.png"), (ramp // 257)[..., None].repeat(3, 2))
    Image.fromarray(ramp.astype(np.float32)).save(tmp_path / "ramp.tif")
    with pytest.raises(InputError, match="32 bits"):
        read_image(tmp_path / "ramp.tif")


def test_a_cache_is_made_once_and_again_when_the_data_change(photographs: Path, recipe: Recipe, tmp_path: Path) -> None:
    made: list[int] = []
    caches = tmp_path / "caches"
    for _ in range(2):
        prepare_cache(find_sources([photographs]), recipe, caches, made.append)
    assert made == [1, 2, 3, 4]
    (photographs / "0.png").unlink()
    assert len(prepare_cache(find_sources([photographs]), recipe, caches, made.append).index) == 3
    prepare_cache(find_sources([photographs]), replace(recipe, scale=3), caches, made.append)
    assert len(list(caches.iterdir())) == 3


def test_a_cache_that_failed_leaves_nothing(photographs: Path, recipe: Recipe, tmp_path: Path) -> None:
    (photographs / "9.png").write_bytes(b"not a picture")
    with pytest.raises(InputError, match=r"9\.png"):
        prepare_cache(find_sources([photographs]), recipe, tmp_path / "caches", lambda _: None)
    assert list((tmp_path / "caches").iterdir()) == []


def test_nothing_to_train_on_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no image or video"):
        find_sources([tmp_path])
    with pytest.raises(InputError, match="no such file"):
        find_sources([tmp_path / "nowhere"])


def test_the_same_files_are_the_same_data_however_they_are_named(
    photographs: Path, recipe: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(photographs.parent)
    relative = find_sources([Path(photographs.name)])
    assert cache_name(relative, recipe) == cache_name(find_sources([photographs]), recipe)


def test_data_that_give_no_pair_are_refused_and_nothing_is_kept(recipe: Recipe, tmp_path: Path) -> None:
    source = tmp_path / "dot.png"
    Image.new("RGB", (1, 1)).save(source)
    for _ in range(2):
        with pytest.raises(InputError, match="no training pair"):
            prepare_cache([source], recipe, tmp_path / "caches", lambda _: None)
    assert list((tmp_path / "caches").iterdir()) == []


def test_an_empty_cache_of_an_older_version_is_said(tmp_path: Path) -> None:
    for name in ("low.u8", "high.u8"):
        (tmp_path / name).touch()
    np.save(tmp_path / "index.npy", np.zeros((0, 3), np.int64))
    with pytest.raises(InputError, match="remove it"):
        open_cache(tmp_path, 2)


PAIR = (np.zeros((8, 8, 3), np.uint8), np.zeros((16, 16, 3), np.uint8))


def test_what_a_killed_preparation_left_is_removed_and_what_is_being_written_stays(tmp_path: Path) -> None:
    (tmp_path / ".unfinished-of_a_killed_one").mkdir()

    def pairs() -> Iterator[tuple[RGB8, RGB8]]:
        yield PAIR
        write_cache(tmp_path / "other", [PAIR])  # as another process does at the same time
        yield PAIR

    write_cache(tmp_path / "mine", pairs())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine", "other"]
    assert len(open_cache(tmp_path / "mine", 2).index) == 2
