"""Mix A on its disk: whole hums go on once, whatever comes twice, breaks off or lies."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.mix.room import AT_ONCE, DAY, TICK, Make, Room, power_cut_at

from wallflower.errors import Refused
from wallflower.host.asgi import Receive, Scope, Send, answer
from wallflower.host.log import Entry
from wallflower.host.pull import encode_entries
from wallflower.lab.host import ask
from wallflower.lab.town import TOKEN
from wallflower.mix.edge.pool import Pool
from wallflower.mix.edge.state import State
from wallflower.wire.cell import parse_cell, seal_body
from wallflower.wire.cells import read_name
from wallflower.wire.sizes import BODY_PIECE, CELL, DAY_S, PARCEL

SLOW = replace(AT_ONCE, mean_a=200 * TICK)


def parcels(room: Room) -> list[bytes]:
    """What waits at A for B."""
    return [entry.body for entry in room.a.out.read(0, 1000)]


async def alone(room: Room) -> None:
    """Only A does what is due: B pulls nothing."""
    room.town.clock.time += TICK
    await room.town.a.step()


async def test_whole_hums_leave_as_equal_parcels_real_and_cover_alike(make_room: Make) -> None:
    room = await make_room()
    await room.send(room.hum(room.letter("real")))
    await room.send(room.hum())
    await alone(room)
    assert [len(p) for p in parcels(room)] == [PARCEL, PARCEL]


async def test_what_leaves_together_is_not_in_the_order_of_arrival(make_room: Make) -> None:
    room = await make_room()
    arrived = []
    for _ in range(12):
        cells = room.hum()
        await room.send(cells)
        arrived.append(cells)
    await alone(room)
    from wallflower.mix.gathering import judge_gathering
    from wallflower.wire.hum import Gathering

    order = []
    usable = room.town.a.records.usable(1)
    assert usable is not None
    for cells in arrived:
        gathering = Gathering()
        for cell in cells:
            gathering.add(parse_cell(cell))
        outcome = judge_gathering(gathering, usable[1], usable[0])
        assert outcome.parcel is not None
        order.append(outcome.parcel.encode())
    left = parcels(room)
    assert sorted(left) == sorted(order)
    assert left != order


async def test_cells_and_hums_again_across_restarts_are_forwarded_once(make_room: Make) -> None:
    room = await make_room()
    cells = room.hum(room.letter("once"))
    await room.send(cells)
    await room.send(cells)
    await alone(room)
    assert len(parcels(room)) == 1
    await room.send(cells)
    await alone(room)
    room.restart()
    await room.send(cells)
    await alone(room)
    assert len(parcels(room)) == 1
    await room.tick(3)
    assert room.texts() == ["once"]


async def test_half_a_hum_before_a_restart_and_half_after_are_one(make_room: Make) -> None:
    room = await make_room()
    cells = room.hum(room.letter("two halves"))
    await room.send(cells[:2])
    await alone(room)
    room.restart()
    await room.send(cells[6:8])
    await alone(room)
    assert len(parcels(room)) == 1


async def test_a_junk_hello_is_remembered_and_what_comes_after_it_dropped(make_room: Make) -> None:
    room = await make_room()
    raw = bytearray(room.hum()[0])
    raw[200] ^= 1
    name = read_name(bytes(raw))[2]
    number = room.town.record().number
    bodies = [seal_body(bytes(32), n, number, name, bytes(BODY_PIECE)).encode() for n in (1, 2, 3)]
    await room.send([bytes(raw), *bodies])
    await alone(room)
    assert room.a.share.seen(number, [name])
    assert room.a.share.waiting.gathered(number, [name]) == {}
    assert room.town.a.status()["refused"] == 1
    for again in (False, True):
        if again:
            room.restart()
        await room.send([bytes(raw), *bodies])
        await alone(room)
        assert room.a.share.waiting.gathered(number, [name]) == {}
        assert parcels(room) == []


async def test_a_broken_copy_is_dropped_and_another_copy_makes_the_hum_whole(
    make_room: Make,
) -> None:
    room = await make_room()
    cells = room.hum(room.letter("mended"))
    broken = cells[2][:-1] + bytes([cells[2][-1] ^ 1])
    await room.send([cells[0], cells[1], broken, cells[3]])
    await alone(room)
    assert parcels(room) == []
    await room.send([cells[6]])
    await alone(room)
    assert len(parcels(room)) == 1


async def test_forged_bodies_under_the_same_id_do_not_block_the_hum(make_room: Make) -> None:
    room = await make_room()
    cells, number = room.hum(room.letter("not blocked")), room.town.record().number
    name = read_name(cells[0])[2]
    forged = [seal_body(b"f" * 32, n, number, name, bytes(BODY_PIECE)).encode() for n in (1, 2, 3)]
    await room.send([*forged, cells[0]])
    await alone(room)
    assert parcels(room) == []
    await room.send([cells[5], cells[6], cells[7]])
    await alone(room)
    assert len(parcels(room)) == 1


async def test_what_is_no_cell_is_counted_and_forgotten(make_room: Make) -> None:
    room = await make_room()
    before = room.town.a.status()["refused"]
    await room.send([bytes(CELL), b"\1\xff" + bytes(CELL - 2), b"\1\0\xff\xff" + bytes(CELL - 4)])
    await alone(room)
    assert room.town.a.status()["refused"] == before + 3
    assert room.a.share.waiting.cells() == 0


@pytest.mark.parametrize("at", ["cursor", "put", "bound"])
async def test_a_power_cut_between_pull_and_commit_loses_and_repeats_nothing(
    make_room: Make, at: str
) -> None:
    room = await make_room()
    cells = room.hum(room.letter("through the dark"))
    await room.send(cells)
    room.town.clock.time += 1
    target: tuple[object, str] = {
        "cursor": (State, "set_number"),
        "put": (type(room.town.a.pool), "put_each"),
        "bound": (type(room.a.share.waiting), "bound"),
    }[at]
    with power_cut_at(*target):
        await room.town.a._intake(room.town.record())
    assert room.town.ingress._log.size() == 12, "nothing was acknowledged"
    room.restart()
    await room.tick(4)
    assert room.texts() == ["through the dark"]
    assert room.b.counts["letters"] == 1
    await room.send(cells)
    await room.tick(3)
    assert room.texts() == ["through the dark"]


@pytest.mark.parametrize(
    ("target", "times"),
    [((Pool, "take"), 2), ((State, "set_number"), 2)],
    ids=["two have left", "all have left, the tick is not set"],
)
async def test_a_power_cut_within_the_tick_loses_and_repeats_nothing(
    make_room: Make, target: tuple[object, str], times: int
) -> None:
    room = await make_room()
    for n in range(5):
        await room.send(room.hum(room.letter(f"letter {n}")))
    room.town.clock.time += TICK
    with power_cut_at(*target, times=times):
        await room.town.a.step()
    room.restart()
    assert (room.a.out.size(), room.town.a.pool.size()) == (0, 5)
    await room.tick(4)
    assert room.texts() == [f"letter {n}" for n in range(5)]


async def test_an_upstream_that_lies_is_counted_and_the_mix_goes_on(make_room: Make) -> None:
    room = await make_room()
    real = room.town.net.apps["inner.example"]
    answers = iter([
        b"garbage", encode_entries([Entry(2, 0, b"x"), Entry(1, 0, b"y")]),
        encode_entries([Entry(0, 0, b"again and again")]), bytes(13),
    ])  # fmt: skip

    async def lying(_scope: Scope, _receive: Receive, send: Send) -> None:
        await answer(send, 200, next(answers))

    room.town.net.apps["inner.example"] = lying
    for _ in range(4):
        await alone(room)
    assert room.town.a.status()["answers_refused"] == 4
    assert room.town.a.state.number("cursor") == 0
    room.town.net.apps["inner.example"] = real
    await room.send(room.hum())
    await alone(room)
    assert len(parcels(room)) == 1


async def test_hums_wait_for_their_draw_and_leave_at_the_flush_without_one(
    make_room: Make,
) -> None:
    room = await make_room(SLOW)
    for _ in range(10):
        await room.send(room.hum())
    await room.tick(6)
    assert 0 < room.town.a.status()["pool"] <= 10
    room.town.clock.time = (DAY + 2) * DAY_S - 6 * TICK - 1
    await room.town.step()
    assert room.town.a.status()["pool"] > 0
    await room.tick()
    assert room.town.a.status()["pool"] == 0


async def test_flushed_and_drawn_hums_leave_in_one_order(make_room: Make) -> None:
    """Otherwise the first places of a tick would be those of yesterday's hums."""
    room = await make_room()
    room.town.clock.time = (DAY + 1) * DAY_S - TICK
    with room.town.a.state.transaction():
        for n in range(12):
            room.town.a.pool.put(1, DAY - 1, b"old%d" % n)
            room.town.a.pool.put(1, DAY, b"new%d" % n)
    room.a.tick(room.town.record())
    left = [parcel[:3] for parcel in parcels(room)]
    assert left.count(b"old") == left.count(b"new") == 12
    assert 2 <= left[:12].count(b"old") <= 10


