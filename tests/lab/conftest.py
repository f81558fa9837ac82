"""Fixtures of the lab's tests."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from tests.lab.site import SATURDAY, Make, Site, desk_of
from tests.mix.room import Room, room_on

from wallflower.lab.town import simulated_town

_MEMORY = Path("/dev/shm")  # noqa: S108  # a folder of one test, removed after it


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
        desk = desk_of(town)
        place = Site(town, desk)
        for _ in range(6):
            await town.step()
            await desk.step()
        await place.pass_days(1 / 24)
        return place

    return make


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[Room]:
    """An open town whose desk is two key pairs of the test."""
    one = room_on(tmp_path / "room")
    await one.open()
    yield one
    one.town.close()
