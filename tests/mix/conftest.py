"""Fixtures of the mixes' tests."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.mix.room import AT_ONCE, DAY, Make, Room, room_on

from wallflower.wire.record import Parameters


@pytest.fixture
async def make_room(tmp_path: Path) -> AsyncIterator[Make]:
    """Makes open rooms and closes them."""
    rooms: list[Room] = []

    async def make(parameters: Parameters = AT_ONCE, day: int = DAY) -> Room:
        room = room_on(tmp_path / str(len(rooms)), parameters, day)
        rooms.append(room)
        await room.open()
        return room

    yield make
    for room in rooms:
        room.town.close()
