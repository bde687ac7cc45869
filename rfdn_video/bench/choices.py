"""Settings of the network that are worth comparing, and which of them this machine can do."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import torch

from rfdn_video.errors import DeviceError, UsageError
from rfdn_video.inference.tiling import Place, choose_tiling, memory_class
from rfdn_video.inference.upscaler import Upscaler
from rfdn_video.settings import Tile

__all__ = ["Choice", "Opened", "automatic_band", "open_choices", "threads_of_torch", "variations"]


@dataclass(frozen=True)
class Choice:
    """How the network is computed.

    Attributes:
        engine, precision, tile: as :class:`rfdn_video.Settings` names them.
        threads: of torch on a CPU; None is what torch takes by itself.
    """

    engine: str
    precision: str
    tile: Tile = "auto"
    threads: int | None = None

    def __str__(self) -> str:
        threads = f", threads {self.threads}" if self.threads else ""
        return f"{self.engine} {self.precision}, tile {self.tile}{threads}"


@dataclass(frozen=True)
class Opened:
    """A choice that this machine can do."""

    choice: Choice
    upscaler: Upscaler


def variations(
    base: Choice, engines: Sequence[str], precisions: Sequence[str], tiles: Sequence[Tile], threads: Sequence[int]
) -> list[Choice]:
    """``base`` and what differs from it, one thing at a time for each engine."""
    plain = [base, *(replace(base, engine=engine) for engine in engines)]
    found = [
        *plain,
        *(replace(choice, tile=tile) for choice in plain for tile in tiles),
        *(replace(choice, threads=count) for choice in plain for count in threads if choice.engine == "torch"),
        *(replace(choice, precision=precision) for choice in plain for precision in precisions),
    ]
    return list(dict.fromkeys(found))


def open_choices(
    choices: Sequence[Choice], make: Callable[[Choice], Upscaler], size: tuple[int, int]
) -> tuple[list[Opened], dict[Choice, str]]:
    """Makes networks ready.

    Args:
        choices: to be tried; of those that come to the same bands only the first is kept.
        make: gives the upscaler of one.
        size: (width, height) of the pictures.

    Returns:
        Those that work, and why the others do not.
    """
    opened: dict[object, Opened] = {}
    refused: dict[Choice, str] = {}
    for choice in choices:
        try:
            upscaler = make(choice)
        except (DeviceError, UsageError) as error:
            refused[choice] = str(error)
            continue
        what_it_is = choice.engine, choice.precision, upscaler.tiling(*size).bands, choice.threads
        opened.setdefault(what_it_is, Opened(choice, upscaler))
    return list(opened.values()), refused


def automatic_band(upscaler: Upscaler, width: int, height: int) -> int | None:
    """The rows of the bands that torch takes by itself for pictures of this size; None for whole ones."""
    config, plan = upscaler.weights.config, upscaler.plan(width, height)
    on_cpu, itemsize = upscaler.device.type == "cpu", upscaler.precision.itemsize
    place = Place(True, on_cpu, memory_class(upscaler.device), itemsize)
    return choose_tiling("auto", config, plan, place).bands[0]


@contextmanager
def threads_of_torch(count: int | None) -> Iterator[None]:
    """Limits torch in this thread; None leaves it as it is."""
    before = torch.get_num_threads()
    torch.set_num_threads(count or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)
