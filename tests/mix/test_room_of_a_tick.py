"""A tick needs little room on the disk, however many leave: else a disk that is nearly full would
let nobody leave, and so would stay as it is."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import suppress
from pathlib import Path

import pytest
from tests.faults.disks import small_disk
from tests.mix.room import AT_ONCE, TICK, Make, Room

from wallflower.host import disk
from wallflower.host.disk import settle
from wallflower.mix.edge.mix import Mix
from wallflower.wire.sizes import DAY_S, PARCEL

MIB = 1 << 20
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
