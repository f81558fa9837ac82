"""kill -9 of every server while people write: nothing acknowledged is lost, nothing comes twice."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest
from tests.faults.board import Handed
from tests.faults.crew import SERVERS, planted
from tests.faults.killing import Killer
from tests.faults.running import Account, Open, Running

_SETTLED_S = 60.0


async def run_and_kill(town: Running, times: dict[str, int]) -> tuple[Account, Killer, Handed]:
    """Kill while people write, replies are handed in and the desk reads; then let all come out."""
    killer, handed = Killer(town.crew), Handed(town.crew)
    beside = [
        asyncio.ensure_future(work) for work in (town.writers.run(), town.read(), handed.run())
    ]
    try:
        killing = asyncio.ensure_future(killer.run(times))
        await asyncio.wait([killing, *beside], return_when=asyncio.FIRST_COMPLETED)
        for task in [killing, *beside]:
            if task.done():
                task.result()
        beside[0].cancel()
        account = await town.settle(_SETTLED_S)
        await handed.settle(_SETTLED_S)
        return account, killer, handed
    finally:
        for task in beside:
            task.cancel()
        await asyncio.gather(*beside, return_exceptions=True)


async def check(town: Running, times: dict[str, int]) -> None:
    account, killer, handed = await run_and_kill(town, times)
    print(f"\n{killer.figures()}\n{account}\n{handed.figures()}")
    assert {role: len(held) for role, held in killer.undelivered.items()} == times
    assert all(count > 0 for held in killer.undelivered.values() for count in held)
    assert account.acknowledged > 50
    assert account.lost == []
    assert account.twice == []
    assert handed.lost() == []
    assert handed.twice() == []
    assert handed.forks == []
    assert town.crew.said() == ""


async def test_twenty_kills_of_every_server_lose_no_acknowledged_letter_and_deliver_none_twice(
    open_town: Open,
) -> None:
    await check(await open_town(), dict.fromkeys(SERVERS, 20))


@pytest.mark.nightly
async def test_three_hundred_kills_of_every_server_lose_nothing_and_deliver_nothing_twice(
    open_town: Open,
) -> None:
    await check(await open_town(), dict.fromkeys(SERVERS, 300))


@pytest.mark.parametrize("role", ["mix-a", pytest.param("mix-b", marks=pytest.mark.nightly)])
async def test_a_mix_that_acknowledges_before_it_commits_loses_letters_and_is_caught(
    open_town: Open, role: str
) -> None:
    """The control: the same kills and the same counting, with one fault planted."""
    town = await open_town({role: planted("acknowledge-early")})
    account, killer, _ = await run_and_kill(town, {role: 4})
    print(f"\n{killer.figures()}\n{account}")
    assert account.lost != []
    assert Counter(account.lost).keys() <= town.writers.acknowledged
