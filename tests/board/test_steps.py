"""The board grows by a step: everybody goes on reading all of it, and nothing else is a step."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.mix.room import AT_ONCE, Make

from wallflower.errors import Fault
from wallflower.lab.town import BOARD, MIRROR
from wallflower.source.edge.store import Store
from wallflower.source.edge.visit import fetch_board, fetch_record
from wallflower.wire.record import Parameters
from wallflower.wire.segment import STEP, parse_head, parse_segment

HOUR = 3600
BEFORE = replace(
    AT_ONCE, tick=HOUR, mean_a=HOUR, mean_b=HOUR, slots=1, replies=2, receipts=3, period=4 * HOUR
)


def times(replies: int, receipts: int) -> Parameters:
    """So many times the size of before."""
    return replace(BEFORE, replies=replies * BEFORE.replies, receipts=receipts * BEFORE.receipts)


async def test_a_visit_across_a_step_has_the_whole_board_of_before_and_after(
    make_room: Make,
) -> None:
    room = await make_room(BEFORE)
    town = room.town
    host = town.host("visitor")
    store = Store(host.disk)
    town.parameters = times(STEP, STEP)
    room.restart()
    seen = []
    for _ in range(5):
        await room.tick(24)
        record = await fetch_record(host, MIRROR, town.pins)
        count = await fetch_board(host, MIRROR, record, store)
        sizes = {parse_segment(raw).header.counts for raw in store.segments()}
        seen.append((count, len(sizes)))
    assert seen[0][1] == 1, "records of the next days were signed before"
    assert seen[-1][1] == 2
    assert seen[-1][0] == town.server.board.count() > 24


async def test_a_board_of_more_segments_names_none_that_has_left_it(make_room: Make) -> None:
    room = await make_room(replace(BEFORE, segments=3))
    town = room.town
    town.parameters = replace(BEFORE, segments=6)
    room.restart()
    oldest = 0
    while town.record().body.parameters.segments == 3:
        oldest = parse_head(town.server.board.head or b"").first
        await room.tick(4)
    await room.tick(4)
    assert parse_head(town.server.board.head or b"").first == oldest
    host = town.host("visitor")
    record = await fetch_record(host, BOARD, town.pins)
    count = await fetch_board(host, BOARD, record, Store(host.disk))
    assert count == town.server.board.count() - oldest + 1 > 3
    await room.tick(16)
    assert parse_head(town.server.board.head or b"").first == town.server.board.count() - 5


@pytest.mark.parametrize("length", ["tick", "period"])
async def test_a_desk_server_does_not_start_with_another_tick_or_period(
    make_room: Make, length: str
) -> None:
    """Mixes and board would wait for ever for a number above their last."""
    room = await make_room(BEFORE)
    good = room.town.server.records.raw(1)
    room.town.parameters = replace(BEFORE, **{length: getattr(BEFORE, length) // 2})
    with pytest.raises(Fault, match="tick or") as fault:
        room.restart()
    assert f"tick = {BEFORE.tick} and period = {BEFORE.period}" in str(fault.value)
    room.town.parameters = BEFORE
    room.restart()
    assert room.town.server.records.raw(1) == good


@pytest.mark.parametrize(("replies", "receipts"), [(2, 2), (STEP, 1), (1, STEP)])
async def test_a_desk_server_does_not_start_with_a_size_that_no_mix_would_sign(
    make_room: Make, replies: int, receipts: int
) -> None:
    """What it drafted would stay: no record would ever be signed again."""
    room = await make_room(BEFORE)
    good = room.town.server.records.raw(1)
    room.town.parameters = times(replies, receipts)
    with pytest.raises(Fault, match="no step"):
        room.restart()
    room.town.parameters = BEFORE
    room.restart()
    assert room.town.server.records.raw(1) == good
