"""A shared folder that goes away for a while, as network file systems do, is waited for."""

from __future__ import annotations

import time
from collections.abc import Callable

from rfdn_video.errors import OutputError, RFDNError

__all__ = ["outlast", "wait_until"]

LIMIT = 300.0
"""Seconds that a folder may be away."""

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0


def outlast[T](
    action: Callable[[], T],
    is_there: Callable[[], bool],
    *,
    limit: float = LIMIT,
    sleep: Callable[[float], None] = time.sleep,
) -> T:
    """Does ``action``; where it fails because something is not there, again when that is back.

    An error that comes while everything is there is passed on.

    Args:
        action: may be begun anew at any time.
        is_there: whether all that it needs is; an OSError counts as no.
        limit: seconds to wait in all.
        sleep: passes the time.

    Raises:
        OutputError: it has not come back.
    """
    waited = 0.0
    while True:
        try:
            return action()
        except (OSError, RFDNError) as error:
            if _holds(is_there):
                raise
            waited = _wait(is_there, waited, limit, sleep, error)


def _wait(
    is_there: Callable[[], bool], waited: float, limit: float, sleep: Callable[[float], None], error: Exception
) -> float:
    pause = FIRST_PAUSE
    while not _holds(is_there):
        if waited >= limit:
            raise OutputError(f"{error}; its folder has been away for {waited:g} seconds, is it mounted?") from error
        sleep(pause)
        waited, pause = waited + pause, min(2 * pause, LONGEST_PAUSE)
    return waited


def _holds(is_there: Callable[[], bool]) -> bool:
    try:
        return is_there()
    except OSError:
        return False


def wait_until[T](look: Callable[[], T | None], limit: float, sleep: Callable[[float], None] = time.sleep) -> T | None:
    """What a look gives; a network file system may take a while to show what another machine has renamed."""
    waited, pause = 0.0, 0.05
    while (found := look()) is None and waited < limit:
        sleep(pause)
        waited, pause = waited + pause, min(2 * pause, 5.0)
    return found
