"""10,000 replayed cells, whole hums among them, across restarts and an epoch change: nothing twice.

On the simulated host, with the roles' own code.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Iterable
from dataclasses import replace
from pathlib import Path

import pytest
from tests.mix.room import AT_ONCE, Room, room_on

from wallflower.wire.hello import Kind
from wallflower.wire.sizes import DAY_S, HUM_CELLS

LETTERS = 60
TABS = 12  # so many letters ride in two hums
REPLAYED = 10_000
AT_A_TIME = 400
SEED = 20_778


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[Room]:
    hour = 3600
    one = room_on(tmp_path, replace(AT_ONCE, mean_a=hour, mean_b=hour, tick=hour, slots=24))
    await one.open()
    yield one
    one.town.close()


class Tape:
    """Everything that somebody on the way has recorded, and plays again."""

    def __init__(self, room: Room, hums: list[list[bytes]]) -> None:
        self._room = room
        self._hums = hums
        self._rng = random.Random(SEED)
        self.replayed = 0

    async def send(self, cells: Iterable[bytes]) -> None:
        """Post cells to ingress, many at once."""
        rest = list(cells)
        while rest:
            now, rest = rest[:AT_A_TIME], rest[AT_A_TIME:]
            await asyncio.gather(*(self._room.send([cell]) for cell in now))

    async def replay(self, *, whole: bool) -> None:
        """Everything once more: hum after hum, or all cells in some order."""
        hums = self._rng.sample(self._hums, len(self._hums))
        cells = [cell for hum in hums for cell in hum]
        if not whole:
            self._rng.shuffle(cells)
        await self.send(cells)
        self.replayed += len(cells)
        await self._room.tick()


async def record(room: Room) -> tuple[Tape, list[str]]:
    """Letters of known texts, some in two hums, are sent; the tape, and the texts."""
    texts = sorted(f"letter {n:03}" for n in range(LETTERS))
    letters = [room.letter(text) for text in texts]
    hums = [room.hum(letter) for letter in letters + letters[:TABS]]
    hums += [room.hum(kind=Kind.COVER) for _ in range(8)]
    tape = Tape(room, hums)
    await tape.send(cell for hum in hums for cell in hum)
    return tape, texts


async def day_after(room: Room, days: int = 1) -> None:
    """Let days pass."""
    await room.town.pass_time(days * DAY_S)


async def test_ten_thousand_replayed_cells_and_whole_hums_deliver_nothing_twice(room: Room) -> None:
    tape, texts = await record(room)
    numbers = []
    for then in ("same day", "restart", "delivered", "next day", "restart", "key dead"):
        if then == "restart":
            room.restart()
        elif then == "delivered":
            await room.tick(4)
            assert room.texts() == texts
        elif then == "next day":
            await day_after(room)
        elif then == "key dead":
            await day_after(room, 2)
        numbers.append(room.town.record().number)
        await tape.replay(whole=True)
        await tape.replay(whole=False)
    await room.tick(4)
    assert len(set(numbers)) > 2, "epochs changed meanwhile"
    assert tape.replayed == 12 * (LETTERS + TABS + 8) * HUM_CELLS >= REPLAYED
    assert room.texts() == texts
    print(f"\n{tape.replayed} cells replayed, {len(texts)} letters, under records {numbers}")


async def test_mixes_that_forget_what_they_have_seen_deliver_twice(room: Room) -> None:
    """The control: the same tape and the same counting, after both memories were emptied."""
    tape, texts = await record(room)
    await room.tick(4)
    assert room.texts() == texts
    room.town.a.state.db.execute("DELETE FROM seen")
    room.town.b.state.db.execute("DELETE FROM taken")
    await tape.replay(whole=True)
    await room.tick(4)
    assert room.texts() == sorted(2 * texts)
