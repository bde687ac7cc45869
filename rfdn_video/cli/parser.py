"""The parser of all command lines: argparse, with our errors."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from typing import Any, NoReturn

from rfdn_video.errors import UsageError
from rfdn_video.hints import did_you_mean

__all__ = ["Parser"]


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, and takes options between the inputs and by their whole names only.

    A beginning of a name that means one option now may mean two when there are more.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(allow_abbrev=False, **options)

    def parse_line(self, words: Sequence[str]) -> argparse.Namespace:
        """What a command line comes to, in whatever order: ``a.mp4 -o out b.mp4``, and ``-o out -- -a.mp4 b.mp4``."""
        mixed = "--" not in words  # argparse takes options from between inputs, or inputs that look like options
        return self.parse_intermixed_args(words) if mixed else self.parse_args(words)

    def error(self, message: str) -> NoReturn:
        """Never ends the process itself.

        Raises:
            UsageError: always.
        """
        raise UsageError(f"{message}{self._nearest(message)}; see {self.prog} --help")

    def _nearest(self, message: str) -> str:
        if choice := re.fullmatch(r"argument .*: invalid choice: '(.*?)' \(choose from (.*)\)", message):
            return did_you_mean(choice[1], [word.strip("'\"") for word in choice[2].split(", ")])
        known = [option for action in self._actions for option in action.option_strings]
        words = (word.split("=")[0].rstrip(":") for word in message.split())
        wrong = next((word for word in words if word.startswith("--")), "")
        return did_you_mean(wrong, known) if wrong and wrong not in known else ""
