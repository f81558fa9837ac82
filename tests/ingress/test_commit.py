"""Group commit: the order of arrival within a batch is not kept, and no answer comes too early."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator, Iterable
from pathlib import Path

import pytest
from tests.host.sockets import until
from tests.ingress.stage import TOKEN, build, cell

from wallflower.host.disk import PAGE_SIZE, Folder, settle
from wallflower.host.log import Log
from wallflower.host.net import Unreachable
from wallflower.host.pull import pull
from wallflower.ingress.edge import commit
from wallflower.ingress.edge.commit import Commit
from wallflower.ingress.edge.process import A_SILENT_S, KEPT_DAYS
from wallflower.lab.host import SeededEntropy, SimulatedClock, SimulatedNet, ask
from wallflower.wire.sizes import DAY_S

DAY = 20778
MANY = [cell(n) for n in range(40)]


@pytest.fixture
def log(tmp_path: Path) -> Log:
    return Log(Folder(tmp_path).database("cells.db"), "cells")


def commit_to(log: Log, seed: bytes) -> Commit:
    return Commit(log, SeededEntropy(seed), lambda: 5)


@pytest.fixture
async def running(log: Log) -> AsyncIterator[Commit]:
    one = commit_to(log, b"one")
    task = asyncio.ensure_future(one.run())
    yield one
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def batch(log: Log, seed: bytes) -> list[bytes]:
    """The order in the log of MANY cells that came in one batch."""
    one, before = commit_to(log, seed), log.size()
    task = asyncio.ensure_future(one.run())
    assert await asyncio.gather(*(one.put(c) for c in MANY)) == [True] * len(MANY)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    return [e.body for e in log.read(before, 100)]


async def test_a_batch_is_whole_but_not_in_the_order_of_arrival(log: Log) -> None:
    orders = [await batch(log, seed) for seed in (b"one", b"two", b"three")]
    for order in orders:
        assert sorted(order) == MANY
        assert order != MANY
    assert orders[0] != orders[1] != orders[2]


async def test_where_a_cell_stands_in_its_batch_says_nothing_of_when_it_came(log: Log) -> None:
    places = [(await batch(log, bytes([n]))).index(MANY[0]) for n in range(60)]
    first_half = sum(place < len(MANY) // 2 for place in places)
    assert 15 <= first_half <= 45, "the first to come is not among the first in the log"
    assert len(set(places)) > 20


async def test_an_order_is_drawn_again_by_the_same_seed(log: Log) -> None:
    assert await batch(log, b"same") == await batch(log, b"same")


async def test_one_sync_serves_everyone_who_came_meanwhile(
    log: Log, running: Commit, monkeypatch: pytest.MonkeyPatch
) -> None:
    batches: list[int] = []
    append = Log.append

    def noted(self: Log, record: int, bodies: Iterable[bytes]) -> int:
        cells = list(bodies)
        batches.append(len(cells))
        return append(self, record, cells)

    monkeypatch.setattr(Log, "append", noted)
    await asyncio.gather(*(running.put(c) for c in MANY))
    assert sum(batches) == len(MANY)
    assert len(batches) <= 2


async def test_no_answer_comes_before_the_disk(log: Log) -> None:
    one = commit_to(log, b"early")
    put = asyncio.ensure_future(one.put(MANY[0]))
    for _ in range(20):
        await asyncio.sleep(0)
    assert not put.done(), "nobody commits yet"
    task = asyncio.ensure_future(one.run())
    assert await put
    assert log.size() == 1
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_beyond_the_most_that_may_wait_everyone_is_refused_and_the_rest_is_kept(
    log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commit, "MOST_WAITING", 10)
    one = commit_to(log, b"many")
    puts = [asyncio.ensure_future(one.put(c)) for c in MANY]
    for _ in range(5):
        await asyncio.sleep(0)
    task = asyncio.ensure_future(one.run())
    assert await asyncio.gather(*puts) == [True] * 10 + [False] * 30
    assert log.size() == 10
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_someone_who_stopped_waiting_does_not_hold_up_the_others(
    log: Log, running: Commit
) -> None:
    impatient = asyncio.ensure_future(running.put(MANY[0]))
    await asyncio.sleep(0)
    impatient.cancel()
    assert await running.put(MANY[1])
    assert MANY[1] in [e.body for e in log.read(0, 10)]


# The inner listener: only A pulls, and what A has is forgotten.


@pytest.fixture
def clock() -> SimulatedClock:
    return SimulatedClock(DAY * DAY_S + 3600)


async def test_only_the_holder_of_the_token_pulls(tmp_path: Path, clock: SimulatedClock) -> None:
    ingress = build(tmp_path, clock)
    task = asyncio.ensure_future(ingress.commit.run())
    net = SimulatedNet({"inner.example": ingress.inner})
    url = "http://inner.example/cells"
    await ingress.commit.put(MANY[0])
    for token in ("", "other", TOKEN + "x"):
        with pytest.raises(Unreachable):
            await pull(net, url, token, 1, 10)
    assert [e.body for e in await pull(net, url, TOKEN, 0, 10)] == [MANY[0]]
    assert await pull(net, url, TOKEN, 1, 10) == []
    assert await pull(net, url, TOKEN, 0, 10) == [], "it was acknowledged, so it is gone"
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


@pytest.mark.parametrize("body", [b"", b"x" * 11, b"x" * 65, b"\xff" * 12])
async def test_a_malformed_pull_is_refused_and_trims_nothing(
    tmp_path: Path, clock: SimulatedClock, body: bytes
) -> None:
    ingress = build(tmp_path, clock)
    task = asyncio.ensure_future(ingress.commit.run())
    await ingress.commit.put(MANY[0])
    assert await ask(ingress.inner, "POST", "/cells", body, TOKEN) == (400, b"")
    net = SimulatedNet({"inner.example": ingress.inner})
    assert len(await pull(net, "http://inner.example/cells", TOKEN, 0, 10)) == 1
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_the_inner_listener_takes_no_cell_and_the_public_one_gives_none(
    tmp_path: Path, clock: SimulatedClock
) -> None:
    ingress = build(tmp_path, clock)
    assert await ask(ingress.inner, "POST", "/", MANY[0], TOKEN) == (400, b"")
    question = bytes(8) + (10).to_bytes(4)
    assert await ask(ingress.public, "POST", "/cells", question, TOKEN) == (400, b"")
    assert await ask(ingress.public, "GET", "/status", b"", TOKEN) == (400, b"")


async def test_the_status_holds_two_counts_and_needs_the_token(
    tmp_path: Path, clock: SimulatedClock
) -> None:
    ingress = build(tmp_path, clock)
    assert await ask(ingress.inner, "GET", "/status") == (400, b"")
    status = await ask(ingress.inner, "GET", "/status", b"", TOKEN)
    assert status[0] == 200
    assert json.loads(status[1]) == {
        "role": "ingress", "alarms": [], "facts": {"cells_waiting_for_a": "none"},
    }  # fmt: skip
    assert await ask(ingress.inner, "GET", "/counts", b"", TOKEN) == (400, b""), "demo only"


async def test_a_database_that_was_damaged_leaves_the_operator_a_status_that_rings(
    tmp_path: Path, clock: SimulatedClock
) -> None:
    """A refusal would say that another program answers there, and nothing of A, which is away."""
    ingress = build(tmp_path, clock)
    db = ingress._log._db
    settle(db)
    (page,) = db.execute("SELECT rootpage FROM sqlite_master WHERE name = 'cells'").fetchone()
    with (tmp_path / "cells.db").open("r+b") as file:
        file.seek((page - 1) * PAGE_SIZE)
        file.write(b"x" * PAGE_SIZE)
    db.execute("PRAGMA shrink_memory")
    clock.time += A_SILENT_S + 1
    code, said = await ask(ingress.inner, "GET", "/status", b"", TOKEN)
    assert code == 200
    assert [alarm["name"] for alarm in json.loads(said)["alarms"]] == [
        "after-silent", "disk-failed",
    ]  # fmt: skip
    assert json.loads(said)["facts"] == {}, "no number that nobody could read"


class OneLook(SimulatedClock):
    """A clock of which nobody wakes again."""

    async def sleep_until(self, moment: float) -> None:
        await asyncio.Event().wait()


async def test_cells_whose_keys_are_gone_are_forgotten_though_a_never_asks(tmp_path: Path) -> None:
    clock = OneLook(DAY * DAY_S + 3600)
    ingress = build(tmp_path, clock)
    log = Log(Folder(tmp_path).database("cells.db"), "cells")
    for day in (DAY - KEPT_DAYS - 1, DAY - KEPT_DAYS):
        log.append(day & 0xFFFF, [MANY[day - DAY]])
    looks = asyncio.ensure_future(ingress.run())

    async def one_is_left() -> bool:
        return log.size() == 1

    await until(one_is_left, "the older of both is forgotten")
    assert [e.body for e in log.read(0, 10)] == [MANY[-KEPT_DAYS]]
    looks.cancel()
    await asyncio.gather(looks, return_exceptions=True)


async def test_cells_whose_keys_are_gone_are_forgotten(
    tmp_path: Path, clock: SimulatedClock
) -> None:
    ingress = build(tmp_path, clock)
    task = asyncio.ensure_future(ingress.commit.run())
    net = SimulatedNet({"inner.example": ingress.inner})
    await ingress.commit.put(MANY[0])
    for _ in range(KEPT_DAYS):
        assert len(await pull(net, "http://inner.example/cells", TOKEN, 0, 10)) == 1
        clock.time += DAY_S
    await ingress.commit.put(MANY[1])
    assert len(await pull(net, "http://inner.example/cells", TOKEN, 0, 10)) == 2
    clock.time += DAY_S
    left = await pull(net, "http://inner.example/cells", TOKEN, 0, 10)
    assert [e.body for e in left] == [MANY[1]]
    clock.time += 2 * DAY_S  # it was set, or the machine slept
    for _ in range(KEPT_DAYS + 1):
        assert len(await pull(net, "http://inner.example/cells", TOKEN, 0, 10)) == 1
        clock.time += DAY_S
    assert await pull(net, "http://inner.example/cells", TOKEN, 0, 10) == []
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_cells_that_came_while_a_clock_was_ahead_are_forgotten_by_the_right_one(
    tmp_path: Path, clock: SimulatedClock
) -> None:
    ingress = build(tmp_path, clock)
    task = asyncio.ensure_future(ingress.commit.run())
    net = SimulatedNet({"inner.example": ingress.inner})
    clock.time += 400 * DAY_S
    await ingress.commit.put(MANY[0])
    clock.time -= 400 * DAY_S
    for _ in range(KEPT_DAYS + 1):
        assert len(await pull(net, "http://inner.example/cells", TOKEN, 0, 10)) == 1
        clock.time += DAY_S
    assert await pull(net, "http://inner.example/cells", TOKEN, 0, 10) == []
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_what_a_failing_disk_did_not_forget_is_looked_for_at_the_next_question(
    tmp_path: Path, clock: SimulatedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    ingress, looked = build(tmp_path, clock), list[int]()

    def fails(_: Log, below: int) -> None:
        looked.append(below)
        raise sqlite3.OperationalError

    monkeypatch.setattr(Log, "trim_records", fails)
    net = SimulatedNet({"inner.example": ingress.inner})
    for _ in range(3):
        await pull(net, "http://inner.example/cells", TOKEN, 0, 10)
    assert len(looked) == 3


async def test_what_waits_is_looked_through_once_a_day_however_often_a_asks(
    tmp_path: Path, clock: SimulatedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or a question of A would take the longer, the more waits for it, and uploads with it."""
    ingress, looked = build(tmp_path, clock), list[int]()
    monkeypatch.setattr(Log, "trim_records", lambda _, below: looked.append(below))
    net = SimulatedNet({"inner.example": ingress.inner})
    for days in (0, 0, 0, 1, 1):
        clock.time += days * DAY_S
        await pull(net, "http://inner.example/cells", TOKEN, 0, 10)
    assert [day - looked[0] for day in looked] == [0, 1, 2]
