"""The desk server: what it answers whom, when it looks, and what a restart leaves it."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest
from tests.board.test_server import PERIOD, REFUSED, batch, files, post
from tests.mix.room import DAY, TICK, Make, desk_keys, room_on

from wallflower.board.compose import parse_desk_keys
from wallflower.board.edge.server import MOST_OPEN_BODY, Tokens
from wallflower.board.edge.status import report as of_organisation
from wallflower.board.edge.told import Told
from wallflower.crypto.derive import sha256
from wallflower.errors import Refused
from wallflower.host.asgi import Message
from wallflower.host.disk import PAGE_SIZE, Folder, settle
from wallflower.host.loops import LoopSettings
from wallflower.host.net import Unreachable
from wallflower.lab.host import ask
from wallflower.lab.town import BOARD, TOKEN
from wallflower.trust.board import verify_head, verify_segment
from wallflower.trust.record import verify_hums
from wallflower.wire.census import Census, make_census
from wallflower.wire.loop import way_to_organisation
from wallflower.wire.segment import parse_head, parse_segment
from wallflower.wire.sizes import DAY_S, HASH

OWN = Tokens(desk="the desk's", b="B's", status="the operator's")
WHO_POSTS = {
    "/desk/keys": OWN.desk, "/desk/batch": OWN.desk,
    "/mix/drop-head": OWN.b, "/mix/loops": OWN.b, "/mix/census": OWN.b,
}  # fmt: skip


async def test_each_token_opens_what_is_its_own_and_nothing_of_another(make_room: Make) -> None:
    room = await make_room()
    server, record = room.town.server, room.town.record()
    server._tokens = OWN
    bodies = {
        "/desk/keys": desk_keys(range(DAY + 20, DAY + 21)), "/desk/batch": batch(room, DAY + 1),
        "/mix/drop-head": b"\1" * HASH, "/mix/loops": b"x" * 16,
        "/mix/census": make_census(Census(record.number, DAY, ()), room.town.signers.drop),
    }  # fmt: skip
    names = ("records", "board", "batches", "census")
    before = {name: files(room, name) for name in names}
    for path, owner in WHO_POSTS.items():
        for token in ("", TOKEN, *{OWN.desk, OWN.b, OWN.status} - {owner}):
            assert await post(room, path, bodies[path], token) == REFUSED, (path, token)
    assert (server.board.drop_head, server.told.census) == (b"", None)
    assert {name: files(room, name) for name in names} == before
    for path, owner in WHO_POSTS.items():
        assert (await post(room, path, bodies[path], owner))[0] == 204, "the control"


async def test_the_status_is_for_the_operator_and_counts_are_for_the_demo_alone(
    make_room: Make,
) -> None:
    room = await make_room()
    room.town.server._tokens = OWN
    for path in ("/status", "/counts"):
        for token in ("", OWN.desk, OWN.b):
            assert await ask(room.town.server.app, "GET", path, b"", token) == REFUSED
    assert (await ask(room.town.server.app, "GET", "/status", b"", OWN.status))[0] == 200
    assert await ask(room.town.server.app, "GET", "/counts", b"", OWN.status) == REFUSED
    room.town.server._demo = True
    status, counts = await ask(room.town.server.app, "GET", "/counts", b"", OWN.status)
    assert (status, json.loads(counts)) == (200, room.town.server.status())
    for path, token in (("/counts", ""), ("/counts", OWN.b), ("/nothing", OWN.status)):
        assert await ask(room.town.server.app, "GET", path, b"", token) == REFUSED


async def test_everybody_reads_the_census_and_what_was_revoked(make_room: Make) -> None:
    room = await make_room()
    server = room.town.server
    assert await ask(server.app, "GET", "/census") == REFUSED
    assert await ask(server.app, "GET", "/desk/revoked") == (200, b"")
    census = make_census(Census(room.town.record().number, DAY, ()), room.town.signers.drop)
    assert (await post(room, "/mix/census", census))[0] == 204
    server.records.revoke(frozenset({"drop"}))
    assert await ask(server.app, "GET", "/census") == (200, census)
    (keys,) = parse_desk_keys(desk_keys(range(DAY, DAY + 1)))
    assert await ask(server.app, "GET", "/desk/revoked") == (200, sha256(keys.drop.raw))


async def test_a_revocation_goes_on_after_a_restart_until_the_desk_has_handed_in_other_keys(
    make_room: Make,
) -> None:
    room = await make_room()
    number = room.town.server.records.next_number()
    room.town.server.records.revoke(frozenset({"drop"}))
    revoked = room.town.server.records.revoked()
    room.restart()
    records = room.town.server.records
    assert (records.revoked(), len(revoked)) == (revoked, HASH)
    records.advance()
    assert records.next_number() == number, "with the revoked key nothing begins"
    (known,) = parse_desk_keys(desk_keys(range(DAY, DAY + 1)))
    other = DAY.to_bytes(4) + known.desk.raw + known.week.to_bytes(2) + known.desk.raw
    assert await post(room, "/desk/keys", other) == (204, b"")
    assert records.next_number() > number, "all that was drafted is skipped"
    assert not records.ahead().desk_must_renew
    skipped_to = records.next_number()
    room.restart()
    records = room.town.server.records
    assert (records.next_number(), records.ahead().desk_must_renew) == (skipped_to, False)
    assert records.ahead().unsigned == [], "what is finished lacks no signature"


async def test_a_revoked_record_is_handed_out_to_the_end_of_its_day_and_not_yesterdays(
    make_room: Make,
) -> None:
    """Under yesterday's, which is in force too, nobody hums in its last two hours."""
    room = await make_room()
    town = room.town
    town.clock.time = (DAY + 1) * DAY_S + 22.5 * 3600
    await town.step()
    used = town.record()
    assert used.body.day == DAY + 1
    town.server.records.revoke(frozenset({"hops"}))
    assert town.record() == used
    verify_hums(town.record(), town.clock.now())
    while town.record() == used:
        await town.step()
    assert (town.record().body.day, town.record().number > used.number) == (DAY + 1, True)


