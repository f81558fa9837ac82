"""The controls of test_kill.py: one fault planted in each role, and the same counting finds it.

No kill hits its instant by luck. A fault that acknowledges early keeps nothing at all until it is
killed, and it is killed when everything before it is empty; a fault that does a thing twice stops
its own process between the two.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
from tests.faults.board import Handed
from tests.faults.crew import UP_S, patiently
from tests.faults.running import Open, Running
from tests.host.sockets import until

_LETTERS = 2


@asynccontextmanager
async def beside(work: Callable[[], Coroutine[Any, Any, None]]) -> AsyncIterator[None]:
    """Within, something else goes on."""
    task = asyncio.ensure_future(work())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def faulty(town: Running, role: str, fault: str) -> None:
    """Start a role again with a fault, or without one."""
    await town.crew.kill(role)
    town.crew.faults[role] = fault
    await town.restart(role)


async def empty_before(town: Running, role: str) -> None:
    """Wait until every process before this one has handed everything on."""

    async def empty() -> bool:
        ingress, a, b = [await town.crew.town.status(r) for r in ("ingress", "mix-a", "mix-b")]
        if not (ingress and a and b):
            return False
        held = {"ingress": 0, "mix-a": ingress["waiting"]}
        held["mix-b"] = held["mix-a"] + a["pool"] + a["waiting_out"]
        held["desk"] = held["mix-b"] + b["pool"]
        return held[role] == 0

    await until(empty, f"everything before {role} is empty", UP_S)


async def lost_by(town: Running, role: str, fault: str) -> set[str]:
    """Letters that a role acknowledged and did not keep when it was killed."""
    await faulty(town, role, fault)
    letters = await town.send(_LETTERS)
    await empty_before(town, role)
    await faulty(town, role, "")
    return letters


async def doubled_by(town: Running, role: str, fault: str) -> set[str]:
    """Letters of which some were put out, and not yet forgotten when the role was killed."""
    await faulty(town, role, fault)
    letters = await town.send(_LETTERS)

    async def stopped() -> bool:
        return town.crew.has_stopped_itself(role)

    await until(stopped, f"{role} has stopped itself between the two steps", UP_S)
    await faulty(town, role, "")
    return letters


async def test_what_a_server_acknowledges_and_does_not_keep_or_puts_out_twice_is_found(
    open_town: Open,
) -> None:
    town = await open_town()
    handed = Handed(town.crew)
    await faulty(town, "organisation", "mislay-batch")

    async def handed_in() -> bool:
        return await patiently(handed.look) and bool(handed.days)

    await until(handed_in, "a batch is handed in", UP_S)
    (day,) = handed.days
    await faulty(town, "organisation", "")
    async with beside(town.read), beside(handed.run):
        lost = {
            role: await lost_by(town, role, fault)
            for role, fault in (
                ("ingress", "answer-early"), ("mix-a", "acknowledge-early"),
                ("mix-b", "acknowledge-early"),
            )
        }  # fmt: skip
        doubled = await doubled_by(town, "mix-b", "put-twice")
        kept = await town.send(_LETTERS)
        await handed.wait_for_due(UP_S)
        await handed.settle(UP_S)
        account = await town.settle(UP_S)
    print(f"\n{account}\n{handed.figures()}\nlost by {lost}; put out twice of {doubled}")
    assert set(account.lost) == set().union(*lost.values())
    assert account.twice != []
    assert set(account.twice) <= doubled
    assert kept <= town.desk.letters.keys()
    assert handed.lost() != []
    assert all(slot.startswith(b"%06d/" % day) for slot in handed.lost())


async def until_acknowledged(town: Running) -> None:
    """Wait until the desk has acknowledged every drop that B has put out until now."""
    last = town.crew.drops_put_out()

    async def gone() -> bool:
        return town.crew.drops_held(last) == 0

    await until(gone, "the desk has acknowledged the drops", UP_S)


@pytest.mark.parametrize("fault", ["acknowledge-drops-early", "keep-twice"])
async def test_what_the_desk_acknowledges_and_does_not_keep_or_keeps_twice_is_found(
    open_town: Open, fault: str
) -> None:
    town = await open_town(real_desk=True)
    async with beside(town.read):
        if fault == "keep-twice":
            letters = await doubled_by(town, "desk", fault)
        else:
            await faulty(town, "desk", fault)
            letters = await town.send(_LETTERS)
            await empty_before(town, "desk")
            await until_acknowledged(town)
            await faulty(town, "desk", "")
        kept = await town.send(_LETTERS)
        account = await town.settle(UP_S)
    print(f"\n{account}")
    assert kept <= town.desk.letters.keys()
    if fault == "keep-twice":
        assert account.lost == []
        assert account.twice != []
        assert set(account.twice) <= letters
    else:
        assert set(account.lost) == letters
        assert account.twice == []
