"""A desk server whose data is gone or older than it was: what the handbook says to put back."""

from __future__ import annotations

import shutil

import pytest
from tests.mix.room import Make, Room, desk_keys

from wallflower.board.edge.mirror import Mirror
from wallflower.lab.host import ask
from wallflower.lab.town import BOARD, TOKEN
from wallflower.trust.ahead import AHEAD
from wallflower.trust.record import verify_record
from wallflower.wire.sizes import DAY_S


async def pass_days(room: Room, days: int) -> None:
    for _ in range(days):
        room.town.clock.time += DAY_S
        for _ in range(6):
            await room.town.step()


async def start_again(room: Room) -> None:
    """The desk hands in its keys once more, as at each unlocking."""
    room.restart()
    today = int(room.town.clock.time // DAY_S)
    await room.town.net.post(f"{BOARD}/desk/keys", desk_keys(range(today, today + 9)), TOKEN)
    await pass_days(room, 1)


async def put_back(room: Room, mirror: Mirror) -> None:
    """The drafts and records of A, and the board of a mirror: `cp` and `curl` of alarms.md."""
    data = room.town.path / "board"
    for kept in (room.town.path / "mix-a" / "records").iterdir():
        if kept.name.startswith(("draft-", "record-")):
            shutil.copy(kept, data / "records")
    for name in ("head", *range(1, 99)):
        status, body = await ask(mirror.app, "GET", f"/board/{name}")
        if status == 200:
            (data / "board" / str(name)).write_bytes(body)


@pytest.mark.parametrize("came_back", [False, True])
async def test_a_desk_server_that_lost_its_data_goes_on_with_what_a_mix_and_a_mirror_have(
    make_room: Make, came_back: bool
) -> None:
    room = await make_room()
    data, copy = room.town.path / "board", room.town.path / "copy"
    shutil.copytree(data, copy)
    await pass_days(room, 2 * AHEAD + 2)
    before, mirror = room.town.server.status(), room.town.mirror
    shutil.rmtree(data)
    if came_back:
        shutil.copytree(copy, data)
    await start_again(room)
    assert room.town.server.status()["record"] == 0, "nobody signs a number twice"
    await put_back(room, mirror)
    await start_again(room)
    after = room.town.server.status()
    assert after["segments"] > before["segments"] >= 2 * AHEAD, "no reader sees a board go back"
    assert (after["record"] > before["record"], after["days_ahead"]) == (True, AHEAD)
    verify_record(room.town.server.records.raw(after["record"]) or b"", room.town.pins)
    assert room.town.server.alarms() == []