async def test_what_was_forwarded_is_remembered_as_long_as_the_key_lives(make_room: Make) -> None:
    room = await make_room()
    cells = room.hum()
    number, name = parse_cell(cells[0]).record, read_name(cells[0])[2]
    await room.send(cells)
    await alone(room)
    room.a.forget(DAY)
    assert room.a.share.seen(number, [name])
    room.town.clock.time = (DAY + 2) * DAY_S - 5
    await room.town.step()
    assert room.a.share.seen(number, [name]), "the key still lives"
    await room.tick()
    assert not room.a.share.seen(number, [name])
    room.take(cells)
    assert not room.a.share.seen(number, [name]), "and nothing can come of it any more"


async def test_a_tick_that_was_slept_through_is_not_made_up(make_room: Make) -> None:
    room = await make_room(SLOW)
    before = room.town.a.status()
    await room.tick()
    room.town.clock.time += 9 * TICK
    await room.town.a.step()
    await room.town.a.step()
    after = room.town.a.status()
    assert after["ticks"] == before["ticks"] + 2
    assert after["ticks_skipped"] == before["ticks_skipped"] + 8


async def test_the_disk_keeps_no_trace_of_the_order_in_which_hums_came(make_room: Make) -> None:
    """The write-ahead log would: it holds each page as it was after each commit."""
    room = await make_room(SLOW)
    wal = room.town.path / "mix-a" / "mix.db-wal"
    for _ in range(5):
        await room.send(room.hum())
        await room.tick()
        assert wal.stat().st_size == 0
    await room.send(room.hum())
    await room.town.a._intake(room.town.record())
    assert wal.stat().st_size > 0, "the control: until the round ends it is there"


