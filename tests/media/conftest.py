"""What is read and written, in jobs that torch does: OpenVINO compiles every network for longer than these take."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _torch_does_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rfdn_video.inference.upscaler.automatic_engine", lambda *_, **__: "torch")
