"""The parser of all command lines: argparse, with our errors."""

from __future__ import annotations

import argparse
import re
from typing import NoReturn

from rfdn_video.errors import UsageError
from rfdn_video.hints import did_you_mean

__all__ = ["Parser"]


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one line."""

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
