"""Requests to other nodes: one method each to fake, a length limit always. http.py makes them."""

from __future__ import annotations

from typing import Protocol

from wallflower.errors import Fault

MAX_ANSWER = 64 * 1024 * 1024


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
