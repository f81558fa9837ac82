"""Hums of A in several shares: each on a database of its own, filled by somebody else, and for
everybody outside of A one pool."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Set
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import pairwise
from types import SimpleNamespace

import pytest
from tests.host.sockets import serving
from tests.host.waiting import wait_until
from tests.mix.room import AT_ONCE, DAY, TICK, Make, Room, power_cut_at
from tests.mix.test_workers import runs

from wallflower.host.asgi import Receive, Scope, Send
from wallflower.host.disk import settle
from wallflower.host.loops import LoopSettings
from wallflower.mix.edge import sharing as sharing_module
from wallflower.mix.edge.first import First
from wallflower.mix.edge.intake import Source
from wallflower.mix.edge.pool import Pool
from wallflower.mix.edge.share import Share
from wallflower.mix.edge.sharing import Sharing, database_of
from wallflower.mix.edge.state import State
from wallflower.mix.edge.workers import WorkerGone, Workers
from wallflower.wire.cells import read_name, share_of, share_of_hum
from wallflower.wire.hello import Kind
from wallflower.wire.loop import STEP_S, loop_at, step_of
from wallflower.wire.sizes import DAY_S

SHARES = 3
HUMS = 18
FEW = 8
SLOW = replace(AT_ONCE, mean_a=200 * TICK)
Open = Callable[..., Awaitable[Room]]


class InThread:
    """A worker that is a thread: what it does is the same, and needs no half a second to start."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1)
        self._given: list[Future[object]] = []

    def give(self, work: Callable[..., object], *args: object) -> None:
        self._given.append(self._thread.submit(work, *args))

    def result(self) -> object:
        return self._given.pop(0).result()


@pytest.fixture
def in_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers are threads."""
    threads = [InThread() for _ in range(SHARES)]
    monkeypatch.setattr(Workers, "started", lambda self: threads[: self.count])


@asynccontextmanager
async def shared(room: Room, shares: int = SHARES) -> AsyncIterator[Room]:
    """A starts again with so many shares; ingress' inner listener has a socket for its workers."""

    async def inner(scope: Scope, receive: Receive, send: Send) -> None:
        await room.town.ingress.inner(scope, receive, send)

    async with serving(inner) as port:
        room.town.inner = f"http://127.0.0.1:{port}/cells"
        room.town.net.apps[f"127.0.0.1:{port}"] = inner
        start(room, shares)
        try:
            yield room
        finally:
            room.town.a.close()


def start(room: Room, shares: int) -> None:
    """A's process begins anew with so many shares."""
    room.town.a.close()
    room.town.workers = shares - 1
    room.restart()


def held(room: Room) -> list[int]:
    """How many hums each share holds."""
    return [pool.size() for pool in room.a.pools]


def parcels(room: Room) -> list[bytes]:
    return [entry.body for entry in room.a.out.read(0, 1000)]


async def alone(room: Room) -> None:
    """Only A does what is due."""
    room.town.clock.time += TICK
    await room.town.a.step()


async def sent(room: Room, count: int = HUMS, cells: slice = slice(None)) -> list[list[bytes]]:
    """So many letters, of each these cells."""
    hums = [room.hum(room.letter(f"letter {n}")) for n in range(count)]
    for hum in hums:
        await room.send(hum[cells])
    return hums


async def halves_sent(room: Room, count: int) -> list[list[bytes]]:
    """So many hums of which the first two cells came."""
    halves = [room.hum(room.letter(f"half {n}")) for n in range(count)]
    for half in halves:
        await room.send(half[:2])
    await alone(room)
    return halves


async def see_halves_whole_and_the_rest_as_copies(
    room: Room, hums: list[list[bytes]], halves: list[list[bytes]]
) -> None:
    """What came whole comes again, and of each half what was missing."""
    for hum, half in zip(hums, halves, strict=True):
        await room.send(hum)
        await room.send(half[6:8])
    await alone(room)
    assert room.town.a.status()["hums"] == len(halves), "the halves became whole"
    assert room.town.a.status()["copies"] == 12 * len(hums), "the rest were copies"


def texts(count: int = HUMS) -> list[str]:
    return sorted(f"letter {n}" for n in range(count))


async def arrived(room: Room, ticks: int = 10) -> list[str]:
    await room.tick(ticks)
    return room.texts()


