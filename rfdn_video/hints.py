"""What may have been meant by a word that is not known."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

__all__ = ["did_you_mean"]


def did_you_mean(wrong: str, known: Iterable[str]) -> str:
    """The known word that is nearest, as the end of a message; empty where none is near."""
    near = get_close_matches(wrong, list(known), n=1)
    return f"; did you mean {near[0]}?" if near else ""
