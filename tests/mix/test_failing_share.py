"""A share of A whose disk fails for good holds up nobody but its own hums, and no key's end."""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest
from tests.mix.room import AT_ONCE, DAY, TICK, Make, Room
from tests.mix.test_sharing import (
    HUMS,
    SHARES,
    alone,
    arrived,
    held,
    in_threads,
    parcels,
    sent,
    shared,
    start,
    texts,
)

from wallflower.host.disk import PAGE_SIZE, DiskTrouble, Folder
from wallflower.mix.edge.pool import Pool
from wallflower.mix.edge.sharing import database_of
from wallflower.mix.edge.status import report
from wallflower.wire.cells import share_of
from wallflower.wire.sizes import DAY_S

__all__ = ["in_threads"]
pytestmark = pytest.mark.usefixtures("in_threads")
SLOW = replace(AT_ONCE, mean_a=200 * TICK)
BROKEN = 1
TOMORROW, THE_DAY_AFTER = (DAY_S * (DAY + n) + 5 for n in (1, 2))


def fail_for_good(room: Room) -> None:
    """One share's file is damaged, for its worker; for the mix each access to it is an error."""
    room.a._shares[BROKEN].state.db.close()
    (room.town.path / "mix-a" / database_of(BROKEN)).write_bytes(b"x" * PAGE_SIZE)


def of_others(hums: Iterable[list[bytes]]) -> int:
    """How many of these fall into shares that work."""
    return sum(share_of(hum[0], SHARES) != BROKEN for hum in hums)


def pool_keys(room: Room, position: str = "a") -> list[str]:
    return sorted(p.name for p in (room.town.path / f"mix-{position}-keys").glob("pool-*"))


def hop_keys(room: Room, position: str = "a") -> set[int]:
    keys = (room.town.path / f"mix-{position}-keys").glob("hop-*")
    return {int(p.name.removeprefix("hop-")) for p in keys}


async def test_hums_of_all_other_shares_come_and_leave_at_each_tick_and_it_rings(
    make_room: Make,
) -> None:
    async with shared(await make_room()) as room:
        hums = await sent(room)
        room.town.clock.time += TICK
        await room.town.a._intake(room.town.record())
        assert held(room)[BROKEN] > 0
        fail_for_good(room)
        await alone(room)
        assert len(parcels(room)) == of_others(hums) < HUMS
        hums += await sent(room)
        for _ in range(2):
            before = room.town.a.disk_failures
            await alone(room)
            assert room.town.a.disk_failures > before
        assert len(parcels(room)) == of_others(hums)
        assert "disk-failed" in {alarm.name for alarm in report(room.town.a).alarms}
        waiting = room.town.ingress._log.size()
        assert waiting >= 12 * sum(share_of(h[0], SHARES) == BROKEN for h in hums[HUMS:])


async def test_a_share_that_cannot_be_read_hides_no_other_alarm_of_the_mix(
    make_room: Make,
) -> None:
    async with shared(await make_room()) as room:
        fail_for_good(room)
        room.town.clock.time += 9 * TICK
        told = report(room.town.a)
        assert {"disk-failed", "tick-late", "before-silent"} <= {a.name for a in told.alarms}
        assert "pool" not in told.facts


