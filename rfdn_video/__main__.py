"""``python -m rfdn_video``, and the console script: Ctrl-C ends both without a traceback from the first line on."""

from __future__ import annotations

import os
import signal
from types import FrameType
from typing import NoReturn

__all__ = ["run"]


def run() -> NoReturn:
    """Loads the command line, and runs it; what is begun there ends in its own way (``cli/signals.py``)."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # else ignored, as in a shell's background
        signal.signal(signal.SIGINT, _leave)
    from rfdn_video.cli import main

    main.run()


def _leave(_: int, __: FrameType | None) -> NoReturn:
    """An exception would come up anywhere: some imports swallow it, and some make another end of it."""
    os.write(2, b"rfdn-video: interrupted\n")
    os._exit(130)


if __name__ == "__main__":
    run()
