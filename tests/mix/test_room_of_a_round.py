"""What one round takes does not fill the disk: each page is as large as there is room for."""

from __future__ import annotations

import shutil
import sqlite3
from collections import namedtuple
from contextlib import suppress
from pathlib import Path

import pytest
from tests.faults.disks import small_disk
from tests.mix.room import AT_ONCE, DAY, TICK, Make
from tests.mix.test_sharing import in_threads, shared

from wallflower.host import disk
from wallflower.lab.host import SeededEntropy
from wallflower.mix.edge.mix import PAGE as PAGES
from wallflower.wire.sizes import BODY_HEADER, CELL, HUM_ID, PARCEL, VERSION

HUMS = 48
PAGE = 24  # cells: with whole hums of four cells six of them
KIB = 1 << 10
SPARE = 200 * KIB  # beside the reserve: some twenty hums
OF_A_PAGE = 200 * KIB  # its hums in the log, and in the pool
WHOLE_PAGE = PAGES["a"]
Usage = namedtuple("Usage", "free")

__all__ = ["in_threads"]


class Disk:
    """A's own disk, so large that its reserve and SPARE are left on it now."""

    def __init__(self, town: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._folder, true = town / "mix-a", shutil.disk_usage
        self._size = self._taken() + disk.RESERVE + SPARE

        def usage(path: str) -> object:
            return Usage(self.free()) if Path(path).parent == self._folder else true(path)

        monkeypatch.setattr(shutil, "disk_usage", usage)

    def _taken(self) -> int:
        return sum(path.stat().st_size for path in self._folder.glob("*.db*"))

    def free(self) -> int:
        return self._size - self._taken()


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """A small reserve, small pages, and no places made beforehand."""
    monkeypatch.setattr(disk, "RESERVE", 400 * KIB)
    monkeypatch.setattr("wallflower.mix.edge.mix.PAGE", {"a": PAGE, "b": PAGE})
    monkeypatch.setattr("wallflower.mix.edge.places._FEW", 0)


@pytest.mark.parametrize("shares", [1, 2])
async def test_a_round_leaves_the_reserve_of_its_disk_however_much_waits(
    make_room: Make, in_threads: None, small: None, monkeypatch: pytest.MonkeyPatch, shares: int
) -> None:
    async with shared(await make_room(AT_ONCE), shares) as room:
        for n in range(HUMS):
            await room.send(room.hum(room.letter(f"letter {n}"))[:4])
        own = Disk(room.town.path, monkeypatch)
        room.town.clock.time += TICK
        await room.town.a.step()
        assert 0 < room.a.counts["hums"] < HUMS
        assert own.free() >= disk.RESERVE - shares * OF_A_PAGE
        ticks = 0
        while room.b.counts["letters"] < HUMS:
            await room.tick()
            ticks += 1
            assert ticks < 30, "it does not go on, although B makes room"


async def test_a_whole_page_of_a_flood_on_a_disk_that_is_nearly_full_ends_nothing(
    tmp_path: Path, make_room: Make
) -> None:
    """A real disk: where more lies in the write-ahead log than the database has room for, nothing
    can be deleted any more, so that B makes no room either."""
    with small_disk(tmp_path / "0" / "mix-a", disk.RESERVE + (20 << 20)) as own:
        room = await make_room(AT_ONCE)
        try:
            for n in range(4):
                await room.send(room.hum(room.letter(f"letter {n}"))[:4])
            room.town.clock.time += TICK
            await room.town.a.step()
            assert room.a.out.size() == 4
            flood, record = SeededEntropy(b"flood").draw, room.town.record().number
            head = bytes([VERSION, 1]) + record.to_bytes(2)
            cells = [head + flood(HUM_ID) + bytes(CELL - BODY_HEADER) for _ in range(WHOLE_PAGE)]
            room.town.ingress._log.append(room.town.ingress._today(), cells)
            (empty,) = room.town.a.state.db.execute("PRAGMA freelist_count").fetchone()
            left = shutil.disk_usage(own).free + empty * disk.PAGE_SIZE
            (own / "ballast").write_bytes(bytes(left - disk.RESERVE - 1024 * KIB))
            room.town.clock.time += TICK
            for _ in range(3):
                with suppress(sqlite3.Error):
                    await room.tick()
            assert room.b.counts["letters"] == 4
            assert room.a.out.size() == 0
        finally:
            room.town.a.close()


async def test_a_disk_that_a_flood_filled_takes_pages_again_once_the_flood_has_left(
    tmp_path: Path, make_room: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A real disk: the database does not shrink, so its empty pages are all the room there is, and
    none of it is for the write-ahead log."""
    monkeypatch.setattr(disk, "RESERVE", 6 << 20)
    monkeypatch.setitem(PAGES, "a", 1024)
    with small_disk(tmp_path / "0" / "mix-a", 120 << 20) as own:
        room = await make_room(AT_ONCE)
        try:
            a, record = room.town.a, room.town.record().number
            for _ in range(10):
                with a.state.transaction():
                    a.pool.put_each(record, DAY, [bytes(PARCEL)] * 1000, bytes)
                a.settle()
            names = [row.name for row in a.pool.rows()]
            for at in range(0, len(names), 500):
                with a.state.transaction():
                    a.pool.delete(names[at : at + 500])
                a.settle()
            left = shutil.disk_usage(own).free
            (own / "ballast").write_bytes(bytes(left - disk.RESERVE))
            flood = SeededEntropy(b"flood").draw
            head = bytes([VERSION, 1]) + record.to_bytes(2)
            cells = [head + flood(HUM_ID) + bytes(CELL - BODY_HEADER) for _ in range(6000)]
            room.town.ingress._log.append(room.town.ingress._today(), cells)
            await room.send(room.hum(room.letter("behind them"))[:4])
            for _ in range(3):
                with suppress(sqlite3.Error):
                    await room.tick()
            assert room.b.counts["letters"] == 1
        finally:
            room.town.a.close()
