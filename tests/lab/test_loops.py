"""Loops come back through the real code of every role; when hums are dropped, the watchers ring."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.lab.loops import LoopTown, loop_town


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[LoopTown]:
    made = await loop_town(tmp_path)
    yield made
    made.town.close()


async def test_every_loop_comes_back_to_its_watcher_and_none_is_counted_or_held(
    place: LoopTown,
) -> None:
    await place.pass_days(1)
    counts = {"a": place.town.a.status(), "b": place.town.b.status()}
    due = place.missing()
    assert all(d > 20 for d, _ in due.values())
    assert all(missing <= 3 for _, missing in due.values()), "those that stayed long in A's pool"
    assert due["mix-a"][1] == 0
    assert place.ringing() == set()
    assert counts["a"]["loops"] > 50
    # Of three watchers' loops A holds those of the two others, which it cannot tell from hums.
    assert counts["a"]["hums"] < 2.5 * counts["a"]["loops"], "its own are not held"
    assert counts["b"]["loops"] > 100, "the organisation's too"
    assert counts["b"]["seen_since_release"] == counts["b"]["covers"] == counts["b"]["letters"] == 0
    assert place.town.b.pool.size() == 0


async def test_an_ingress_that_drops_thirty_in_a_hundred_hums_is_heard_by_all_within_two_days(
    place: LoopTown,
) -> None:
    place.let_ingress_drop(0.3)
    rang: dict[str, float] = {}
    for half_days in range(1, 5):
        await place.pass_days(0.5)
        rang |= {name: half_days / 2 for name in place.ringing() if name not in rang}
        if len(rang) == 3:
            break
    assert set(rang) == {"mix-a", "mix-b", "organisation"}
    assert rang["mix-a"] <= 1.0, "the way to A is the shortest"


async def test_a_mix_a_that_drops_spares_its_own_loops_and_is_heard_by_the_others(
    place: LoopTown,
) -> None:
    place.let_a_drop(0.3)
    for _ in range(4):
        await place.pass_days(0.5)
        if place.ringing() == {"mix-b", "organisation"}:
            break
    assert place.ringing() == {"mix-b", "organisation"}
    assert place.missing()["mix-a"][1] == 0


async def test_a_sender_that_is_off_is_heard(place: LoopTown) -> None:
    await place.pass_days(0.25)
    await place.town.pass_time(18 * 3600)
    assert place.ringing() == {"mix-a", "mix-b", "organisation"}


@pytest.mark.nightly
async def test_no_watcher_rings_in_a_month_without_loss(place: LoopTown) -> None:
    for _ in range(120):
        await place.pass_days(0.25)
        assert place.ringing() == set()
    assert place.sent > 8000