async def test_every_hum_is_held_by_the_share_that_its_id_names_and_arrives_once(
    make_room: Make, in_threads: None
) -> None:
    async with shared(await make_room(SLOW)) as room:
        hums = await sent(room)
        await alone(room)
        named = [share_of(hum[0], SHARES) for hum in hums]
        left = len(parcels(room))
        assert sum(held(room)) == HUMS - left
        assert len(set(named)) > 1, "they were spread: all in one is a chance of 1 in 100 million"
        names = {read_name(hum[0])[2]: of for hum, of in zip(hums, named, strict=True)}
        for share in room.a._shares:
            mine = {name for name, of in names.items() if of == share.which.number}
            assert share.seen(room.town.record().number, names) == mine
        assert room.town.a.status()["hums"] == HUMS
        assert room.town.ingress._log.size() == 0, "A has everything, and ingress nothing"


async def test_letters_come_out_of_all_shares_once_and_later_copies_not_again(
    make_room: Make, in_threads: None
) -> None:
    async with shared(await make_room()) as room:
        hums = await sent(room)
        await room.tick(2)
        for hum in hums:
            await room.send(hum)
        assert await arrived(room) == texts()
        assert room.town.a.status()["hums"] == HUMS
        assert room.town.a.status()["copies"] == 12 * HUMS


async def test_halves_that_come_in_two_rounds_are_whole_in_every_share(
    make_room: Make, in_threads: None
) -> None:
    async with shared(await make_room()) as room:
        hums = await sent(room, cells=slice(2))
        await alone(room)
        assert parcels(room) == []
        for hum in hums:
            await room.send(hum[6:8])
        assert await arrived(room) == texts()


async def test_what_leaves_tells_b_nothing_of_the_share_that_it_lay_in(
    make_room: Make, in_threads: None
) -> None:
    room = await make_room(SLOW)
    async with shared(room, 2):
        hums = await sent(room, 40)
        await alone(room)
        of: dict[bytes, int] = {}
        for share in room.a._shares:
            of |= {share.pool.look_at(r.name) or b"": share.which.number for r in share.pool.rows()}
        room.town.clock.time = (DAY + 2) * DAY_S - 60  # all are flushed
        room.a.tick(room.town.record())
        assert held(room) == [0, 0]
        kept = (room.town.path / "mix-a" / "share-1.db-wal").stat().st_size
        assert kept == 0, "nor is what left in a write-ahead log"
        order = [of[parcel] for parcel in parcels(room) if parcel in of]
        assert len(order) > len(hums) - 5
        runs_of_one = 1 + sum(a != b for a, b in pairwise(order))
        # Of forty in two shares an even order has about twenty runs; one after the other has two.
        assert runs_of_one > 8


@pytest.mark.parametrize("at", ["before all", "before the first", "before the second"])
async def test_a_power_cut_while_hums_leave_other_shares_loses_and_repeats_nothing(
    make_room: Make, in_threads: None, at: str
) -> None:
    async with shared(await make_room()) as room:
        hums = await sent(room)
        own = sum(share_of(hum[0], SHARES) == 0 for hum in hums)  # these are deleted at once
        room.town.clock.time += TICK
        where: dict[str, tuple[object, str, int]] = {
            "before all": (First, "settle", 0),
            "before the first": (Pool, "delete", own),
            "before the second": (Pool, "delete", own + 1),
        }
        with power_cut_at(*where[at]):
            await room.town.a.step()
        assert len(parcels(room)) == HUMS
        assert 0 < sum(held(room)) < HUMS, "those of other shares are still there"
        room.restart()
        assert await arrived(room) == texts()
        assert room.town.a.status()["pool"] == 0
        assert room.b.counts["letters"] == HUMS
        assert room.b.counts["refused"] == 0, "no parcel came twice"
        kept = room.town.a.state.db.execute("SELECT count(*) FROM leaving").fetchone()
        assert kept == (0,), "nor is anything remembered of what left"