async def test_the_head_that_is_signed_again_outlives_a_restart(make_room: Make) -> None:
    room = await make_room()
    server, old = room.town.server, room.town.record()
    server.records.revoke(frozenset({"hops"}))
    while room.town.record().number == old.number:
        await room.town.step()
    server.step()
    head = server.board.head or b""
    assert parse_head(head).record_hash == room.town.record().hash
    verify_head(head, room.town.record())
    room.restart()
    assert room.town.server.board.head == head


async def test_a_board_of_another_key_stands_still_until_a_record_names_it(
    make_room: Make,
) -> None:
    """Under the records that were signed before nobody would believe what it signs."""
    room = await make_room()
    town = room.town
    head = town.server.board.head or b""
    town.signers.board = b"k" * 32
    room.restart()
    town.clock.time += PERIOD
    town.server.step()
    assert town.server.board.head == head
    verify_head(head, town.record())
    assert "board-key" in {a.name for a in of_organisation(town.server).alarms}
    town.server.records.revoke(frozenset({"hops"}))
    while not town.server.board.has_key_of(town.record()):
        await town.step()
    town.server.step()
    new = verify_head(town.server.board.head or b"", town.record())
    segment = town.server.board.segment(new.number) or b""
    assert verify_segment(segment, new.segment_hash, town.record()).header.previous == (
        parse_head(head).segment_hash
    )
    assert "board-key" not in {a.name for a in of_organisation(town.server).alarms}


async def test_a_post_alone_changes_anything(make_room: Make) -> None:
    room = await make_room()
    for method in ("PUT", "DELETE", "PATCH", "HEAD"):
        refused = await ask(
            room.town.server.app, method, "/desk/batch", batch(room, DAY + 1), TOKEN
        )
        assert refused == REFUSED
    assert files(room, "batches") == {}


async def test_what_is_no_request_of_http_is_not_answered(make_room: Make) -> None:
    room = await make_room()
    sent: list[Message] = []

    async def receive() -> Message:
        raise AssertionError("nothing is read")

    async def send(message: Message) -> None:
        sent.append(message)

    await room.town.server.app({"type": "lifespan"}, receive, send)
    assert sent == []


