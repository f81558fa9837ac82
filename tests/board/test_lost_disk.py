"""A desk server whose data is gone or older than it was: what the handbook says to put back."""

from __future__ import annotations

import shutil

import pytest
from tests.mix.room import AT_ONCE, Make, Room, desk_keys

from wallflower.board.edge.mirror import Mirror
from wallflower.errors import Fault
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


@pytest.mark.parametrize("name", ["records/draft-5", "records/draft-4~", "records/draft-x"])
async def test_a_record_s_file_that_cannot_be_read_is_named_at_the_start(
    make_room: Make, name: str
) -> None:
    room = await make_room()
    whole = room.town.server.records.draft(4) or b""
    (room.town.path / "board" / name).write_bytes(whole if "x" in name else whole[:-1])
    with pytest.raises(Fault, match=f"data/{name} cannot be read") as fault:
        room.restart()
    assert "neither has one" in fault.value.next_step


@pytest.mark.parametrize(("name", "left"), [
    ("head", b""), ("head", b"torn"), ("2", b"torn"), ("2", b""), ("2", None),
])  # fmt: skip
async def test_a_board_whose_files_do_not_fit_is_not_begun_anew(
    make_room: Make, name: str, left: bytes | None
) -> None:
    room = await make_room()
    room.town.clock.time += AT_ONCE.period
    room.town.server.step()
    board = room.town.path / "board" / "board"
    good = (board / name).read_bytes()
    (board / name).write_bytes((board / "1").read_bytes() if left is None else left)
    with pytest.raises(Fault, match="do not fit"):
        room.restart()
    (board / name).write_bytes(good)
    room.restart()
    assert room.town.server.board.count() == 2


async def test_a_strange_file_among_the_batches_ends_no_desk_server(make_room: Make) -> None:
    """As one that a copy by hand, or a synchronising tool, leaves there."""
    room = await make_room()
    (room.town.path / "board" / "batches" / "20780.bak").write_bytes(b"a copy")
    room.restart()
    for _ in range(2):
        room.town.clock.time += AT_ONCE.period
        room.town.server.step()
    assert room.town.server.board.count() == 3
