"""What is answered to which request."""

from __future__ import annotations

import json
import re
import sqlite3
import time
from collections.abc import Awaitable, Callable
from contextlib import closing
from functools import partial
from importlib.resources import files
from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from rfdn_video.batch.ledger import Ledger, ledger_path
from rfdn_video.batch.serving.address import Address
from rfdn_video.batch.serving.metrics import CONTENT_TYPE, exposition
from rfdn_video.batch.staging import PICTURES, Picture, staging_path, thumbnail_path
from rfdn_video.batch.status import Status, read_status
from rfdn_video.errors import RFDNError
from rfdn_video.stamp import Stamp

__all__ = ["make_app"]

FAILED = 200
"""Failed files that are listed at most; their number is always told."""

_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
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
            Route("/", partial(_file, "status.html", "text/html")),
            Route("/status.css", partial(_file, "status.css", "text/css")),
            Route("/status.js", partial(_file, "status.js", "text/javascript")),
            Route("/thumbnails/{number}/{name}.jpg", partial(_thumbnail, destination)),
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


def _file(name: str, media_type: str, _: Request) -> Response:
    return Response((files(__package__) / name).read_bytes(), media_type=media_type)


def _status(destination: Path, _: Request) -> Response:
    record = _read(destination).record() | {"destination": str(destination.absolute()), "time": time.time()}
    for entry in record["running"]:
        entry["thumbnails"] = _thumbnails(destination, entry["id"])
    # Names need not be text: what is none stays an escape, which UTF-8 could not hold.
    return Response(json.dumps(record), media_type="application/json")


def _thumbnails(destination: Path, number: int) -> dict[Picture, str] | None:
    """Where pictures of a running file are to be had; the addresses change with the pictures."""
    found: dict[Picture, str] = {}
    for name in PICTURES:
        stamp = Stamp.of(thumbnail_path(staging_path(ledger_path(destination).parent, number), name))
        if stamp is None:
            return None
        found[name] = f"thumbnails/{number}/{name}.jpg?{stamp.mtime}"
    return found


def _thumbnail(destination: Path, request: Request) -> Response:
    name, number = request.path_params["name"], request.path_params["number"]
    if name not in PICTURES or not re.fullmatch("[0-9]{1,18}", number):  # longer ones are no numbers of SQLite
        raise HTTPException(404)
    path = thumbnail_path(staging_path(ledger_path(destination).parent, int(number)), name)
    try:
        return Response(path.read_bytes(), media_type="image/jpeg")
    except FileNotFoundError:
        raise HTTPException(404) from None


def _metrics(destination: Path, _: Request) -> Response:
    with closing(Ledger(destination)) as ledger:
        return Response(exposition(ledger), media_type=CONTENT_TYPE)


def _health(destination: Path, _: Request) -> Response:
    alive = _read(destination).alive
    return PlainTextResponse("ok\n" if alive else "no batch is at work\n", status_code=200 if alive else 503)
