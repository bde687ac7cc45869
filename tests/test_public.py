"""The public surface is a list, and importing it is light."""

from __future__ import annotations

import subprocess
import sys

import pytest

import rfdn_video


def test_the_list_is_sorted_and_complete() -> None:
    assert rfdn_video.__all__ == sorted(rfdn_video.__all__)
    assert set(rfdn_video.__all__) == set(rfdn_video._HOMES)
    for name in rfdn_video.__all__:
        assert getattr(rfdn_video, name).__name__ == name
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = rfdn_video.nothing  # type: ignore[attr-defined]


def test_every_public_thing_says_what_it_is() -> None:
    for name in rfdn_video.__all__:
        assert len(getattr(rfdn_video, name).__doc__ or "") > 20


def test_importing_the_package_imports_nothing_heavy() -> None:
    script = "import sys, rfdn_video; print([m for m in ('torch', 'av', 'numpy') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True, text=True)
    assert done.stdout.strip() == "[]"
