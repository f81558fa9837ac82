"""Ports of this machine that stay ours before their server is up, and after it was killed.

A port that was only found free is given to any connection that goes out a moment later. One that is
bound and listens to nobody is given to no one, and a server may still listen on it, as both say
SO_REUSEADDR (Linux; socket(7)).
"""

from __future__ import annotations

import socket
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Ports:
    """Loopback ports by name, held until `close`."""

    numbers: dict[str, int]
    held: tuple[socket.socket, ...] = ()

    def close(self) -> None:
        """Give them back."""
        for one in self.held:
            one.close()


def hold_ports(names: tuple[str, ...]) -> Ports:
    """A loopback port for each name, which nobody else gets."""
    held = tuple(socket.socket() for _ in names)
    for one in held:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        one.bind(("127.0.0.1", 0))
    numbers = (one.getsockname()[1] for one in held)
    return Ports(dict(zip(names, numbers, strict=True)), held)