@pytest.mark.parametrize(("before", "after"), [(1, 3), (3, 1), (3, 2), (2, 3)])
async def test_another_number_of_workers_loses_nothing_and_repeats_nothing(
    make_room: Make, in_threads: None, before: int, after: int
) -> None:
    async with shared(await make_room(SLOW), before) as room:
        hums = await sent(room)
        halves = await halves_sent(room, HUMS)
        waiting, number = sum(held(room)), room.town.record().number
        start(room, after)
        assert len(held(room)) == after
        assert sum(held(room)) == waiting
        names = [read_name(hum[0])[2] for hum in hums]
        for share in room.a._shares:
            mine = {name for name in names if share_of_hum(name, after) == share.which.number}
            assert share.seen(number, names) == mine
        data = room.town.path / "mix-a"
        there = [n for n in range(4) if (data / database_of(n)).exists()]
        assert there == list(range(after))
        await see_halves_whole_and_the_rest_as_copies(room, hums, halves)


# Before, where a change is cut short, and after. Of the last two the one goes back to the number
# that was remembered, the other to one under which nobody would have looked for the others' files.
CUT_SHORT = [(1, 3, 2), (3, 2, 3)]
MORE_OF_THEM = [(3, 2, 2), (2, 3, 1), (3, 1, 2), (2, 1, 3), (1, 3, 1)]


@pytest.mark.parametrize(
    ("before", "cut_short", "after"),
    [*CUT_SHORT, *(pytest.param(*one, marks=pytest.mark.nightly) for one in MORE_OF_THEM)],
)
async def test_wherever_a_change_of_shares_is_cut_short_the_next_start_takes_in_all_once(
    make_room: Make, in_threads: None, before: int, cut_short: int, after: int
) -> None:
    """At each transaction in turn, over and over: from whatever lies there the next one begins."""
    async with shared(await make_room(SLOW), before) as room:
        hums = await sent(room, FEW)
        halves = await halves_sent(room, FEW)
        names = [read_name(hum[0])[2] for hum in hums]
        inside = sorted(body(room))
        number = 0
        while cut(room, cut_short, number):
            for shares in (after, before) if number % 3 == 0 else (after,):
                start(room, shares)
                assert sorted(body(room)) == inside
                for share in room.a._shares:
                    own = {n for n in names if share_of_hum(n, shares) == share.which.number}
                    assert share.seen(room.town.record().number, names) == own
                there = (room.town.path / "mix-a").glob("share-*.db")
                assert {p.name for p in there} == {database_of(n) for n in range(1, shares)}
            start(room, before)
            number += 1
        assert number > 6, "it was cut in many places"
        await see_halves_whole_and_the_rest_as_copies(room, hums, halves)


def body(room: Room) -> list[bytes]:
    """What A holds."""
    pools = ((pool, row.name) for pool in room.a.pools for row in pool.rows())
    return [pool.look_at(name) or b"" for pool, name in pools]


def cut(room: Room, shares: int, number: int) -> bool:
    """Start with so many shares, and stop before that transaction; whether it came to it."""
    room.town.a.close()
    room.town.workers = shares - 1
    try:
        with power_cut_at(State, "transaction", number):
            room.restart()
    except pytest.fail.Exception:  # it came to its end
        return False
    return True


async def test_what_left_another_share_before_shares_are_changed_does_not_leave_again(
    make_room: Make, in_threads: None
) -> None:
    async with shared(await make_room()) as room:
        hums = await sent(room)
        assert {share_of(hum[0], SHARES) for hum in hums} == {0, 1, 2}
        room.town.clock.time += TICK
        with power_cut_at(First, "settle", 0):
            await room.town.a.step()
        assert len(parcels(room)) == HUMS
        room.town.workers = 0
        room.restart()
        assert held(room) == [0]
        assert await arrived(room) == texts()
        assert room.b.counts["letters"] == HUMS


def marked(room: Room, monkeypatch: pytest.MonkeyPatch) -> frozenset[bytes]:
    """Have A take as many marks as there are hums for loops of ours."""
    marks = frozenset(bytes([n]) * 32 for n in range(HUMS))
    monkeypatch.setattr(room.town.a.loops, "marks", lambda: marks)
    return marks


