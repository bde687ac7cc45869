"""Everything that can go wrong, as types. Each class carries the exit code of the command line.

::

    RFDNError                     1  (never raised itself)
    ├── UsageError                2  an option or argument that is not allowed
    │   └── OtherWorkError        2  unfinished work was done with other settings than those to go on with
    ├── InputError                3  the input cannot be used
    │   └── NoVideoError          3  it opens, but holds no video stream
    ├── OutputError               4  the output cannot be written
    ├── ModelError                5  a network or weights file cannot be used
    ├── DeviceError               6  the device is absent, out of memory or lost
    ├── VerificationError         7  the finished file failed its own check
    └── Interrupted             130  stopped by SIGINT (143 by SIGTERM)

A message is one line: what came, what is allowed, what to do.
"""

from __future__ import annotations

__all__ = [
    "DeviceError",
    "InputError",
    "Interrupted",
    "ModelError",
    "NoVideoError",
    "OtherWorkError",
    "OutputError",
    "RFDNError",
    "UsageError",
    "VerificationError",
]


class RFDNError(Exception):
    """Base class of all errors that rfdn-video raises on purpose."""

    exit_code = 1


class UsageError(RFDNError, ValueError):
    """An option or argument whose value is not allowed."""

    exit_code = 2


class OtherWorkError(UsageError):
    """There is unfinished work to go on with, but it was done with other settings, software or devices."""


class InputError(RFDNError):
    """The input is missing, is no media, is damaged or is of an unsupported kind."""

    exit_code = 3


class NoVideoError(InputError):
    """The input opens but holds no video stream."""


class OutputError(RFDNError):
    """The output exists, cannot be created, or its container or encoder refuses what it must hold."""

    exit_code = 4


class ModelError(RFDNError):
    """The network is unknown, or its weights are missing, damaged or of another network."""

    exit_code = 5


class DeviceError(RFDNError):
    """The device asked for is absent, ran out of memory or was lost."""

    exit_code = 6


class VerificationError(RFDNError):
    """The finished file differs from what was meant to be written; it was not published."""

    exit_code = 7


class Interrupted(RFDNError):
    """The work was stopped by a signal.

    Args:
        message: what was stopped and what became of the work.
        exit_code: 130 for SIGINT, 143 for SIGTERM.
    """

    exit_code = 130

    def __init__(self, message: str, exit_code: int = 130) -> None:
        super().__init__(message)
        self.exit_code = exit_code
