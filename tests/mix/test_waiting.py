"""Floods of cells that never become a hum: A keeps so many, loses by lot, and opens nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import pairwise

import pytest
from tests.mix.room import AT_ONCE, Make, Room

from wallflower.crypto import hpke
from wallflower.lab.host import SeededEntropy
from wallflower.mix.edge import waiting
from wallflower.wire.cell import seal_body
from wallflower.wire.cells import read_name
from wallflower.wire.sizes import BODY_PIECE, CELL, HUM_CELLS, HUM_ID

BOUND = 240


@pytest.fixture(autouse=True)
def bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """A small bound, so that floods are short."""
    monkeypatch.setattr(waiting, "MOST_WAITING", BOUND)


@pytest.fixture
def openings(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Every seal to A that is decapsulated from now on."""
    seen: list[bytes] = []
    real = hpke.open_each

    def watched(
        private: hpke.PrivateKey, info: bytes, seals: Iterable[bytes | memoryview]
    ) -> list[bytes | None]:
        many = list(map(bytes, seals))
        seen.extend(many)
        return real(private, info, many)

    monkeypatch.setattr(hpke, "open_each", watched)
    return seen


def rows(room: Room) -> int:
    """How many cells really wait on the disk."""
    return int(room.town.a.state.db.execute("SELECT count(*) FROM waiting").fetchone()[0])


async def test_cells_that_wait_are_numbered_by_what_is_drawn(make_room: Make) -> None:
    room = await make_room()
    db, arrived = room.town.a.state.db, list[int]()
    for _ in range(30):
        await room.send(hellos(room, 1))
        await room.tick()
        arrived += {n for (n,) in db.execute("SELECT rowid FROM waiting")} - set(arrived)
    assert len(arrived) == 30
    rising = sum(a < b for a, b in pairwise(arrived))
    assert 5 <= rising <= 24  # of 29 neighbours half, with a deviation of 1.6
    assert max(arrived) - min(arrived) > 2**61, "they lie everywhere"
    columns = [row[1] for row in db.execute("PRAGMA table_info(waiting)")]
    assert columns == ["name", "record", "hum", "counter", "cell"]


def bodies(room: Room, count: int, ids: Iterable[bytes] = ()) -> list[bytes]:
    """Body cells of hums whose hello never comes, under ids that the flood chooses."""
    draw, number = SeededEntropy(b"bodies").draw, room.town.record().number
    chosen = list(ids) or [draw(HUM_ID) for _ in range(count)]
    return [bytes([1, 1]) + number.to_bytes(2) + i + draw(CELL - 4 - HUM_ID) for i in chosen]


def hellos(room: Room, count: int) -> list[bytes]:
    """Hellos that would open, of hums that never come."""
    return [room.hum()[0] for _ in range(count)]


async def test_no_flood_of_any_kind_keeps_more_cells_than_the_bound(
    make_room: Make, openings: list[bytes]
) -> None:
    room = await make_room()
    draw = SeededEntropy(b"kinds").draw
    many = [cell for _ in range(20) for n, cell in enumerate(room.hum()) if n % 4 != 2]
    for flood in (bodies(room, 400), hellos(room, 60), many, [draw(CELL) for _ in range(300)]):
        for at in range(0, len(flood), 100):
            room.take(flood[at : at + 100])
            assert room.a.share.waiting.cells() == rows(room) <= BOUND
    assert rows(room) > BOUND - HUM_CELLS, "the control: the bound was reached"
    assert room.town.a.status()["lost_by_lot"] > 200
    assert openings == [], "what is not whole costs no decapsulation"


async def test_a_whole_hum_comes_through_any_flood_and_is_never_in_the_lot(
    make_room: Make,
) -> None:
    room = await make_room()
    for n in range(5):
        flood = bodies(room, 2 * BOUND)
        cells = room.hum(room.letter(f"letter {n}"))
        room.take([*flood[:BOUND], *cells[:2], *flood[BOUND:], *cells[2:4]])
    assert room.town.a.status()["hums"] == 5
    await room.tick(4)
    assert room.texts() == [f"letter {n}" for n in range(5)]


async def test_who_chooses_ids_does_not_choose_who_leaves(make_room: Make) -> None:
    """Honest ids are hashes and lie everywhere; a flood may put all of its own in one place."""
    room = await make_room()
    draw = SeededEntropy(b"honest").draw
    third = BOUND // 3
    honest = [draw(HUM_ID) for _ in range(third)]
    room.take(bodies(room, 0, honest))
    for base in (bytes(8), b"\xff" * 8):
        room.take(bodies(room, 0, [base + draw(8) for _ in range(third)]))
    assert room.a.share.waiting.cells() == BOUND
    room.take(bodies(room, 0, [b"\x7f" * 8 + draw(8) for _ in range(BOUND)]))
    number = room.town.record().number
    kept = len(room.a.share.waiting.gathered(number, honest))
    # Half of all 480 leave: of 80 honest ones 40, with a deviation of about 4.
    assert 22 <= kept <= 58


async def test_lots_do_not_favour_who_came_first_or_last(make_room: Make) -> None:
    room = await make_room()
    number, kept = room.town.record().number, [0, 0]
    for turn in range(6):
        draw = SeededEntropy(b"turn %d" % turn).draw
        waves = [[draw(HUM_ID) for _ in range(BOUND // 2)] for _ in range(4)]
        for wave in waves:
            room.take(bodies(room, 0, wave))
        for late, wave in ((0, waves[0]), (1, waves[3])):
            kept[late] += len(room.a.share.waiting.gathered(number, wave))
    early, late = kept
    assert late > early > 60, "older ones have stood more lots, and were no easier prey in each"


async def test_a_hum_costs_at_most_three_decapsulations(
    make_room: Make, openings: list[bytes]
) -> None:
    room = await make_room()
    cells, number = room.hum(), room.town.record().number
    name = read_name(cells[0])[2]
    room.take(cells[:3])
    for n in range(20):
        junk = seal_body(b"%032d" % n, 3, number, name, bytes(BODY_PIECE)).encode()
        room.take([junk])
    assert len(openings) == 3
    assert room.a.share.seen(number, [name])
    assert rows(room) == 0
    assert room.town.a.status()["refused"] == 1
    room.take(cells)
    assert len(openings) == 3


async def test_an_honest_hum_of_which_two_copies_broke_still_becomes_whole(
    make_room: Make, openings: list[bytes]
) -> None:
    room = await make_room()
    cells = room.hum(room.letter("at last"))

    def broken(counter: int) -> bytes:
        return cells[counter][:-1] + bytes([cells[counter][-1] ^ 1])

    room.take([*cells[:3], broken(3)])
    room.take([broken(7)])
    assert room.town.a.status()["hums"] == 0
    room.take([cells[11]])
    assert room.town.a.status()["hums"] == 1
    assert len(openings) == 3


async def test_what_loses_its_lot_changes_no_count_of_b(make_room: Make) -> None:
    room = await make_room(replace(AT_ONCE, floor=1000))
    room.take(bodies(room, 3 * BOUND))
    for _ in range(7):
        room.take(room.hum())
    room.take(bodies(room, 3 * BOUND))
    await room.tick(3)
    assert room.town.a.status()["lost_by_lot"] > BOUND
    assert room.town.b.status()["seen_since_release"] == room.town.b.status()["covers"] == 7


async def test_forgetting_a_record_forgets_its_gatherings(make_room: Make) -> None:
    room = await make_room()
    room.take(bodies(room, 100))
    room.town.clock.time += 3 * 86400
    await room.town.step()
    await room.tick()
    assert (room.a.share.waiting.cells(), rows(room)) == (0, 0)
