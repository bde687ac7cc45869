"""The Dockerfile, read as far as its promises need it."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


def instructions() -> list[tuple[str, str]]:
    """Of all stages: the name, and the rest of its line, continuation lines joined."""
    text = re.sub(r"^#.*\n", "", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE)
    lines = [line for line in re.sub(r"\\\n\s*", "", text).splitlines() if line]
    return [(name, rest) for name, _, rest in (line.partition(" ") for line in lines)]


def stage(number: int) -> list[tuple[str, str]]:
    """The instructions of one stage, from its FROM on; 0 is what comes before the first."""
    found = instructions()
    starts = [0, *(index for index, (name, _) in enumerate(found) if name == "FROM"), len(found)]
    return found[starts[number] : starts[number + 1]]


def said(name: str, number: int = 2) -> list[str]:
    """What follows the name in each such instruction of a stage, by default of the last one."""
    return [rest for given, rest in stage(number) if given == name]


def assigned(name: str, number: int = 2) -> dict[str, str]:
    """The NAME=VALUE of all such instructions of a stage: ARG, ENV, LABEL."""
    words = [word for rest in said(name, number) for word in shlex.split(rest)]
    return {key: value for key, _, value in (word.partition("=") for word in words)}


def command(name: str) -> Any:
    """The JSON of ENTRYPOINT, CMD or HEALTHCHECK."""
    (rest,) = said(name)
    return json.loads(rest[rest.index("[") :])
