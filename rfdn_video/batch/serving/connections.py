"""Connections that ask for nothing are closed, and only so many are held: the batch needs the descriptors."""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.h11_impl import H11Protocol

__all__ = ["MOST", "Guarded"]

MOST = 100
"""Connections at a time; a browser takes six."""
SILENCE = 5.0
"""Seconds without a request."""


class Guarded(H11Protocol):
    """uvicorn's protocol, which by itself waits for the first request without limit."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """See :class:`asyncio.BaseProtocol`."""
        super().connection_made(transport)
        if len(self.connections) > MOST:
            transport.close()
        else:  # taken back, as between two requests, when data comes
            self.timeout_keep_alive_task = self.loop.call_later(SILENCE, self.timeout_keep_alive_handler)
