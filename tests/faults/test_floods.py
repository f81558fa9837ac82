"""Floods of junk: ingress and A stay small, and honest letters come through all the same.

Real processes; what is measured is the resident memory that the system accounts to each.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

import pytest
from tests.faults.crew import UP_S, Crew
from tests.faults.running import Open, Running
from tests.host.sockets import line, until
from tests.ingress.stage import TAKEN, upload
from tests.trust.made import private

from wallflower.crypto import hpke
from wallflower.wire.cell import seal_body
from wallflower.wire.hello import hello_cell, hum_id, seal_for_a
from wallflower.wire.record import RecordBody
from wallflower.wire.sizes import (
    BODY_HEADER,
    BODY_PIECE,
    CELL,
    HASH,
    HELLO_HEADER,
    HUM_CELLS,
    SEAL_A,
    SEAL_B,
)

SEED = 20_778
CONNECTIONS = 8
MIB = 1 << 20
# What a flood of any length may cost a process beyond what the first part of it did.
MOST_GROWTH = 24 * MIB
SLOW_ONES = 200


@dataclass(frozen=True, slots=True)
class Sizes:
    """How many cells of junk come first, and how many when memory is measured again."""

    first: int
    then: int


TEST, NIGHTLY = Sizes(600, 1_800), Sizes(20_000, 200_000)


def junk_hums(record: int, rng: random.Random) -> Iterator[bytes]:
    """Complete hums of the right form whose hello is sealed to a stranger: each costs A a key."""
    while True:
        seal = hpke.seal(private("stranger").public, hpke.info("hop-a", bytes(HASH)), bytes(32))
        assert len(seal) == SEAL_A
        for counter in range(HUM_CELLS):
            head = bytes([1, counter]) + record.to_bytes(2)
            start = head + (hum_id(seal) if counter % 4 else bytes(8) + seal)
            yield start + rng.randbytes(CELL - len(start))


def junk_cells(_record: int, rng: random.Random) -> Iterator[bytes]:
    """Random bytes of a cell's length."""
    while True:
        yield rng.randbytes(CELL)


def bodies_alone(record: int, rng: random.Random) -> Iterator[bytes]:
    """Body cells of hums whose hello never comes: A has to keep them for a while."""
    assert HELLO_HEADER < BODY_HEADER
    while True:
        head = bytes([1, rng.choice((1, 2, 3))]) + record.to_bytes(2)
        yield head + rng.randbytes(CELL - len(head))


def memory(crew: Crew, role: str) -> int:
    """The resident bytes of a process."""
    with open(f"/proc/{crew.processes[role].pid}/status") as status:
        line_of = next(text for text in status if text.startswith("VmRSS:"))
    return int(line_of.split()[1]) * 1024


async def pour(crew: Crew, cells: Iterable[bytes]) -> int:
    """Post cells on several connections as fast as they are answered; how many were taken."""

    async def one(part: Iterable[bytes]) -> int:
        taken = 0
        async with line(crew.town.ports["ingress"]) as connection:
            for body in part:
                taken += await connection.ask(upload(body)) == TAKEN
        return taken

    everything = list(cells)
    parts = (everything[i::CONNECTIONS] for i in range(CONNECTIONS))
    return sum(await asyncio.gather(*map(one, parts)))


async def drained(crew: Crew) -> None:
    """Wait until A has pulled all of it."""

    async def empty() -> bool:
        return (await crew.town.status("ingress")).get("waiting") == 0

    await until(empty, "A has pulled the flood", UP_S)


async def letters_pass(town: Running, count: int) -> None:
    """Honest letters are acknowledged, delivered, and delivered once."""
    for _ in range(count):
        await town.writers.one()
    await town.all_delivered(town.writers.written)


async def flooded(town: Running, sizes: Sizes) -> None:
    """Pour each kind of junk, twice; the second part is larger and may cost next to nothing."""
    crew, rng = town.crew, random.Random(SEED)
    number = (await crew.record()).number
    for kind in (junk_hums, junk_cells, bodies_alone):
        junk = kind(number, rng)
        marks = []
        for size in (sizes.first, sizes.then):
            await town.desk.read()  # or it has handed in no keys for the days that a flood may take
            assert await pour(crew, islice(junk, size)) == size, "nobody is shut out"
            await drained(crew)
            marks.append({role: memory(crew, role) for role in ("ingress", "mix-a")})
        grown = {role: marks[1][role] - marks[0][role] for role in marks[0]}
        said = {r: f"{m / MIB:.0f} MiB, {grown[r] / MIB:+.1f}" for r, m in marks[1].items()}
        print(f"\n{kind.__name__}: {sizes.first} + {sizes.then} cells; {said}")
        assert all(g < MOST_GROWTH for g in grown.values()), grown
    await letters_pass(town, 5)
    assert crew.said() == ""


