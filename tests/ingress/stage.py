"""Ingress on a real socket, with its database in a folder of the test."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from tests.host.sockets import request, serving

from wallflower.host import Host
from wallflower.host.disk import Folder
from wallflower.ingress.edge.process import Ingress
from wallflower.lab.host import SeededEntropy, SimulatedClock, SimulatedNet
from wallflower.wire.sizes import CELL, DAY_S

DAY = 20778
TOKEN = "token-of-mix-a"
TAKEN = b"HTTP/1.1 204 No Content\r\n\r\n"
REFUSAL = b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


def cell(number: int) -> bytes:
    """CELL bytes that name themselves: ingress looks at nothing but their length."""
    return b"cell %06d" % number + bytes(CELL - 11)


def upload(body: bytes, *headers: str, path: str = "/") -> bytes:
    """A POST of a body."""
    return request("POST", path, body, *headers)


@dataclass
class Stage:
    """An ingress that listens, and its folder."""

    ingress: Ingress
    clock: SimulatedClock
    folder: Path
    port: int

    def kept(self) -> list[bytes]:
        """The cells that a fresh reader of the database finds, in its order."""
        db = sqlite3.connect(self.folder / "cells.db")
        try:
            return [body for (body,) in db.execute("SELECT body FROM cells ORDER BY seq")]
        finally:
            db.close()


def build(folder: Path, clock: SimulatedClock, seed: bytes = b"ingress") -> Ingress:
    """An ingress on a folder."""
    host = Host(clock, SeededEntropy(seed), Folder(folder), SimulatedNet({}))
    return Ingress(host, TOKEN)


@contextlib.asynccontextmanager
async def staged(folder: Path, cells: int | None = None) -> AsyncIterator[Stage]:
    """An ingress that listens on loopback and commits; `cells` to a connection."""
    clock = SimulatedClock(DAY * DAY_S + 3600)
    ingress = build(folder, clock)
    async with serving(ingress.public, ingress.commit.run(), requests=cells) as port:
        yield Stage(ingress, clock, folder, port)
