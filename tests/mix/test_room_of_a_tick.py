"""A tick needs little room on the disk, however many leave: else a disk that is nearly full would
let nobody leave, and so would stay as it is."""

from __future__ import annotations

import shutil
import sqlite3
from collections import namedtuple
from contextlib import suppress
from pathlib import Path

import pytest
from tests.faults.disks import small_disk
from tests.mix.room import AT_ONCE, DAY, TICK, Make, Room

from wallflower.host import disk
from wallflower.host.disk import settle
from wallflower.lab.host import SeededEntropy
from wallflower.mix.edge.mix import Mix
from wallflower.wire.sizes import DAY_S, PARCEL

MIB = 1 << 20
Usage = namedtuple("Usage", "free")
HELD = 8000  # 75 MB


def hold(room: Room, mix: Mix, count: int) -> None:
    """As after a flood, or when A was away for long."""
    today = int(room.town.clock.now() // DAY_S)
    with mix.state.transaction():
        mix.pool.put_each(room.town.record().number, today, [bytes(PARCEL)] * count, bytes)
    mix.settle()


async def test_the_write_ahead_log_of_a_tick_never_holds_all_that_leave(
    make_room: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = await make_room(AT_ONCE)
    hold(room, room.town.a, HELD)
    sizes: list[int] = []

    def measured(db: sqlite3.Connection) -> None:
        sizes.append((room.town.path / "mix-a" / "mix.db-wal").stat().st_size)
        settle(db)

    for module in ("first", "mix"):
        monkeypatch.setattr(f"wallflower.mix.edge.{module}.settle", measured)
    room.town.clock.time += TICK
    await room.town.a.step()
    assert room.a.out.size() == HELD
    assert 0 < max(sizes) < 12 * MIB


async def test_hums_leave_a_disk_that_is_nearly_full_however_many_they_are(
    tmp_path: Path, make_room: Make
) -> None:
    """A real disk: where all that leave have no room in the write-ahead log, some have."""
    with small_disk(tmp_path / "0" / "mix-a", disk.RESERVE + 120 * MIB) as own:
        room = await make_room(AT_ONCE)
        try:
            hold(room, room.town.a, HELD)
            left = shutil.disk_usage(own).free
            (own / "ballast").write_bytes(bytes(left - disk.RESERVE - MIB))
            room.town.clock.time += TICK
            for _ in range(2):
                with suppress(sqlite3.Error):
                    await room.tick()
            assert room.a.counts["parcels"] == HELD
        finally:
            room.town.a.close()


def have_left(monkeypatch: pytest.MonkeyPatch, room: Room, position: str, size: int) -> None:
    """The disk of a mix has so many bytes left, its own empty pages among them."""
    own, true = room.town.path / f"mix-{position}", shutil.disk_usage
    mix = room.town.a if position == "a" else room.town.b
    (empty,) = mix.state.db.execute("PRAGMA freelist_count").fetchone()
    left = Usage(size - empty * disk.PAGE_SIZE)
    monkeypatch.setattr(
        shutil, "disk_usage", lambda path: left if Path(path).parent == own else true(path)
    )


async def held_at(room: Room, position: str) -> Mix:
    """Four letters that have come to a mix, and leave it at its next tick."""
    for n in range(4):
        await room.send(room.hum(room.letter(f"letter {n}"))[:4])
    room.town.clock.time += TICK
    await room.town.a._intake(room.town.record())
    if position == "b":
        room.town.a._tick(room.town.record())
        await room.town.b._intake(room.town.record())
    room.town.clock.time += TICK
    mix = room.town.a if position == "a" else room.town.b
    assert mix.pool.size() == 4
    return mix


@pytest.mark.parametrize("position", ["a", "b"])
async def test_what_is_held_leaves_a_disk_that_has_only_its_reserve_left(
    make_room: Make, monkeypatch: pytest.MonkeyPatch, position: str
) -> None:
    """Nothing else makes room on it, so a mix would stand still after a flood has ended."""
    room = await make_room(AT_ONCE)
    mix = await held_at(room, position)
    await room.send(room.hum(room.letter("one that comes later"))[:4])
    have_left(monkeypatch, room, position, disk.RESERVE - MIB)
    await mix.step()
    assert mix.pool.size() == 0, "nothing was pulled either"
    assert mix.disk_failures == 1, "it rings"
    await room.tick(3)
    assert [text for text in room.texts() if text.startswith("letter")] == [
        f"letter {n}" for n in range(4)
    ]


@pytest.mark.parametrize("position", ["a", "b"])
async def test_half_of_the_reserve_is_left_for_deleting(
    make_room: Make, monkeypatch: pytest.MonkeyPatch, position: str
) -> None:
    room = await make_room(AT_ONCE)
    mix = await held_at(room, position)
    have_left(monkeypatch, room, position, disk.RESERVE // 2 - MIB)
    await mix.step()
    assert mix.pool.size() == 4


@pytest.mark.parametrize("work", ["lay anew", "forget"])
async def test_what_b_remembers_of_a_flood_is_laid_anew_and_forgotten_some_at_a_time(
    make_room: Make, monkeypatch: pytest.MonkeyPatch, work: str
) -> None:
    """A disk that a flood filled has no room for all of it in the write-ahead log; B would stand
    still at the next tick, and again when the flood's days are over."""
    room = await make_room(AT_ONCE)
    b, names, old = room.town.b, SeededEntropy(b"flood").draw, DAY - 60
    monkeypatch.setattr("wallflower.mix.edge.state._LAID", 1000, raising=False)
    with b.state.transaction():
        rows = [(names(32), DAY - 60 * (n % 4)) for n in range(20_000)]
        b.state.db.executemany("INSERT INTO taken VALUES (?, ?)", rows)
    b.settle()
    sizes: list[int] = []

    def measured(db: sqlite3.Connection) -> None:
        sizes.append((room.town.path / "mix-b" / "mix.db-wal").stat().st_size)
        settle(db)

    for module in ("state", "mix"):
        monkeypatch.setattr(f"wallflower.mix.edge.{module}.settle", measured, raising=False)
    room.b._laid = False
    if work == "forget":
        b.state.set_number("day", DAY - 1)
        b._forget(room.town.clock.now())
        rows = [row for row in rows if row[1] > old]
    else:
        room.town.clock.time += TICK
        await b.step()
    assert b.state.db.execute("SELECT * FROM taken").fetchall() == sorted(rows)
    assert 0 < max(sizes) < MIB // 2 + room.town.parameters.slots * PARCEL