async def test_b_tells_of_more_loops_than_a_stranger_may_send(make_room: Make) -> None:
    room = await make_room()
    room.town.server._tokens = OWN
    many = b"x" * 16 * (MOST_OPEN_BODY // 16 + 1)
    assert await post(room, "/mix/loops", many, OWN.b) == (204, b"")
    assert await post(room, "/mix/loops", many, "wrong") == REFUSED
    assert await post(room, "/mix/loops", b"x" * HASH, OWN.b) == (204, b"")
    assert room.town.server.board.drop_head == b"", "two loops are as long as a head, and are none"


class Woken(Exception):
    """The clock of a test has rung often enough."""


@pytest.mark.parametrize(("before_due", "slept"), [(30, 30), (PERIOD - 1, PERIOD / 8)])
async def test_the_release_clock_looks_at_each_period_and_eight_times_within(
    make_room: Make, monkeypatch: pytest.MonkeyPatch, before_due: float, slept: float
) -> None:
    room = await make_room()
    server, clock = room.town.server, room.town.clock
    clock.time = (clock.time // PERIOD + 3) * PERIOD - before_due
    count = server.board.count()
    sleeps = []

    async def sleep_until(moment: float) -> None:
        sleeps.append(moment - clock.time)
        raise Woken

    monkeypatch.setattr(server._host.clock, "sleep_until", sleep_until)
    with pytest.raises(Woken):
        await server.run()
    assert sleeps == [slept]
    assert server.board.count() == count + 1, "it looked before it slept"


async def test_before_the_first_record_the_release_clock_looks_again_soon(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = room_on(tmp_path)
    server, sleeps = room.town.server, []
    looks = iter(range(3))

    def step() -> None:
        if next(looks, None) is None:
            raise Woken

    async def sleep(seconds: float) -> None:
        sleeps.append(seconds)

    monkeypatch.setattr(server, "step", step)
    monkeypatch.setattr("wallflower.board.edge.server.asyncio.sleep", sleep)
    with pytest.raises(Woken):
        await server.run()
    assert sleeps == [0.1] * 3
    room.town.close()


async def test_a_body_beyond_the_limit_is_refused(
    make_room: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = await make_room()
    monkeypatch.setattr("wallflower.board.edge.server.MOST_BODY", 1000)
    assert await post(room, "/desk/batch", batch(room, DAY + 1)) == REFUSED
    assert files(room, "batches") == {}


@pytest.mark.parametrize(("token", "most"), [("", 4096), ("wrong", 4096), (TOKEN, 8 << 20)])
async def test_who_has_no_token_cannot_fill_the_memory_with_a_body_that_never_ends(
    make_room: Make, token: str, most: int
) -> None:
    room = await make_room()
    piece, taken, sent = bytes(1024), 0, []

    async def receive() -> Message:
        nonlocal taken
        assert taken <= most, "more was taken than anybody may send"
        taken += len(piece)
        return {"type": "http.request", "body": piece, "more_body": True}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {
        "type": "http", "method": "POST", "path": "/mix/offer/a", "query_string": b"",
        "headers": [(b"authorization", f"Bearer {token}".encode())],
    }  # fmt: skip
    await room.town.server.app(scope, receive, send)
    assert sent[0]["status"] == 400
    assert most < taken <= most + len(piece)


async def test_the_status_holds_counts_and_needs_its_token(make_room: Make) -> None:
    room = await make_room()
    assert await ask(room.town.server.app, "GET", "/status", b"", "wrong") == REFUSED
    assert (await ask(room.town.server.app, "GET", "/status", b"", TOKEN))[0] == 200
    status = room.town.server.status()
    assert set(status) == {"segments", "record", "days_ahead", "disk_failures"}


async def test_a_crash_between_write_and_rename_does_not_keep_the_server_from_starting(
    make_room: Make,
) -> None:
    room = await make_room()
    for name in ("records/record-9.new", "records/draft-9.new", "board/9.new", "batches/9.new"):
        (room.town.path / "board" / name).write_bytes(b"half")
    room.restart()
    await room.tick()
    assert room.town.server.records.raw(1) is not None


async def test_days_pass_without_a_gap_in_the_records(make_room: Make) -> None:
    room = await make_room()
    room.town.clock.time = (DAY + 2) * DAY_S - 2 * TICK
    await room.tick(5)
    newest = room.town.record()
    chain = [room.record_of(n) for n in range(1, newest.number + 1)]
    assert [one.body.day for one in chain] == [DAY, DAY + 1, DAY + 2]
    assert [one.body.ancestors[0] for one in chain[1:]] == [one.hash for one in chain[:-1]]


async def test_the_drop_head_outlives_a_restart(make_room: Make) -> None:
    room = await make_room()
    head = b"\7" * HASH
    status, _ = await ask(room.town.server.app, "POST", "/mix/drop-head", head, TOKEN)
    assert status == 204
    room.town.build()
    assert room.town.server.board.drop_head == head
    room.town.clock.time += PERIOD
    room.town.server.step()
    newest = room.town.server.board.segment(room.town.server.board.count())
    assert parse_segment(newest or b"").header.drop_head == head, "and stands on the board"


async def test_the_organisations_alarms_ring_by_their_causes(make_room: Make) -> None:
    room = await make_room()
    server = room.town.server

    def names() -> set[str]:
        return {a.name for a in of_organisation(server).alarms} - {"disk-filling", "disk-full"}

    await room.tick(3)
    assert names() == {"loops-unwatched"}
    room.town.net.cut.add("b.example")  # nobody asks B; B itself goes on telling
    await room.tick(8)
    assert names() == {"loops-unwatched"}
    for _ in range(8):  # B is gone
        room.town.clock.time += room.town.parameters.tick
        server.step()
    assert "drop-late" in names()
    room.town.clock.time += 3 * room.town.parameters.period
    assert "board-late" in names()
    server.step()
    assert "board-late" not in names()
    room.town.clock.time += 9 * 86400
    assert "no-record" in names()


async def test_loops_of_strangers_are_taken_and_change_nothing(make_room: Make) -> None:
    room = await make_room()
    room.town.loops = LoopSettings(b"k" * 32, 96)
    room.restart()
    told = room.town.server.told
    for body in (b"", b"x" * 15, b"x" * 33):
        with pytest.raises(Refused) as refusal:
            told.take_loops(body)
        assert refusal.value.rule == "loop 4.1"
    await room.town.net.post(f"{BOARD}/mix/loops", b"x" * 32, TOKEN)
    assert told._watch is not None
    assert told._watch._db.execute("SELECT count(*) FROM loops_came").fetchone() == (0,)


async def test_a_server_without_room_for_its_loops_stays_and_watches_when_there_is_room(
    make_room: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = await make_room()
    room.town.loops = LoopSettings(b"k" * 32, 96)

    def full(_folder: Folder, _name: str) -> sqlite3.Connection:
        raise sqlite3.OperationalError("database or disk is full")

    way = way_to_organisation(room.town.parameters.mean_a, TICK, 1.0)
    with monkeypatch.context() as disk:
        disk.setattr(Folder, "database", full)
        told = room.town.server.told = Told(room.town.server._host, room.town.loops)
        assert told.judge(way) is None
        with pytest.raises(Unreachable):
            await room.town.net.post(f"{BOARD}/mix/loops", b"x" * 16, TOKEN)
    await room.town.net.post(f"{BOARD}/mix/loops", b"x" * 16, TOKEN)
    assert told.judge(way) is not None


@pytest.mark.parametrize("page", [0, 2])
async def test_loops_whose_table_is_damaged_ring_by_their_file_and_not_as_if_none_were_asked_for(
    make_room: Make, page: int
) -> None:
    """Who reads that no loops are watched puts into the configuration what is there already."""
    room = await make_room()
    room.town.loops = LoopSettings(b"k" * 32, 96)
    room.restart()
    path = room.town.server.folder / "loops.db"
    watch = room.town.server.told._watch
    assert watch is not None
    settle(watch._db)
    with path.open("r+b") as file:
        file.seek(page * PAGE_SIZE)
        file.write(b"x" * PAGE_SIZE)
    room.restart()
    alarms = of_organisation(room.town.server).alarms
    assert ["loops.db" in a.what for a in alarms if a.name.startswith("loops")] == [True]


@pytest.mark.parametrize("ahead", [DAY_S, 2 * DAY_S, 3 * DAY_S])
async def test_a_clock_that_was_days_ahead_for_one_look_costs_no_period_and_no_batch(
    make_room: Make, ahead: int
) -> None:
    room = await make_room()
    server, clock = room.town.server, room.town.clock
    clock.time = (DAY + 1) * DAY_S - PERIOD - 60  # the evening
    raw = batch(room, DAY + 1)
    await post(room, "/desk/batch", raw)
    await room.town.step()
    clock.time += ahead
    server.step()
    clock.time -= ahead
    clock.time += PERIOD
    server.step()
    shown = b""
    for _ in range(DAY_S // PERIOD):
        clock.time += PERIOD
        server.step()
        segment = parse_segment(server.board.segment(server.board.count()) or b"")
        assert segment.header.period == clock.time // PERIOD
        verify_head(server.board.head or b"", room.town.record())
        shown += b"".join(segment.replies)
    assert raw[4 : 4 + len(shown)] == shown, "all of the batch"


async def test_a_clock_that_is_put_back_by_a_moment_releases_no_period_twice(
    make_room: Make,
) -> None:
    room = await make_room()
    server, clock = room.town.server, room.town.clock
    clock.time = (clock.time // PERIOD + 1) * PERIOD + 1
    server.step()
    count = server.board.count()
    clock.time -= 2
    server.step()
    clock.time += 2
    server.step()
    assert server.board.count() == count
