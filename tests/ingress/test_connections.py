"""How many cells go over one connection: a wall may let it carry some 15 kB and no more."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.host.sockets import LIMIT_S, line
from tests.ingress.stage import TAKEN, cell, staged, upload

from wallflower.errors import Fault
from wallflower.host.settings import Settings
from wallflower.ingress.edge.process import cells_per_connection
from wallflower.wire.sizes import HUM_CELLS

LAST = TAKEN.replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n")
# Of the 15 kB that such a wall lets pass (censors: tspu.16k) a TLS handshake takes a third.
LETS_PASS = 10_000
# What a browser says with each cell.
HEADS = ["User-Agent: " + "x" * 110, "Accept: */*", "Origin: http://a.example", "X: " + "x" * 250]


@dataclass
class Freezing:
    """A wall that passes so many bytes of a connection, both ways together, and then none."""

    port: int
    to: int
    frozen: asyncio.Event = field(default_factory=asyncio.Event)
    connections: int = 0

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, until either side ends it."""
        self.connections += 1
        left = [LETS_PASS]
        inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", self.to)
        ways = [(reader, inner_writer), (inner_reader, writer)]
        try:
            await asyncio.gather(*(self._pass(*way, left) for way in ways))
        finally:
            writer.close()
            inner_writer.close()

    async def _pass(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, left: list[int]
    ) -> None:
        while data := await reader.read(1400):
            left[0] -= len(data)
            if left[0] < 0:
                self.frozen.set()
                continue
            writer.write(data)
            await writer.drain()
        with contextlib.suppress(OSError):
            writer.write_eof()


@contextlib.asynccontextmanager
async def freezing(to: int) -> AsyncIterator[Freezing]:
    wall = Freezing(0, to)
    server = await asyncio.start_server(wall.carry, "127.0.0.1", 0)
    wall.port = server.sockets[0].getsockname()[1]
    try:
        yield wall
    finally:
        server.close()


async def _hum(port: int) -> None:
    """All cells of a hum, as a browser sends them: over one connection until it is told to end."""
    number = 0
    while number < HUM_CELLS:
        async with line(port) as one:
            answer = b""
            while number < HUM_CELLS and b"connection: close" not in answer:
                answer = await one.ask(upload(cell(number), *HEADS))
                assert answer.startswith(b"HTTP/1.1 204 "), "a cell was refused"
                number += 1


async def _through(wall: Freezing) -> None:
    """A hum, until it is over or its connection is frozen."""
    hum = asyncio.ensure_future(_hum(wall.port))
    frozen = asyncio.ensure_future(wall.frozen.wait())
    async with asyncio.timeout(LIMIT_S):
        await asyncio.wait([hum, frozen], return_when=asyncio.FIRST_COMPLETED)
    if hum.done():
        hum.result()
    hum.cancel()
    frozen.cancel()
    await asyncio.gather(hum, frozen, return_exceptions=True)


async def test_a_connection_ends_with_the_answer_of_its_last_cell(tmp_path: Path) -> None:
    async with staged(tmp_path, cells=3) as stage, line(stage.port) as one:
        answers = [await one.ask(upload(cell(number))) for number in range(3)]
        assert answers == [TAKEN, TAKEN, LAST]
        assert await one.reader.read() == b"", "and it is over"
        assert sorted(stage.kept()) == [cell(number) for number in range(3)]


async def test_a_hum_comes_whole_through_a_wall_that_freezes_connections(tmp_path: Path) -> None:
    async with staged(tmp_path, cells=3) as stage, freezing(stage.port) as wall:
        await _through(wall)
        assert not wall.frozen.is_set()
        assert sorted(stage.kept()) == [cell(number) for number in range(HUM_CELLS)]
        assert wall.connections == HUM_CELLS // 3


async def test_such_a_wall_freezes_a_connection_that_is_kept_for_a_whole_hum(
    tmp_path: Path,
) -> None:
    async with staged(tmp_path) as stage, freezing(stage.port) as wall:
        await _through(wall)
        assert wall.frozen.is_set()
        assert len(stage.kept()) < 4, "not even the first four"


@pytest.mark.parametrize("said", [0, -1, 256, True, "three"])
def test_a_number_of_cells_that_no_record_can_say_is_a_fault(said: object) -> None:
    settings = Settings(Path("ingress.toml"), {"cells_per_connection": said})
    with pytest.raises(Fault, match=r"ingress\.toml has"):
        cells_per_connection(settings)


@pytest.mark.parametrize(("fields", "cells"), [({}, None), ({"cells_per_connection": 3}, 3)])
def test_cells_are_counted_only_where_the_configuration_says_so(
    fields: dict[str, object], cells: int | None
) -> None:
    assert cells_per_connection(Settings(Path("ingress.toml"), fields)) == cells
