"""What one round takes does not fill the disk either: its reserve is looked for at each page."""

from __future__ import annotations

import shutil
from collections import namedtuple
from pathlib import Path

import pytest
from tests.mix.room import AT_ONCE, TICK, Make
from tests.mix.test_sharing import in_threads, shared

from wallflower.host import disk

HUMS = 48
PAGE = 24  # cells: with whole hums of four cells six of them
KIB = 1 << 10
SPARE = 200 * KIB  # beside the reserve: some twenty hums
OF_A_PAGE = 200 * KIB  # its hums in the log, and in the pool
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


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """A small reserve, small pages, and no places made beforehand."""
    monkeypatch.setattr(disk, "RESERVE", 400 * KIB)
    monkeypatch.setattr("wallflower.mix.edge.mix.PAGE", {"a": PAGE, "b": PAGE})
    monkeypatch.setattr("wallflower.mix.edge.places._FEW", 0)


@pytest.mark.parametrize("shares", [1, 2])
async def test_a_round_leaves_the_reserve_of_its_disk_however_much_waits(
    make_room: Make, in_threads: None, monkeypatch: pytest.MonkeyPatch, shares: int
) -> None:
    async with shared(await make_room(AT_ONCE), shares) as room:
        for n in range(HUMS):
            await room.send(room.hum(room.letter(f"letter {n}"))[:4])
        small = Disk(room.town.path, monkeypatch)
        room.town.clock.time += TICK
        await room.town.a.step()
        assert 0 < room.a.counts["hums"] < HUMS
        assert small.free() >= disk.RESERVE - shares * OF_A_PAGE
        ticks = 0
        while room.b.counts["letters"] < HUMS:
            await room.tick()
            ticks += 1
            assert ticks < 30, "it does not go on, although B makes room"