async def test_loops_of_ours_are_known_in_every_share_and_held_in_none(
    make_room: Make, in_threads: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with shared(await make_room(SLOW)) as room:
        marks = marked(room, monkeypatch)
        came: set[bytes] = set()

        def own(found: Set[bytes]) -> Set[bytes]:
            came.update(found & marks)
            return found & marks

        monkeypatch.setattr(room.town.a.loops, "own", own)
        for share in room.a._shares:
            monkeypatch.setattr(
                share, "_rules", replace(share._rules, ours=marks.__and__, came=own)
            )
        for mark in marks:
            await room.send(room.hum(key_a=mark))
        await alone(room)
        assert came == marks
        assert sum(held(room)) == 0
        assert room.town.a.status()["loops"] == HUMS


async def test_loops_that_came_are_remembered_where_the_disk_then_fails_for_a_share(
    make_room: Make, in_threads: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their hums are done with, so they never come again."""
    async with shared(await make_room(SLOW)) as room:
        marks = marked(room, monkeypatch)
        came: set[bytes] = set()
        monkeypatch.setattr(room.town.a.loops, "own", came.update)
        hums = {mark: room.hum(key_a=mark) for mark in marks}
        for hum in hums.values():
            await room.send(hum)

        def failing(db: sqlite3.Connection) -> None:
            settle(db)
            if "share-1" in db.execute("PRAGMA database_list").fetchone()[2]:
                raise sqlite3.OperationalError("disk I/O error")

        monkeypatch.setattr("wallflower.mix.edge.sharing.settle", failing)
        room.town.clock.time += TICK
        before = room.town.a.disk_failures
        await room.town.a.step()
        assert room.town.a.disk_failures > before
        others = {mark for mark, hum in hums.items() if share_of(hum[0], SHARES)}
        assert {share_of(hums[mark][0], SHARES) for mark in others} == {1, 2}
        assert others <= came


async def test_midnight_seals_all_shares_anew_and_the_key_of_the_day_before_is_gone(
    make_room: Make, in_threads: None
) -> None:
    async with shared(await make_room(SLOW)) as room:
        await sent(room)
        await alone(room)
        before = sum(held(room))
        room.town.clock.time = (DAY + 1) * DAY_S + 5
        room.town.a._forget(room.town.clock.time)
        keys = room.town.path / "mix-a-keys"
        assert [p.name for p in keys.glob("pool-*")] == [f"pool-{DAY + 1}"]
        bodies = [pool.look_at(row.name) for pool in room.a.pools for row in pool.rows()]
        assert None not in bodies
        assert len(bodies) == before
        room.town.clock.time = (DAY + 2) * DAY_S + 5
        room.town.a._forget(room.town.clock.time)
        assert [share.records() for share in room.a._shares] == [set()] * SHARES


async def test_a_lost_key_of_the_day_is_made_anew_before_any_worker_needs_it(
    make_room: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each would make one of its own over that of another, whose hums nobody could open."""
    room = await make_room()
    start(room, 2)
    [key] = (room.town.path / "mix-a-keys").glob("pool-*")
    key.unlink()
    there: list[bool] = []
    monkeypatch.setattr(Sharing, "begin", lambda *_: there.append(key.exists()))
    room.a.begin_round(Source("http://inner.example/cells", "t", 1, 1), 1.0)
    assert there == [True]


async def test_a_share_whose_disk_fails_keeps_its_cells_at_ingress_until_it_works(
    make_room: Make, in_threads: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with shared(await make_room()) as room:
        await sent(room)
        real = Share.take

        def failing(self: Share, answer: object) -> None:
            if self.which.number == 1:
                raise OSError(28, "no space left")
            real(self, answer)  # type: ignore[arg-type]

        monkeypatch.setattr(Share, "take", failing)
        before = room.town.a.disk_failures
        await alone(room)
        assert room.town.a.disk_failures == before + 1
        assert room.town.ingress._log.size() > 0
        monkeypatch.setattr(Share, "take", real)
        assert await arrived(room) == texts()


async def test_what_a_round_that_was_cut_short_left_on_its_way_is_not_taken_for_the_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With a real process, which says what it was asked."""
    monkeypatch.setattr(sharing_module, "_work", str)
    workers = Workers(1)
    sharing = Sharing(workers)
    try:
        sharing.begin(["cut short"])  # type: ignore[list-item]
        sharing.begin(["next"])  # type: ignore[list-item]
        assert await sharing.finish() == ["next"]  # type: ignore[comparison-overlap]
    finally:
        workers.end()


async def test_a_worker_that_was_killed_between_two_rounds_ends_no_mix(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is found gone as soon as it is told, and not only where its answer stays away."""

    def gone(*_: object) -> object:
        raise WorkerGone

    async def by_mix(task: object) -> object:
        return f"{task} by the mix"

    ended: list[Workers] = []
    monkeypatch.setattr(sharing_module, "take_share", by_mix)
    monkeypatch.setattr(Workers, "started", lambda _: [SimpleNamespace(give=gone, result=gone)])
    monkeypatch.setattr(Workers, "end", lambda self: ended.append(self))
    workers = Workers(1)
    sharing = Sharing(workers)
    sharing.begin(["done"])  # type: ignore[list-item]
    assert await sharing.finish() == ["done by the mix"]  # type: ignore[comparison-overlap]
    assert ended == [workers], "others are started for the next round"


class Late(InThread):
    """A worker that begins with its first task only after `meanwhile` in the mix's own loop, as one
    whose process is slow to start."""

    meanwhile: Callable[[], Coroutine[object, object, None]]

    def __init__(self) -> None:
        super().__init__()
        self._loop = asyncio.get_running_loop()
        self._waits: list[tuple[Callable[..., object], tuple[object, ...]]] = []

    def give(self, work: Callable[..., object], *args: object) -> None:
        self._waits.append((work, args))

    def result(self) -> object:
        asyncio.run_coroutine_threadsafe(self.meanwhile(), self._loop).result()
        for work, args in self._waits:
            super().give(work, *args)
        self._waits.clear()
        return super().result()


async def test_a_loop_of_ours_that_began_within_the_round_is_known_in_every_share(
    make_room: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Held like somebody else's it would be called missing, and count as a person."""
    worker = Late()
    monkeypatch.setattr(Workers, "started", lambda self: [worker][: self.count])
    room = await make_room(SLOW)
    room.town.loops = LoopSettings(bytes(32), 360)
    async with shared(room, 2):
        watched, sent = room.town.watched("mix-a"), list[bytes]()
        assert watched is not None

        async def loops() -> None:
            step = step_of(room.town.clock.now())
            while {share_of_hum(name, 2) for name in sent} != {0, 1}:
                step += 1
                loop = loop_at(watched.key, watched.per_day, step)
                if loop is not None:
                    cells = room.hum(kind=Kind.LOOP, key_a=loop.key_a)
                    await room.send(cells)
                    sent.append(read_name(cells[0])[2])
            room.town.clock.time = (step + 1) * STEP_S

        worker.meanwhile = loops
        before = room.town.a.status()["loops"]
        await room.town.a.step()
        worker.meanwhile = nothing
        await alone(room)
        assert room.town.a.status()["loops"] - before == len(sent)
        assert sum(held(room)) == 0


async def nothing() -> None:
    """Nothing goes on meanwhile."""


async def test_a_worker_that_begins_its_round_after_midnight_opens_under_the_new_record(
    make_room: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ingress has acknowledged those hums, and what a share refuses comes no more."""
    worker = Late()
    monkeypatch.setattr(Workers, "started", lambda self: [worker][: self.count])
    async with shared(await make_room(), 2) as room:
        number = room.town.record().number
        room.town.clock.time = (DAY + 1) * DAY_S - 2 * 3600

        async def midnight() -> None:
            if room.town.record().number == number:
                room.town.clock.time = (DAY + 1) * DAY_S + 60
                await sent(room)

        worker.meanwhile = midnight
        await room.town.a.step()
        assert room.town.record().number > number
        assert await arrived(room) == texts()


async def test_a_full_a_pulls_for_no_share(
    make_room: Make, in_threads: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wallflower.mix.edge.first.MOST_HELD", 0)
    async with shared(await make_room()) as room:
        await sent(room)
        await alone(room)
        assert room.town.ingress._log.size() == 12 * HUMS
        assert room.a.full


async def test_a_worker_that_is_killed_loses_nothing_and_none_outlives_a_key(
    make_room: Make,
) -> None:
    """With real processes."""
    async with shared(await make_room(), 2) as room:
        await sent(room, 6)
        await alone(room)
        (worker,) = room.town.a.workers.pids()
        os.kill(worker, signal.SIGKILL)
        wait_until(lambda: not runs(worker), "it is gone")
        await room.tick()
        assert await arrived(room) == texts(6)
        await room.tick()
        for n in range(6, 12):
            await room.send(room.hum(room.letter(f"letter {n}")))
        assert await arrived(room) == texts(12)
        (other,) = room.town.a.workers.pids()
        assert runs(other)
        room.town.a.records._hops.erase(1)
        assert not runs(other)
