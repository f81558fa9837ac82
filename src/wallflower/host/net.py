"""Requests to other nodes: one method each to fake, a length limit always. http.py makes them."""

from __future__ import annotations

import re
from typing import Protocol
from urllib.parse import urlsplit

from wallflower.errors import Fault

MAX_ANSWER = 64 * 1024 * 1024
# A name, or an IPv6 address, which may name an interface of this machine (RFC 4007).
_HOST = re.compile(r"[a-z0-9._-]+|[0-9a-f.]*:[0-9a-f.:]*(%[a-z0-9._-]+)?")


def asked_host(url: str) -> str:
    """The host of an address as a resolver is asked for it: in ASCII and small letters, without a
    dot at its end; "" where it has none, or its port is none. IDNA takes three more signs for a
    dot, and letters of other shapes for plain ones, so only this name shows what an address is."""
    try:
        parts = urlsplit(url)
        _ = parts.port
        name = (parts.hostname or "").encode("idna").decode("ascii").lower().rstrip(".")
    except ValueError:
        return ""
    return name if _HOST.fullmatch(name) else ""


def is_onion(url: str) -> bool:
    """Whether an address is an onion: then no resolver may be asked, who would learn of it."""
    return asked_host(url).endswith(".onion")


class Unreachable(Fault):
    """Another node did not answer, or refused; the caller tries again on its clock."""

    def __init__(self, what: str = "Another node did not answer") -> None:
        super().__init__(what, "It is tried again; see that node's status if this stays.")


class Net(Protocol):
    """What a role may do on the network."""

    async def get(self, url: str, token: str = "", limit: int = MAX_ANSWER) -> bytes:
        """The body of a 200 answer of at most `limit` bytes, or Unreachable."""
        ...

    async def post(self, url: str, body: bytes, token: str = "", limit: int = MAX_ANSWER) -> bytes:
        """The body of a 200 or 204 answer of at most `limit` bytes, or Unreachable."""
        ...


class Silent:
    """The network of a role that asks nobody: in its memory is nothing that could."""

    async def get(self, url: str, token: str = "", limit: int = MAX_ANSWER) -> bytes:
        """Unreachable, whoever is asked."""
        raise Unreachable

    async def post(self, url: str, body: bytes, token: str = "", limit: int = MAX_ANSWER) -> bytes:
        """Unreachable, whoever is asked."""
        raise Unreachable
