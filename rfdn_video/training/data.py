"""Training patches: pairs of images decoded once into a memory-mapped cache, and cut at random from it.

A batch is a function of the seed and the step alone, so that a training that was stopped goes on
with the very patches it would have seen.
"""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from rfdn_video.errors import InputError, OutputError
from rfdn_video.training.imresize import RGB8
from rfdn_video.training.unfinished import unfinished_folder

__all__ = ["Batch", "PairCache", "Prefetcher", "open_cache", "write_cache"]

type Batch = tuple[Tensor, Tensor]
"""Low [B, 3, p, p] and high [B, 3, s*p, s*p], uint8."""


@dataclass(frozen=True)
class PairCache:
    """Pairs of images in two flat files.

    Attributes:
        name: changes with whatever changes the pairs.
        scale: high's sides over low's.
        low, high: all pixels, one image after the other, uint8.
        index: of each pair (offset in ``low``, height, width); its offset in ``high`` is s*s times that.
    """

    name: str
    scale: int
    low: NDArray[np.uint8]
    high: NDArray[np.uint8]
    index: NDArray[np.int64]

    def batch(self, seed: int, step: int, size: int, patch: int) -> Batch:
        """Cuts ``size`` patches of ``patch`` low-resolution pixels, flipped and turned at random.

        Raises:
            InputError: no image is as large as a patch.
        """
        usable = self.index[(self.index[:, 1:] >= patch).all(axis=1)]
        if not len(usable):
            raise InputError(f"no image holds a patch of {patch * self.scale} pixels a side; give larger ones")
        random = np.random.default_rng([seed, step])
        lows, highs = zip(*(self._patch(random, usable, patch) for _ in range(size)), strict=True)
        return torch.from_numpy(np.stack(lows)), torch.from_numpy(np.stack(highs))

    def _patch(self, random: np.random.Generator, usable: NDArray[np.int64], patch: int) -> tuple[RGB8, RGB8]:
        offset, height, width = (int(value) for value in usable[random.integers(len(usable))])
        top, left = int(random.integers(height - patch + 1)), int(random.integers(width - patch + 1))
        turns, flip = int(random.integers(4)), bool(random.integers(2))
        low = _cut(self.low, offset, width, height, top, left, patch)
        s = self.scale
        high = _cut(self.high, offset * s * s, width * s, height * s, top * s, left * s, patch * s)
        return _turn(low, turns, flip), _turn(high, turns, flip)


def _cut(pixels: NDArray[np.uint8], offset: int, width: int, height: int, top: int, left: int, side: int) -> RGB8:
    image = pixels[offset : offset + 3 * width * height].reshape(height, width, 3)
    return image[top : top + side, left : left + side]


def _turn(image: RGB8, turns: int, flip: bool) -> RGB8:
    """[p, p, 3] -> [3, p, p]."""
    image = np.rot90(image[:, ::-1] if flip else image, turns)
    return np.ascontiguousarray(np.moveaxis(image, 2, 0))


def write_cache(folder: Path, pairs: Iterable[tuple[RGB8, RGB8]]) -> None:
    """Writes (low, high) pairs as a cache; ``folder`` appears when it is complete.

    Another process may do the same at the same time: whoever is first is kept.

    Raises:
        InputError: there is no pair.
        OutputError: it cannot be written.
    """
    try:
        with unfinished_folder(folder.parent) as unfinished:
            _write_pairs(unfinished, pairs)
            unfinished.replace(folder)
    except OSError as error:
        if not folder.is_dir():
            raise OutputError(f"{folder}: the prepared data cannot be written: {error.strerror}") from None


def _write_pairs(folder: Path, pairs: Iterable[tuple[RGB8, RGB8]]) -> None:
    index, offset = [], 0
    with (folder / "low.u8").open("wb") as low_file, (folder / "high.u8").open("wb") as high_file:
        for low, high in pairs:
            low_file.write(np.ascontiguousarray(low).data)
            high_file.write(np.ascontiguousarray(high).data)
            index.append((offset, *low.shape[:2]))
            offset += low.size
    if not index:
        raise InputError("the data give no training pair: images and videos are too small or short; give larger ones")
    np.save(folder / "index.npy", np.array(index, np.int64))


def open_cache(folder: Path, scale: int) -> PairCache:
    """Opens what :func:`write_cache` wrote; nothing is read yet.

    Raises:
        InputError: it is damaged, or has no pair, as one of an older version can.
    """
    try:
        index = np.load(folder / "index.npy")
        low, high = (np.memmap(folder / name, np.uint8, mode="r") for name in ("low.u8", "high.u8"))
    except (OSError, ValueError, EOFError):
        raise InputError(f"{folder}: holds no prepared data; remove it, and it is made again") from None
    return PairCache(folder.name, scale, low, high, index)


class Prefetcher:
    """Cuts the next batches in a thread while the network learns from this one.

    Args:
        rank, world: this process takes the ``rank``-th of ``world`` equal shares of each batch.
    """

    def __init__(
        self, cache: PairCache, seed: int, size: int, patch: int, first: int, rank: int = 0, world: int = 1
    ) -> None:
        self._cache, self._seed, self._size, self._patch = cache, seed, size, patch
        self._share = slice(rank * size // world, (rank + 1) * size // world)
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="patches")
        self._step = first
        self._waiting: list[Future[Batch]] = []
        for _ in range(3):
            self._submit()

    def _submit(self) -> None:
        self._waiting.append(self._pool.submit(self._load, self._step))
        self._step += 1

    def _load(self, step: int) -> Batch:
        low, high = self._cache.batch(self._seed, step, self._size, self._patch)
        return low[self._share], high[self._share]

    def __next__(self) -> Batch:
        self._submit()
        return self._waiting.pop(0).result()

    def __iter__(self) -> Prefetcher:
        return self

    def close(self) -> None:
        """Ends the thread."""
        self._pool.shutdown(cancel_futures=True)
