"""Where a server listens: this machine only, unless a host is named."""

from __future__ import annotations

import ipaddress
import socket
from dataclasses import dataclass

from rfdn_video.errors import UsageError

__all__ = ["Address", "listen", "parse_address"]


@dataclass(frozen=True)
class Address:
    """A host, as a name or a number, and a port; 0 takes a free one."""

    host: str
    port: int

    @property
    def is_loopback(self) -> bool:
        """Only this machine reaches it."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


def parse_address(text: str) -> Address:
    """``"8080"``, ``"0.0.0.0:8080"`` or ``"[::1]:8080"``.

    Raises:
        UsageError: it is none of these.
    """
    host, colon, port = text.rpartition(":")
    if not (port.isascii() and port.isdigit() and int(port) < 1 << 16) or (colon and not host):
        raise UsageError(f"{text!r} is no address; give PORT, or HOST:PORT, such as 8080 or 0.0.0.0:8080")
    return Address(host.removeprefix("[").removesuffix("]") if colon else "127.0.0.1", int(port))


def listen(address: Address) -> socket.socket:
    """A socket that listens there.

    Raises:
        UsageError: it cannot be had.
    """
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    try:
        return socket.create_server((address.host, address.port), family=family, backlog=64)
    except OSError as error:
        cause = str(error.strerror).partition(" (while")[0]  # what Python adds says the address again
        raise UsageError(f"--serve {address}: {cause}; give another port, or 0 for any free one") from None
