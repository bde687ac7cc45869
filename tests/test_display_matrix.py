"""The translation of a display matrix grows with the picture, as far as 32 bits go."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

from rfdn_video.plan import _scaled_matrix

TURNED = (0, 65536, 0, -65536, 0, 0)


def test_grows_with_the_picture_and_stays_within_32_bits() -> None:
    video = SimpleNamespace(
        display_matrix=(*TURNED, 480 << 16, -(1 << 31), 1 << 30), turned=True, width=640, height=480
    )
    matrix = _scaled_matrix(cast(Any, video), (1280, 960))
    assert matrix == (*TURNED, 960 << 16, -(1 << 31), 1 << 30)
