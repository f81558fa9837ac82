"""A's pool is full: nothing more is pulled, nothing is dropped, and all leaves by its draw."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.mix.room import AT_ONCE, TICK, Make, Room

from wallflower.mix.edge import first
from wallflower.mix.edge.status import report

BOUND = 6
FLOOD = 24
# Cells of one pull: with whole hums of four cells a page is three of them.
PAGE = 12


@pytest.fixture(autouse=True)
def bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """A small bound, small pages."""
    monkeypatch.setattr(first, "MOST_HELD", BOUND)
    monkeypatch.setattr("wallflower.mix.edge.mix.PAGE", {"a": PAGE, "b": PAGE})


def cells_at_ingress(room: Room) -> int:
    return room.town.ingress._log.size()


async def flooded(room: Room) -> list[str]:
    """Whole junk hums, and a letter behind them."""
    for _ in range(FLOOD):
        await room.send(room.hum()[:4])
    await room.send(room.hum(room.letter("behind the flood"))[:4])
    return ["behind the flood"]


async def test_a_full_pool_pulls_nothing_drops_nothing_and_empties_by_itself(
    make_room: Make,
) -> None:
    room = await make_room(replace(AT_ONCE, mean_a=4 * TICK, floor=0))
    texts = await flooded(room)
    most, alarms, ticks = 0, set[str](), 0
    while cells_at_ingress(room) or room.town.a.pool.size() or room.town.a.part.out.size():
        await room.tick()
        ticks += 1
        assert ticks < 400, "A stands still"
        most = max(most, room.town.a.pool.high_water)
        alarms |= {alarm.name for alarm in report(room.town.a).alarms}
    assert BOUND < most + 1 <= BOUND + PAGE // 4
    assert "pool-full" in alarms
    assert "before-silent" not in alarms
    assert "pool-full" not in {alarm.name for alarm in report(room.town.a).alarms}
    await room.tick(4)
    assert room.texts() == texts, "the letter behind the flood came, once"
    assert room.a.counts["hums"] == FLOOD + 1


async def test_what_b_does_not_fetch_is_counted_too(make_room: Make) -> None:
    room = await make_room()
    room.town.net.cut.add("a.example")
    await flooded(room)
    await room.tick(30)
    assert room.town.a.pool.size() + room.town.a.part.out.size() <= BOUND + PAGE // 4
    assert cells_at_ingress(room) > 4 * (FLOOD - BOUND - PAGE // 4)
    room.town.net.cut.clear()
    await room.tick(30)
    assert room.texts() == ["behind the flood"]
    assert cells_at_ingress(room) == 0


async def test_a_hum_of_a_full_pool_stays_as_long_as_any_other(make_room: Make) -> None:
    room = await make_room(replace(AT_ONCE, mean_a=1000 * TICK))
    await flooded(room)
    await room.tick(5)
    held = room.town.a.pool.size()
    assert held >= BOUND
    assert held + room.a.counts["parcels"] == room.a.counts["hums"] <= BOUND + PAGE // 4
    assert room.a.counts["parcels"] <= 2, "nobody is pushed out"