async def test_the_room_of_a_share_that_cannot_be_counted_is_nobody_elses(
    make_room: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What lies there fills the disk all the same (hum 2.7)."""
    monkeypatch.setattr("wallflower.mix.edge.first.MOST_HELD", 3 * HUMS)
    async with shared(await make_room(SLOW)) as room:
        fail_for_good(room)
        await alone(room)
        assert [share.room for share in room.a._shares] == [2 * HUMS // SHARES] * SHARES
        assert not room.a.full


async def test_midnight_seals_all_other_shares_anew_and_the_key_goes_with_that_of_the_hop(
    make_room: Make,
) -> None:
    async with shared(await make_room(SLOW)) as room:
        await sent(room)
        await alone(room)
        today = room.town.record().number
        fail_for_good(room)
        a = room.town.a
        for moment, keys in ((TOMORROW, [DAY, DAY + 1]), (THE_DAY_AFTER, [DAY + 1, DAY + 2])):
            room.town.clock.time = moment
            a._forget(moment)
            assert pool_keys(room) == [f"pool-{day}" for day in keys]
            for share in (s for s in room.a._shares if s.which.number != BROKEN):
                days = share.state.db.execute("SELECT DISTINCT key_day FROM pool").fetchall()
                assert days == [(keys[-1],)]
        assert today not in hop_keys(room)


async def test_a_share_that_failed_at_midnight_alone_loses_nothing(
    make_room: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with shared(await make_room(SLOW)) as room:
        await sent(room)
        await alone(room)
        before = sum(held(room))
        real = Pool.new_day

        def failing(self: Pool, *args: Any) -> None:
            if self is room.a._shares[BROKEN].pool:
                raise sqlite3.OperationalError("disk I/O error")
            real(self, *args)

        room.town.clock.time = TOMORROW
        with monkeypatch.context() as patch:
            patch.setattr(Pool, "new_day", failing)
            room.town.a._forget(TOMORROW)
            assert pool_keys(room) == [f"pool-{DAY}", f"pool-{DAY + 1}"]
        start(room, SHARES)
        assert pool_keys(room) == [f"pool-{DAY + 1}"]
        bodies = [pool.look_at(row.name) for pool in room.a.pools for row in pool.rows()]
        assert None not in bodies
        assert len(bodies) == before


def failing_once(monkeypatch: pytest.MonkeyPatch, room: Room, name: str) -> None:
    """The next call of that of the one share's pool fails at the disk."""
    real, pool = getattr(Pool, name), room.a._shares[BROKEN].pool
    failed: list[Pool] = []

    def failing(self: Pool, *args: object) -> object:
        if self is pool and not failed:
            failed.append(self)
            raise sqlite3.OperationalError("disk I/O error")
        return real(self, *args)

    monkeypatch.setattr(Pool, name, failing)


@pytest.mark.parametrize("where", ["pages", "look_at", "delete"])
async def test_a_share_that_fails_while_hums_leave_loses_and_repeats_nothing(
    make_room: Make, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    async with shared(await make_room()) as room:
        await sent(room)
        room.town.clock.time += TICK
        await room.town.a._intake(room.town.record())
        failing_once(monkeypatch, room, where)
        await alone(room)
        assert room.town.a.disk_failures == 1
        assert await arrived(room) == texts()
        assert room.b.counts["letters"] == HUMS
        assert room.b.counts["refused"] == 0, "no parcel came twice"
        kept = room.town.a.state.db.execute("SELECT count(*) FROM leaving").fetchone()
        assert kept == (0,), "nor is anything remembered of what left"


async def test_shares_are_not_changed_while_what_left_one_of_them_cannot_be_deleted_there(
    make_room: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would leave once more, from where it is moved to."""

    def failing(self: Pool, _names: Iterable[bytes]) -> None:
        raise sqlite3.OperationalError("disk I/O error")

    async with shared(await make_room()) as room:
        await sent(room)
        room.town.clock.time += TICK
        await room.town.a._intake(room.town.record())
        with monkeypatch.context() as patch:
            own = room.town.a.pool
            real = Pool.delete
            patch.setattr(Pool, "delete", lambda s, n: real(s, n) if s is own else failing(s, n))
            await alone(room)
        of_a_share_that_was_moved_away = "INSERT INTO leaving VALUES (9, x'00')"
        room.town.a.state.db.execute(of_a_share_that_was_moved_away)
        with monkeypatch.context() as patch, pytest.raises(DiskTrouble):
            patch.setattr(Pool, "delete", failing)
            start(room, 2)
        start(room, 2)
        assert await arrived(room) == texts()
        assert room.b.counts["refused"] == 0


@pytest.mark.parametrize(("position", "days"), [("a", 2), ("b", 3)])
async def test_keys_end_at_their_time_though_the_database_of_the_mix_itself_fails_for_good(
    make_room: Make, position: str, days: int
) -> None:
    room = await make_room()
    mix = room.town.a if position == "a" else room.town.b
    today = room.town.record().number
    mix.state.db.close()
    for moment, there in (((DAY + days) * DAY_S - 1, True), ((DAY + days) * DAY_S, False)):
        room.town.clock.time = moment
        with pytest.raises(sqlite3.Error):
            mix._forget(moment)
        assert (f"pool-{DAY}" in pool_keys(room, position)) is there
        assert (today in hop_keys(room, position)) is there


@pytest.mark.parametrize("what", ["remove", "names"])
async def test_hop_keys_end_though_nothing_can_be_read_or_deleted_on_the_other_disk(
    make_room: Make, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    """As after errors, when a system lets it be read only."""
    room = await make_room()
    today, files = room.town.record().number, room.town.path / "mix-a" / "records"
    real: Any = getattr(Folder, what)

    def failing(folder: Folder, *args: str) -> object:
        if folder.path == files:
            raise OSError(errno.EROFS, "read-only")
        return real(folder, *args)

    records = room.town.a.records
    with monkeypatch.context() as patch, pytest.raises(OSError, match="read-only"):
        patch.setattr(Folder, what, failing)
        records.forget((DAY + 2) * DAY_S)
    assert today not in hop_keys(room)
    assert records.private(today) is None
    records.forget((DAY + 2) * DAY_S)
    assert records._hops.lost() == set(), "it was no loss, once that disk works"


async def test_a_hop_key_that_cannot_be_erased_keeps_no_other_and_is_tried_again(
    make_room: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = await make_room()
    records, before = room.town.a.records, sorted(hop_keys(room))
    real = Folder.erase

    def failing(folder: Folder, name: str) -> None:
        if name == f"hop-{before[0]}":
            raise OSError(errno.EIO, "fails")
        real(folder, name)

    everything_over = (DAY + 30) * DAY_S
    with monkeypatch.context() as patch, pytest.raises(OSError, match="fails"):
        patch.setattr(Folder, "erase", failing)
        records.forget(everything_over)
    over = {before[0], *(n for n in before if records._body(n) is None)}
    assert hop_keys(room) == over
    records.forget(everything_over)
    assert before[0] not in hop_keys(room)
