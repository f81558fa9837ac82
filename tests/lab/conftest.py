"""Fixtures of the lab's tests."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.lab.site import SATURDAY, Make, Site

from wallflower.desk.edge.desk import Desk
from wallflower.desk.edge.parts import DeskSettings, Peer
from wallflower.desk.header import Cost
from wallflower.lab.town import BOARD, DESK_NAME, TOKEN, simulated_town

PASSPHRASE = "a long passphrase for tests"


@pytest.fixture
def make_place(tmp_path: Path) -> Make:
    """Make a town on some day, unlock its desk, and let it come up."""

    async def make(day: int = SATURDAY) -> Site:
        town = simulated_town(tmp_path, day)
        settings = DeskSettings(
            DESK_NAME, town.pins, Peer("http://b.example", TOKEN), Peer(BOARD, TOKEN)
        )
        desk = Desk(town.host("desk"), settings, Cost(memory_kib=64, passes=1, lanes=1))
        desk.unlock(PASSPHRASE)
        place = Site(town, desk)
        for _ in range(6):
            await town.step()
            await desk.step()
        await place.pass_days(1 / 24)
        return place

    return make
