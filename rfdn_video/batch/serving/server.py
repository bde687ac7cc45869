"""A web server in a thread of its own: whatever becomes of it, the batch goes on, and when that ends, so does it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from rfdn_video.batch.serving.address import Address, listen
from rfdn_video.errors import UsageError

__all__ = ["serving"]

PATIENCE = 5.0
"""Seconds that the end of a batch waits for it."""


@contextmanager
def serving(address: Address, destination: Path) -> Iterator[str]:
    """Shows the batch that writes to ``destination``; gives the page's URL.

    Raises:
        UsageError: the libraries are absent, or the address cannot be had.
    """
    try:
        import uvicorn

        from rfdn_video.batch.serving.app import make_app
        from rfdn_video.batch.serving.connections import MOST, Guarded
    except ImportError:
        raise UsageError("--serve needs the extra serve: pip install 'rfdn-video[serve]'") from None
    with listen(address) as listener:
        address = replace(address, port=listener.getsockname()[1])
        config = uvicorn.Config(
            make_app(destination, address),
            http=Guarded,
            backlog=MOST,  # as many are accepted at once, before any is turned away
            log_config=None,
            log_level="error",
            access_log=False,
            lifespan="off",
            ws="none",
            timeout_graceful_shutdown=1,
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, args=([listener],), name="status page", daemon=True)
        thread.start()
        try:
            yield f"http://{address}/"
        finally:
            server.should_exit = True
            thread.join(PATIENCE)
