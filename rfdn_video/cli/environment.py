"""Options given by environment variables: ``RFDN_BATCH_SCALE=3`` is ``--scale 3``. For containers, which are run so."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Mapping, Sequence
from configparser import ConfigParser
from itertools import takewhile

from rfdn_video.errors import UsageError
from rfdn_video.hints import did_you_mean

__all__ = ["PREFIX", "options_from", "variables"]

PREFIX = "RFDN_BATCH_"

_TRUTH = ConfigParser.BOOLEAN_STATES  # 1 yes true on, 0 no false off


def options_from(
    environment: Mapping[str, str], parser: argparse.ArgumentParser, rest: Sequence[str], argv: Sequence[str] = ()
) -> list[str]:
    """What the variables ask for, as words that go before a command line, whose own options then win.

    A variable is called like the long option, in capitals, with ``_`` for ``-``. An empty one counts as absent.
    Options without a value take 1 or 0 (yes, no, true, false, on, off); those that may be given again take several
    values, separated and quoted as in a shell. Where the command line has the option itself, or one that excludes it,
    as ``--height`` does ``--scale``, the variable gives way; where it asks for help, all of them do.

    Args:
        environment: all variables; those that do not begin with :data:`PREFIX` are left alone.
        parser: of the command.
        rest: words that make a complete command line of any option; each variable is tried with them by itself.
        argv: the command line.

    Raises:
        UsageError: a variable that is no option, or a value that its option does not allow.
    """
    named = _named(parser, argv)
    if any("--help" in action.option_strings for action in named):
        return []
    beaten = named | _excluded(parser, named)  # those that may be given again would be added to
    actions = variables(parser)
    words: list[str] = []
    for variable, value in sorted(environment.items()):
        if not variable.startswith(PREFIX) or not value:
            continue
        if variable not in actions:
            raise UsageError(f"{variable}: is no option of {parser.prog}{did_you_mean(variable, actions)}")
        added = _words(variable, actions[variable], value)
        try:
            parser.parse_args([*added, *rest])
        except UsageError as error:
            raise UsageError(f"{variable}: {error}") from None
        if actions[variable] not in beaten:
            words += added
    return words


def _named(parser: argparse.ArgumentParser, argv: Sequence[str]) -> set[argparse.Action]:
    """The options on a command line: ``--height 90``, ``--height=90``, ``-s 2``, ``-s2``."""
    known = parser._option_string_actions
    words = list(takewhile(lambda word: word != "--", argv))
    return {known[name] for word in words for name in (word.partition("=")[0], word[:2]) if name in known}


def _excluded(parser: argparse.ArgumentParser, named: set[argparse.Action]) -> set[argparse.Action]:
    """The options that these exclude."""
    groups = [set(group._group_actions) for group in parser._mutually_exclusive_groups]
    return {action for group in groups if group & named for action in group - named}


def variables(parser: argparse.ArgumentParser) -> dict[str, argparse.Action]:
    """The options that may be variables, by the variables' names."""
    options = [(_long(action), action) for action in parser._actions]
    return {
        PREFIX + name.removeprefix("--").replace("-", "_").upper(): action
        for name, action in options
        if name and name != "--help"
    }


def _long(action: argparse.Action) -> str | None:
    return next((option for option in action.option_strings if option.startswith("--")), None)


def _words(variable: str, action: argparse.Action, value: str) -> list[str]:
    option = _long(action)
    if action.nargs == 0:
        return _switch(variable, action, value)
    if not isinstance(action, argparse._AppendAction):
        return [f"{option}={value}"]
    try:
        return [f"{option}={part}" for part in shlex.split(value)]
    except ValueError as error:
        raise UsageError(f"{variable} {value!r}: {error}; quote it as in a shell") from None


def _switch(variable: str, action: argparse.Action, value: str) -> list[str]:
    if value.lower() not in _TRUTH:
        raise UsageError(f"{variable} {value!r}: 1 or 0 is allowed")
    wanted = _TRUTH[value.lower()]
    return [name for name in action.option_strings if name.startswith("--") and name.startswith("--no-") != wanted][:1]
