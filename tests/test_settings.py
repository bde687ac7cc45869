"""Settings and presets are validated when they are built."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from rfdn_video import Settings
from rfdn_video.errors import UsageError
from rfdn_video.settings import load_preset, preset_names


@pytest.mark.parametrize("name", preset_names())
def test_bundled_presets_load(name: str) -> None:
    Settings(**load_preset(name))


def test_a_preset_of_ones_own(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('description = "mine"\nscale = 1.5\nencoder = "ffv1"\ntune = "clean"\n')
    assert Settings(**load_preset(str(path))) == Settings(scale=Fraction(3, 2), encoder="ffv1", tune="clean")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("colour = 3", "unknown key 'colour'"),
        ("scale = 20", "scale 20"),
        ('tune = "loud"', "tune 'loud'"),
        ("= nonsense", "preset"),
        ("overwrite = true", "unknown key"),
        ('crf = "high"', "crf"),
        ("crf = true", "crf True: a whole number"),
        ("model = 3", "model 3: a name"),
        ("audio = [1]", "audio .1.: a name"),
        ("engine = {a = 1}", "engine"),
        ("encoder_options = 5", "encoder_options 5: a list"),
        ("encoder = " + "[" * 5000, "nested too deeply"),
        ("#" * (1 << 20) + "#", "1048577 bytes; up to 1048576 are read"),
    ],
)
def test_bad_presets(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "bad.toml"
    path.write_text(text)
    with pytest.raises(UsageError, match=words):
        load_preset(str(path))


def test_times_are_exact() -> None:
    times: dict[str, Any] = {"start": 0.1 + 0.2, "end": 10_000 + 1 / 3}
    made = Settings(**times)
    assert (made.start, made.end) == (Fraction(3, 10), Fraction(30_001, 3))
    for wrong in ("noon", float("nan")):
        times["start"] = wrong
        with pytest.raises(UsageError, match="is no time; give seconds"):
            Settings(**times)