async def test_no_file_of_a_holds_a_cell_that_was_forwarded(make_room: Make) -> None:
    room = await make_room()
    cells = room.hum()

    def found() -> list[str]:
        files = [p for p in (room.town.path / "mix-a").rglob("*") if p.is_file()]
        return [p.name for p in files if cells[1][100:164] in p.read_bytes()]

    await room.send(cells[:3])
    await alone(room)
    assert found() == ["mix.db"], "the control: while it waits it is there"
    await room.send(cells[3:])
    await alone(room)
    assert found() == []


async def test_the_status_holds_counts_only_and_needs_the_token(make_room: Make) -> None:
    room = await make_room()
    await room.send(room.hum(room.letter("x")))
    await room.tick(3)
    for mix in (room.town.a, room.town.b):
        assert all(type(value) is int and value >= 0 for value in mix.status().values())
        assert all(value < 1000 for value in mix.status().values()), "no time among them"
        for token in ("", "wrong"):
            assert await ask(mix.inner, "GET", "/status", b"", token) == (400, b"")
        status, body = await ask(mix.inner, "GET", "/status", b"", TOKEN)
        assert status == 200
        assert body.isascii()


async def test_a_strange_path_or_token_gets_the_one_refusal_and_changes_nothing(
    make_room: Make,
) -> None:
    room = await make_room()
    await room.send(room.hum())
    await alone(room)
    question = (1).to_bytes(8) + (10).to_bytes(4)
    for path, token in (("/parcels", ""), ("/parcels", "x"), ("/drops", TOKEN), ("/", TOKEN)):
        assert await ask(room.town.a.inner, "POST", path, question, token) == (400, b"")
    assert len(parcels(room)) == 1


async def test_keys_lost_at_a_power_cut_do_not_stop_the_mix(
    make_room: Make,
) -> None:
    """tmpfs for the keys: the held hums are lost, the mix comes up and goes on."""
    room = await make_room(SLOW)
    for _ in range(6):
        await room.send(room.hum())
    await room.tick()
    held = room.town.a.status()["pool"]
    keys = room.town.path / "mix-a-keys"
    for name in list(keys.iterdir()):
        if name.name.startswith("pool-"):
            name.unlink()
    room.restart()
    room.town.clock.time = (DAY + 1) * DAY_S + 5
    await room.town.step()
    assert room.town.a.status()["pool_lost"] == held > 0
    await room.send(room.hum())
    await room.town.step()
    assert room.town.a.status()["hums"] == 1


async def test_a_power_cut_after_the_new_days_commit_still_erases_the_old_key(
    make_room: Make,
) -> None:
    room = await make_room(SLOW)
    await room.send(room.hum())
    await room.tick()
    keys = room.town.path / "mix-a-keys"
    assert (keys / f"pool-{DAY}").exists()
    room.town.clock.time = (DAY + 1) * DAY_S + 5
    with power_cut_at(type(room.town.a.pool), "forget_before"):
        await room.town.a.step()
    assert (keys / f"pool-{DAY}").exists()
    room.restart()
    await room.town.a.step()
    assert not (keys / f"pool-{DAY}").exists()


def test_power_cuts_of_these_tests_are_no_fault_that_anyone_handles() -> None:
    from tests.mix.room import PowerCut

    assert not issubclass(PowerCut, (Exception, Refused))
