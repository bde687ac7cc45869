"""One input of the fuzzer: a harmed file and the command line it is given to. All of it follows from a number."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from random import Random

from tests.fuzz.media import mutate_media
from tests.fuzz.other import mutate_pth, mutate_safetensors, mutate_toml

__all__ = ["Case", "make_case"]

OPTIONS: tuple[tuple[str, ...], ...] = (
    (),
    (),
    ("--salvage",),
    ("--strict",),
    ("--salvage", "--deinterlace"),
    ("--start", "0.2", "--frames", "2"),
    ("--audio", "aac", "-s", "1.5"),
    ("--verify", "full"),
    ("--json", "--progress", "json"),
)


@dataclass(frozen=True)
class Case:
    """What is run.

    Attributes:
        name: of the harmed file.
        harmed: its content.
        arguments: of rfdn-video; the output is out/.
    """

    name: str
    harmed: bytes
    arguments: tuple[str, ...]


def make_case(samples: dict[str, bytes], seed: str, folder: Path) -> Case:
    """Case ``seed`` for files that lie in ``folder``; those of the samples lie in ``folder/sound``."""
    random = Random(seed)  # noqa: S311 (no secret)
    media = sorted(name for name in samples if name.partition(".")[2] not in ("toml", "pth", "safetensors"))
    kinds = {"film.toml": mutate_toml, "tiny.safetensors": mutate_safetensors, "tiny.pth": mutate_pth}
    name = random.choice(list(kinds)) if random.random() < 0.12 else random.choice(media)
    harmed = kinds.get(name, mutate_media)(samples[name], random)
    tiny, path, good = (
        str(folder / "sound" / "tiny.safetensors"),
        str(folder / name),
        str(folder / "sound" / "mpeg4.mp4"),
    )
    common = ("-o", f"{folder / 'out'}/", "--engine", "torch", "--device", "cpu")
    if name == "film.toml":
        return Case(name, harmed, (good, "-w", tiny, "--preset", path, "--overwrite", *common))
    if name in kinds:
        return Case(name, harmed, (good, "-w", path, "--frames", "1", *common))
    suffix = random.choice(("", "", ".mkv", ".mp4", ".webm")) if path[-4:] not in (".png", ".jpg") else ""
    place = ("-o", str(folder / "out" / f"result{suffix}"), *common[2:]) if suffix else common
    return Case(name, harmed, (path, "-w", tiny, *random.choice(OPTIONS), *place))
