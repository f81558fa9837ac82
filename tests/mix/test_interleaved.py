"""Cells of several hums that come mixed with one another, and of strangers who mean harm."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest
from tests.mix.room import Make, Room
from tests.wire.drawn import flip

from wallflower.wire.sizes import HUM_CELLS

SEED = 20_778


async def _in_pieces(room: Room, cells: list[bytes], size: int) -> None:
    for at in range(0, len(cells), size):
        await room.send(cells[at : at + size])
        await room.tick()


@pytest.mark.parametrize("size", [1, 7, 48])
async def test_hums_whose_cells_come_in_any_order_are_all_whole(make_room: Make, size: int) -> None:
    room = await make_room()
    texts = sorted(f"letter {n}" for n in range(4))
    cells = [cell for text in texts for cell in room.hum(room.letter(text))]
    random.Random(SEED + size).shuffle(cells)
    if size == 1:
        cells = cells[:30]  # each of so few cells has a tick of its own; not every hum is whole
    await _in_pieces(room, cells, size)
    await room.tick(3)
    arrived = room.texts()
    assert set(arrived) <= set(texts)
    assert len(set(arrived)) == len(arrived)
    assert room.town.a.status()["hums"] == len(arrived)
    if size > 1:
        assert arrived == texts


async def test_pieces_of_one_hum_never_fill_the_holes_of_another(make_room: Make) -> None:
    room = await make_room()
    hums = [room.hum(room.letter(f"letter {n}")) for n in range(4)]
    # Position 1 of each hum is missing; the next hum's piece comes in its place, under its id.
    for hum, following in pairwise(hums):
        await room.send([cell for c, cell in enumerate(hum) if c % 4 != 1])
        await room.send([hum[1][:20] + following[1][20:]])
    await room.tick(3)
    assert room.texts() == []
    assert room.town.a.status()["hums"] == 0


async def test_pieces_sent_under_a_strangers_id_neither_join_it_nor_stop_it(
    make_room: Make,
) -> None:
    """Who saw a hum's id on the wire sends cells of his own under it, before the real ones."""
    room = await make_room()
    mine, other = room.hum(room.letter("mine")), room.hum(room.letter("other"))
    forged = [other[c][:4] + mine[1][4:20] + other[c][20:] for c in (1, 2, 3)]
    await room.send(forged)
    await room.send(mine)
    await room.tick(3)
    assert room.texts() == ["mine"]
    await room.send(other)
    await room.tick(3)
    assert room.texts() == ["mine", "other"]


async def test_a_hello_with_a_bit_turned_is_a_hum_of_its_own_and_the_good_one_arrives(
    make_room: Make,
) -> None:
    room = await make_room()
    cells = room.hum(room.letter("mine"))
    await room.send([flip(cells[0], 12 + at) for at in (0, 1100, 1150)])
    await room.send(cells)
    await room.tick(3)
    assert room.texts() == ["mine"]
    assert len(cells) == HUM_CELLS
