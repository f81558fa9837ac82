"""Fixtures of the lab's tests."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.lab.site import SATURDAY, Make, Site

from wallflower.desk.edge.desk import Desk
from wallflower.desk.edge.parts import DeskSettings, Peer
from wallflower.desk.header import Cost
from wallflower.lab.town import BOARD, DESK_NAME, TOKEN, simulated_town

_MEMORY = Path("/dev/shm")  # noqa: S108  # a folder of one test, removed after it
PASSPHRASE = "a long passphrase for tests"


@pytest.fixture
def tmp_path(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder in memory where there is one: days pass here, and no disk is measured."""
    if not _MEMORY.is_dir():
        yield tmp_path_factory.mktemp("lab")
        return
    with tempfile.TemporaryDirectory(prefix="wallflower-", dir=_MEMORY) as path:
        yield Path(path)


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
