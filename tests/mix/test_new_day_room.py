"""A new day needs little room on the disk, however much a pool holds."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path

import pytest
from tests.mix.room import AT_ONCE, Make, PowerCut, Room
from tests.mix.test_pool import DAY, open_pool

from wallflower.host.disk import settle
from wallflower.lab.host import SeededEntropy
from wallflower.mix.edge.state import State
from wallflower.wire.sizes import CELL, DAY_S, HUM_ID, PARCEL

MIB = 1 << 20
HELD = 2000  # 17 MB


def logs_at_the_end(folder: Path, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How large a mix's write-ahead log became each time before the mix emptied it."""
    sizes: list[int] = []

    def measured(db: sqlite3.Connection) -> None:
        sizes.append((folder / "mix.db-wal").stat().st_size)
        settle(db)

    monkeypatch.setattr("wallflower.mix.edge.mix.settle", measured)
    return sizes


@pytest.mark.parametrize("position", ["a", "b"])
async def test_the_write_ahead_log_of_a_new_day_is_no_second_pool(
    make_room: Make, monkeypatch: pytest.MonkeyPatch, position: str
) -> None:
    room = await make_room(AT_ONCE)
    mix = room.town.a if position == "a" else room.town.b
    today = int(room.town.clock.now() // DAY_S)
    with mix.state.transaction():
        mix.pool.put_each(1, today, [bytes(PARCEL)] * HELD, bytes)
    mix.settle()
    sizes = logs_at_the_end(room.town.path / f"mix-{position}", monkeypatch)
    mix._forget((today + 1) * DAY_S)
    assert {row.record for row in mix.pool.rows()} == {1}
    assert mix.pool.size() == HELD
    keys = {day for (day,) in mix.state.db.execute("SELECT DISTINCT key_day FROM pool")}
    assert keys == {today + 1}
    assert 0 < max(sizes) < 9 * MIB


def full_of_hums(db: sqlite3.Connection, records: Sequence[int], held: int) -> None:
    """As after a day of floods: cells that wait, and hums that went on."""
    draw = SeededEntropy(b"hums").draw
    for record in records:
        for _ in range(held):
            hum = draw(HUM_ID)
            db.execute("INSERT INTO seen VALUES (?, ?)", (record, hum))
            db.execute("INSERT INTO gatherings VALUES (?, ?, ?, 1, 0)", (record, hum, draw(8)))
            row = (int.from_bytes(draw(8), signed=True), record, hum, bytes(CELL))
            db.execute("INSERT INTO waiting VALUES (?, ?, ?, 1, ?)", row)


def left(room: Room) -> list[set[int]]:
    """The records that share after share of A knows hums of."""
    tables = ("seen", "gatherings", "waiting")
    return [
        {record for (record,) in db.execute(f"SELECT DISTINCT record FROM {table}")}  # noqa: S608
        for db in room.town.a.databases() for table in tables
    ]  # fmt: skip


async def test_the_write_ahead_log_of_a_new_day_never_holds_all_hums_of_a_day_that_is_over(
    make_room: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = await make_room(AT_ONCE)
    a, gone = room.town.a, room.town.record().number
    with a.state.transaction():
        full_of_hums(a.state.db, (gone, gone + 1), HELD * 2)
    a.settle()
    monkeypatch.setattr("wallflower.mix.edge.state._FORGOTTEN", 128)
    sizes = logs_at_the_end(room.town.path / "mix-a", monkeypatch)
    a._forget((DAY + 2) * DAY_S)
    assert left(room) == [{gone + 1}] * 3, "all of the one, and nothing of the other"
    assert 0 < max(sizes) < 9 * MIB


@pytest.mark.parametrize("table", ["seen", "gatherings", "waiting"])
async def test_a_power_cut_while_a_day_that_is_over_is_forgotten_leaves_nothing_of_it(
    make_room: Make, monkeypatch: pytest.MonkeyPatch, table: str
) -> None:
    room = await make_room(AT_ONCE)
    room.town.workers = 1
    room.restart()
    gone = room.town.record().number
    for db in room.town.a.databases():
        full_of_hums(db, (gone, gone + 1), 20)
    monkeypatch.setattr("wallflower.mix.edge.state._FORGOTTEN", 4)
    real = State.forget

    def cut_in_the_middle(self: State, name: str, record: int) -> None:
        if name == table:
            self.db.execute(f"DELETE FROM {name} WHERE record = ? AND hum < x'80'", (record,))  # noqa: S608
            raise PowerCut
        real(self, name, record)

    with monkeypatch.context() as patch, pytest.raises(PowerCut):
        patch.setattr(State, "forget", cut_in_the_middle)
        room.town.a._forget((DAY + 2) * DAY_S)
    room.town.a._forget((DAY + 2) * DAY_S)
    assert left(room) == [{gone + 1}] * 6


def test_a_power_cut_between_two_steps_of_a_new_day_loses_nothing(tmp_path: Path) -> None:
    pool = open_pool(tmp_path)
    state, bodies = State(pool._db), [b"%04d" % n for n in range(600)]
    with state.transaction():
        pool.put_each(1, DAY, bodies, bytes)
    steps = pool._of_others(DAY + 1)
    with state.transaction():
        pool._seal_anew(DAY + 1, next(steps))
    again = open_pool(tmp_path)
    again.new_day(DAY + 1, State(again._db).transaction)
    again.forget_before(DAY + 1)
    assert sorted(again.take(row.name) or b"" for row in again.rows()) == bodies
