"""kill -9 of every role while people write: nothing acknowledged is lost, nothing comes twice."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest
from tests.faults.board import Handed
from tests.faults.crew import SERVERS
from tests.faults.killing import Killer
from tests.faults.office import Office
from tests.faults.running import Account, Open, Running
from tests.night import share

_SETTLED_S = 600.0


async def run_and_kill(
    town: Running, killer: Killer, times: dict[str, int], *besides: Coroutine[Any, Any, None]
) -> Account:
    """Kill while people write and the desk reads; then let all come out."""
    beside = [asyncio.ensure_future(w) for w in (town.writers.run(), town.read(), *besides)]
    try:
        killing = asyncio.ensure_future(killer.run(times))
        await asyncio.wait([killing, *beside], return_when=asyncio.FIRST_COMPLETED)
        for task in [killing, *beside]:
            if task.done():
                task.result()
        beside[0].cancel()
        return await town.settle(_SETTLED_S)
    finally:
        for task in beside:
            task.cancel()
        await asyncio.gather(*beside, return_exceptions=True)


def check(account: Account, killer: Killer, times: dict[str, int]) -> None:
    print(f"\n{killer.figures()}\n{account}")
    assert {role: len(held) for role, held in killer.undelivered.items()} == times
    assert all(count > 0 for held in killer.undelivered.values() for count in held)
    assert account.acknowledged > max(times.values())
    assert account.lost == []
    assert account.twice == []


async def kill_servers(town: Running, kills: int) -> None:
    """Kill all four servers; what stands in slots of drops, and of the board, is counted."""
    killer, handed = Killer(town.crew, town.restart), Handed(town.crew)
    times = dict.fromkeys(SERVERS, kills)
    account = await run_and_kill(town, killer, times, handed.run())
    check(account, killer, times)
    watching = asyncio.ensure_future(handed.run())
    try:
        await handed.wait_for_due(_SETTLED_S)
        await handed.settle(_SETTLED_S)
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
    print(handed.figures())
    assert handed.due
    assert handed.lost() == []
    assert handed.twice() == []
    assert handed.forks == []
    assert town.crew.said() == ""


async def kill_desk(town: Running, kills: int) -> None:
    """Kill the desk and unlock it again; the entries of its inbox are counted."""
    assert isinstance(town.desk, Office)
    killer, times = Killer(town.crew, town.restart), {"desk": kills}
    account = await run_and_kill(town, killer, times)
    check(account, killer, times)
    assert town.desk.faults == []
    assert town.desk.complaints() == ""
    assert town.crew.said() == ""


async def test_twenty_kills_of_every_server_lose_no_acknowledged_letter_and_deliver_none_twice(
    open_town: Open,
) -> None:
    await kill_servers(await open_town(by_console=True), 20)


async def test_twenty_kills_of_the_desk_lose_no_letter_and_put_none_twice_into_the_inbox(
    open_town: Open,
) -> None:
    await kill_desk(await open_town(real_desk=True), 20)


@pytest.mark.nightly
async def test_three_hundred_kills_of_every_server_lose_nothing_and_deliver_nothing_twice(
    open_town: Open,
) -> None:
    await kill_servers(await open_town(by_console=True), share(300))


@pytest.mark.nightly
async def test_three_hundred_kills_of_the_desk_lose_nothing_and_keep_nothing_twice(
    open_town: Open,
) -> None:
    await kill_desk(await open_town(real_desk=True), share(300))
