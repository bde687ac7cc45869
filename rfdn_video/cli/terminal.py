"""Tables and emphasis on standard output: colour on a terminal only (never where NO_COLOR is set), any width."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Literal

from rfdn_video.cli.console import one_line

__all__ = ["print_table"]

UNLIMITED = 10_000
"""Columns of a file or pipe: there, nothing is folded."""


def print_table(headings: Sequence[str], rows: Sequence[Sequence[str]], *, words: int = 1) -> None:
    """Prints rows under headings in aligned columns; on a narrow terminal, words are folded.

    Args:
        headings: of the columns.
        rows: cells as text.
        words: how many columns, from the left, hold words; the others hold numbers, which end flush.
    """
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for index, heading in enumerate(headings):
        is_word = index < words
        table.add_column(Text(heading), justify="left" if is_word else "right", no_wrap=not is_word, overflow="fold")
    for row in rows:
        table.add_row(*(Text(one_line(cell)) for cell in row))
    width = None if sys.stdout.isatty() else UNLIMITED
    # rich drops colours where NO_COLOR is set, but not bold
    colors: Literal["auto"] | None = None if os.environ.get("NO_COLOR") else "auto"
    console = Console(file=sys.stdout, width=width, highlight=False, color_system=colors)
    console.print(table)
