"""Connections that only take up room: half heads, slow senders and floods shut nobody out.

A real ingress with 512 descriptors, and honest people beside the crowd. Everybody comes from
loopback, as behind a front end, so no prefix helps.
"""

from __future__ import annotations

import asyncio
import contextlib
import resource
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import pytest
from tests.faults.crew import Crew, make_crew, planted
from tests.host.sockets import line, until
from tests.ingress.stage import TAKEN, cell, upload

from wallflower.lab.demo.town import console
from wallflower.wire.sizes import CELL

DESCRIPTORS = 512
HALVES = 600
SLOW_ONES = 100
FLOODERS = 4
HONEST = 40
SOON_S = 5.0  # an honest cell is answered by then, or its sender's next slot has come
HALF = upload(bytes(CELL))[:30]


def few_descriptors(command: Sequence[str]) -> list[str]:
    """The command under a limit that it cannot raise."""
    return ["sh", "-c", f'ulimit -n {DESCRIPTORS} && exec "$@"', "sh", *command]


@dataclass
class Crowd:
    """Who takes up room at one port; `close` ends all of them."""

    port: int
    taken: int = 0
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)
    _writers: list[asyncio.StreamWriter] = field(default_factory=list)

    async def half_heads(self, most: int) -> None:
        """So many connections with a head that never ends; as many as can be had."""
        for _ in range(most):
            with contextlib.suppress(OSError, TimeoutError):
                async with asyncio.timeout(SOON_S):
                    _, writer = await asyncio.open_connection("127.0.0.1", self.port)
                    self._writers.append(writer)
                    writer.write(HALF)

    async def is_a_flood(self) -> bool:
        """Whether more junk was taken than honest people will send."""
        return self.taken > 100

    def begin(self) -> None:
        """From now on: half heads again, slow senders, and junk as fast as it is taken."""
        for n in range(SLOW_ONES):
            self._tasks.append(asyncio.ensure_future(self._drip(n)))
        for _ in range(FLOODERS):
            self._tasks.append(asyncio.ensure_future(self._flood()))
        self._tasks.append(asyncio.ensure_future(self._again()))

    async def _again(self) -> None:
        while True:
            await self.half_heads(1)
            await asyncio.sleep(0.02)

    async def _drip(self, number: int) -> None:
        """A whole head, and a body of which a byte comes now and then."""
        while True:
            with contextlib.suppress(OSError, TimeoutError):
                async with asyncio.timeout(SOON_S), line(self.port) as one:
                    one.writer.write(upload(bytes(CELL))[: -CELL + number])
                    while True:
                        one.writer.write(b"\0")
                        await asyncio.sleep(0.5)
            await asyncio.sleep(0.5)

    async def _flood(self) -> None:
        while True:
            with contextlib.suppress(OSError, AssertionError, TimeoutError):
                async with asyncio.timeout(SOON_S), line(self.port) as one:
                    while await one.ask(upload(bytes(CELL))) == TAKEN:
                        self.taken += 1

    async def close(self) -> None:
        """End everything."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for writer in self._writers:
            writer.close()
        for writer in self._writers:
            with contextlib.suppress(OSError):
                await writer.wait_closed()


@contextlib.asynccontextmanager
async def besieged(folder: Path, command: Sequence[str]) -> AsyncIterator[tuple[Crew, Crowd]]:
    """An ingress of few descriptors, and the crowd before it."""
    ours = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    assert ours > 2 * HALVES, f"this test opens {2 * HALVES} connections; ulimit -n is {ours}"
    crew = make_crew(folder)
    crew.commands["ingress"] = few_descriptors(command)
    await crew.start("ingress")
    crowd = Crowd(crew.town.ports["ingress"])
    try:
        yield crew, crowd
    finally:
        await crowd.close()
        await crew.stop()


async def one_cell(port: int, body: bytes, bytes_a_second: int = 1 << 20) -> float | None:
    """Send a cell over a new connection at a pace; how long it took, None if it was not taken."""
    loop = asyncio.get_running_loop()
    begun, whole = loop.time(), upload(body)
    step = max(1, min(len(whole), bytes_a_second // 10))
    try:
        async with asyncio.timeout(SOON_S), line(port) as one:
            for at in range(0, len(whole), step):
                one.writer.write(whole[at : at + step])
                await one.writer.drain()
                if at + step < len(whole):
                    await asyncio.sleep(0.1)
            return loop.time() - begun if await one.ask() == TAKEN else None
    except (OSError, TimeoutError, AssertionError):
        return None


async def honest(port: int, people: int, bytes_a_second: int = 1 << 20) -> list[float | None]:
    """People who come one after another, each with one cell and a connection of its own."""
    numbers = count()
    waits = []
    for _ in range(people):
        waits.append(asyncio.ensure_future(one_cell(port, cell(next(numbers)), bytes_a_second)))
        await asyncio.sleep(0.05)
    return await asyncio.gather(*waits)


def said(waits: list[float | None]) -> str:
    """How many were taken, and the longest wait."""
    taken = [w for w in waits if w is not None]
    return f"{len(taken)} of {len(waits)} taken, the slowest in {max(taken, default=0):.2f} s"


async def test_half_heads_slow_senders_and_floods_shut_no_honest_upload_out(
    tmp_path: Path,
) -> None:
    async with besieged(tmp_path, console()) as (crew, crowd):
        await crowd.half_heads(HALVES)
        waits = await honest(crowd.port, HONEST)
        print(f"\n{HALVES} half heads: {said(waits)}")
        assert None not in waits
        crowd.begin()
        # First, since a slow machine may take little of it while so few people send.
        await until(crowd.is_a_flood, "the control: the flood is one", 60)
        before = crowd.taken
        quick, slow, slower = await asyncio.gather(
            honest(crowd.port, HONEST), honest(crowd.port, 10, 8000), honest(crowd.port, 10, 1000)
        )
        for pace, found in (("fast", quick), ("8 kB/s", slow), ("1 kB/s", slower)):
            beside = crowd.taken - before
            print(f"all at once, {pace}: {said(found)}; {beside} junk cells taken beside")
            assert None not in found
        assert crowd.taken > before, "the control: the flood went on beside them"
        assert crew.said() == ""


@pytest.mark.nightly
async def test_without_seats_half_heads_shut_honest_uploads_out(tmp_path: Path) -> None:
    """The control: what the test above would see if nobody ever had to give way."""
    async with besieged(tmp_path, planted("no-seats")) as (_, crowd):
        await crowd.half_heads(DESCRIPTORS)
        waits = await honest(crowd.port, 10)
        print(f"\nwithout seats: {said(waits)}")
        assert waits.count(None) == len(waits)
