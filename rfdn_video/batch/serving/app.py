"""What is answered to which request."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from functools import partial
from pathlib import Path

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from rfdn_video.batch.ledger import Ledger
from rfdn_video.batch.serving.address import Address
from rfdn_video.batch.serving.metrics import CONTENT_TYPE, exposition
from rfdn_video.batch.status import Status, read_status
from rfdn_video.errors import RFDNError

__all__ = ["make_app"]

FAILED = 200
"""Failed files that are listed at most; their number is always told."""

_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def make_app(destination: Path, address: Address) -> Starlette:
    """The application that shows the batch of a destination.

    A page from elsewhere must not read file names by calling this machine by a name of its own (DNS rebinding):
    where only this machine is listened to, only its own names are answered.
    """
    hosts = ["localhost", "127.0.0.1", "[::1]", "::1", address.host] if address.is_loopback else ["*"]
    return Starlette(
        routes=[
            Route("/status.json", partial(_status, destination)),
            Route("/metrics", partial(_metrics, destination)),
            Route("/healthz", partial(_health, destination)),
        ],
        middleware=[
            Middleware(BaseHTTPMiddleware, dispatch=_with_headers),
            Middleware(TrustedHostMiddleware, allowed_hosts=hosts, www_redirect=False),
        ],
        exception_handlers={RFDNError: _unavailable, sqlite3.Error: _unavailable, OSError: _unavailable},
    )


async def _with_headers(request: Request, answer: Callable[[Request], Awaitable[Response]]) -> Response:
    response = await answer(request)
    response.headers.update(_HEADERS)
    return response


def _unavailable(_: Request, error: Exception) -> Response:
    return PlainTextResponse(f"{error}\n", status_code=503)


def _read(destination: Path) -> Status:
    with closing(Ledger(destination)) as ledger:
        return read_status(ledger, failed=FAILED)


def _status(destination: Path, _: Request) -> Response:
    # Names need not be text: what is none stays an escape, which UTF-8 could not hold.
    return Response(json.dumps(_read(destination).record()), media_type="application/json")


def _metrics(destination: Path, _: Request) -> Response:
    with closing(Ledger(destination)) as ledger:
        return Response(exposition(ledger), media_type=CONTENT_TYPE)


def _health(destination: Path, _: Request) -> Response:
    alive = _read(destination).alive
    return PlainTextResponse("ok\n" if alive else "no batch is at work\n", status_code=200 if alive else 503)
