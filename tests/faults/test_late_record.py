"""A mix that signed a record but could not fetch it yet still opens what was made under it.

Everybody else may have the record already; what is acknowledged and refused would be lost.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.mix.room import Room, room_on

from wallflower.wire.sizes import DAY_S


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[Room]:
    one = room_on(tmp_path)
    await one.open()
    yield one
    one.town.close()


@pytest.mark.parametrize("position", ["a", "b"])
async def test_a_letter_under_a_record_that_a_mix_signed_but_did_not_fetch_is_delivered(
    room: Room, position: str
) -> None:
    number = room.town.record().number + 1
    files = room.town.path / f"mix-{position}" / "records"
    (files / f"record-{number}").unlink()
    room.restart()
    # The desk server is away, and this mix has the draft on its disk and nothing more.
    room.town.net.cut.add("board.example")
    await room.town.pass_time(DAY_S / 2 + 1800)
    mix = room.town.a if position == "a" else room.town.b
    assert mix.records.in_force(room.town.clock.now()) is not None
    await room.send(room.hum(room.letter("under the new record")))
    await room.tick(4)
    assert room.texts() == ["under the new record"]