async def test_floods_of_junk_leave_memory_bounded_and_letters_come_through(
    open_town: Open,
) -> None:
    await flooded(await open_town(), TEST)


@pytest.mark.nightly
async def test_long_floods_of_junk_leave_memory_bounded_and_letters_come_through(
    open_town: Open,
) -> None:
    await flooded(await open_town(), NIGHTLY)


async def test_slow_senders_are_refused_and_shut_nobody_out(open_town: Open) -> None:
    town = await open_town()
    port = town.crew.town.ports["ingress"]
    slow = [await asyncio.open_connection("127.0.0.1", port) for _ in range(SLOW_ONES)]
    try:
        for _, writer in slow:
            writer.write(upload(bytes(CELL))[:-1])  # all but the last byte of the cell
        await letters_pass(town, 5)
        # After 6 s each of them gets the one refusal (routes.SLOWEST_S).
        answers = await asyncio.wait_for(
            asyncio.gather(*(reader.readuntil(b"\r\n\r\n") for reader, _ in slow)), 30
        )
        assert {a.split(b"\r\n")[0] for a in answers} == {b"HTTP/1.1 400 Bad Request"}
    finally:
        for _, writer in slow:
            writer.close()


LETTERS = 5


def for_b_to_refuse(body: RecordBody, rng: random.Random) -> bytes:
    """The four cells of a whole hum that A opens and cannot tell from any other; B can."""
    key_a, number = rng.randbytes(32), body.number
    seal_a = seal_for_a(body.hop_a, body.hash(), key_a)
    name = hum_id(seal_a)
    cells = [hello_cell(seal_a, key_a, 0, number, rng.randbytes(SEAL_B))]
    cells += [seal_body(key_a, n, number, name, rng.randbytes(BODY_PIECE)) for n in (1, 2, 3)]
    return b"".join(cell.encode() for cell in cells)


def for_a_to_refuse(body: RecordBody, rng: random.Random) -> bytes:
    """The first four cells of a hum whose hello opens nowhere."""
    return b"".join(islice(junk_hums(body.number, rng), 4))


def on_disk(crew: Crew, role: str) -> int:
    """The bytes of a role's folder."""
    return sum(p.stat().st_size for p in crew.folder(role).rglob("*") if p.is_file())


def measured(crew: Crew) -> dict[str, tuple[int, int]]:
    """Memory and disk of every process that a flood passes."""
    return {r: (memory(crew, r), on_disk(crew, r)) for r in ("ingress", "mix-a", "mix-b")}


async def refusals(crew: Crew) -> list[int]:
    """How much A and B have refused."""
    return [(await crew.town.status(role))["refused"] for role in ("mix-a", "mix-b")]


async def flooded_by_hums(town: Running, times: int) -> dict[str, tuple[int, int]]:
    """Letters, and beside them so many times as many whole junk hums, half for A and half for B to
    refuse; memory and disk once all of it has gone its way."""
    crew, rng = town.crew, random.Random(SEED + times)
    body = (await crew.record()).body
    count = times * LETTERS // 2
    before = await refusals(crew)
    hums = [make(body, rng) for _ in range(count) for make in (for_a_to_refuse, for_b_to_refuse)]
    cells = [hum[at : at + CELL] for hum in hums for at in range(0, len(hum), CELL)]
    flood = asyncio.ensure_future(pour(crew, cells))
    for _ in range(LETTERS):
        await town.writers.one()
    assert await flood == len(cells), "nobody is shut out"
    await town.writers.finish()
    await drained(crew)

    async def refused() -> bool:
        now = await refusals(crew)
        return all(n - b >= count for n, b in zip(now, before, strict=True))

    await until(refused, "A and B refused the flood", UP_S)
    marks = measured(crew)
    said = {r: f"{m / MIB:.0f} MiB, {d / MIB:.1f} MiB on disk" for r, (m, d) in marks.items()}
    print(f"\n{times} junk hums a letter, {2 * count} in all: {said}")
    return marks


async def test_ten_junk_hums_a_letter_shut_no_letter_out(open_town: Open) -> None:
    town = await open_town()
    await flooded_by_hums(town, 10)
    await town.all_delivered(LETTERS)


@pytest.mark.nightly
async def test_a_hundred_junk_hums_a_letter_leave_memory_and_disk_bounded(
    open_town: Open,
) -> None:
    town = await open_town()
    few = await flooded_by_hums(town, 10)
    many = await flooded_by_hums(town, 100)
    again = await flooded_by_hums(town, 100)
    for role in few:
        assert many[role][0] - few[role][0] < MOST_GROWTH
        assert again[role][0] - few[role][0] < MOST_GROWTH
        # The same again is 4.8 MB of cells; B's drops, which nobody fetches meanwhile, are 2 MiB.
        assert again[role][1] - many[role][1] < 3 * MIB, "room is used again"
    await town.all_delivered(3 * LETTERS)
