"""Who sends chooses whose share of A his hums fall into; what all shares hold counts, not one."""

from __future__ import annotations

import pytest
from tests.mix.room import DAY, Make

from wallflower.mix.edge import first
from wallflower.mix.edge.first import First
from wallflower.mix.edge.intake import Source

SHARES, BOUND = 3, 12


async def test_hums_that_all_fall_into_one_share_fill_a_no_sooner_than_others(
    make_room: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = await make_room()
    room.town.workers = SHARES - 1
    room.restart()
    monkeypatch.setattr(first, "MOST_HELD", BOUND)
    monkeypatch.setattr(First, "_begin", lambda *_: None)
    source = Source("http://inner.example/cells", "t", 1, 1)
    aimed_at = room.a.pools[1]
    aimed_at.put_each(1, DAY, [b"junk"] * (BOUND - SHARES), bytes)
    room.a.begin_round(source, 1.0)
    assert not room.a.full, "three fourths of all, in one share"
    aimed_at.put_each(1, DAY, [b"junk"] * SHARES, bytes)
    room.a.begin_round(source, 1.0)
    assert room.a.full, "all that A holds, wherever it lies"
