"""A new day needs little room on the disk, however much a pool holds."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from tests.mix.room import AT_ONCE, Make
from tests.mix.test_pool import DAY, open_pool

from wallflower.host.disk import settle
from wallflower.mix.edge.state import State
from wallflower.wire.sizes import DAY_S, PARCEL

MIB = 1 << 20
HELD = 2000  # 17 MB


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
    log = room.town.path / f"mix-{position}" / "mix.db-wal"
    sizes: list[int] = []

    def measured(db: sqlite3.Connection) -> None:
        sizes.append(log.stat().st_size)
        settle(db)

    monkeypatch.setattr("wallflower.mix.edge.mix.settle", measured)
    mix._forget((today + 1) * DAY_S)
    assert {row.record for row in mix.pool.rows()} == {1}
    assert mix.pool.size() == HELD
    keys = {day for (day,) in mix.state.db.execute("SELECT DISTINCT key_day FROM pool")}
    assert keys == {today + 1}
    assert 0 < max(sizes) < 9 * MIB


def test_a_power_cut_between_two_steps_of_a_new_day_loses_nothing(tmp_path: Path) -> None:
    pool = open_pool(tmp_path)
    state, bodies = State(pool._db), [b"%04d" % n for n in range(600)]
    with state.transaction():
        pool.put_each(1, DAY, bodies, bytes)
    steps = pool._older(DAY + 1)
    with state.transaction():
        pool._seal_anew(DAY + 1, next(steps))
    again = open_pool(tmp_path)
    again.new_day(DAY + 1, State(again._db).transaction)
    again.forget_before(DAY + 1)
    assert sorted(again.take(row.name) or b"" for row in again.rows()) == bodies
