"""A mirror: the same bytes for everyone, and the old board when the server is gone."""

from __future__ import annotations

import asyncio
import gzip
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import pytest
from tests.host.sockets import exchange, request, serving
from tests.mix.room import AT_ONCE, DAY, Make, Room

from wallflower.board.edge.mirror import FRESH_S, SILENT_S, Mirror
from wallflower.board.edge.process import read_site
from wallflower.crypto.derive import sha256
from wallflower.errors import Fault
from wallflower.host.asgi import App, Receive, Scope, Send, answer
from wallflower.lab.host import ask
from wallflower.lab.town import BOARD, TOKEN
from wallflower.wire.census import Census, make_census
from wallflower.wire.record import MOST_SEGMENTS
from wallflower.wire.segment import (
    SignedSegment,
    make_head,
    make_segment,
    parse_head,
    parse_segment,
)
from wallflower.wire.sizes import DAY_S, HEAD

SITE = {"index.html": b"<p>film</p>", "app.js": b"js", "film/1.bin": b"piece"}
REFUSED = (400, b"")


def mirror_of(room: Room) -> Mirror:
    return Mirror(room.town.host("another mirror"), BOARD, SITE)


async def shown(mirror: Mirror, *paths: str) -> dict[str, tuple[int, bytes]]:
    return {path: await ask(mirror.app, "GET", path) for path in paths}


PATHS = ("/", "/app.js", "/film/1.bin", "/record", "/board/head", "/board/1")


async def test_the_old_board_stays_when_the_server_is_gone(make_room: Make) -> None:
    room = await make_room()
    mirror = mirror_of(room)
    await mirror.step()
    before = await shown(mirror, *PATHS)
    assert {status for status, _ in before.values()} == {200}
    room.town.net.cut.add("board.example")
    room.town.clock.time += DAY_S
    for _ in range(3):
        await mirror.step()
    assert await shown(mirror, *PATHS) == before


@pytest.mark.parametrize("bits", [0, 1])
async def test_a_segment_that_was_garbled_on_the_way_is_fetched_again(
    make_room: Make, bits: int
) -> None:
    room = await make_room()
    mirror = mirror_of(room)
    await mirror.step()
    before = await shown(mirror, "/board/head")
    room.town.clock.time += AT_ONCE.period
    room.town.server.step()
    real, newest = room.town.server.app, room.town.server.board.count()
    good = room.town.server.board.segment(newest) or b""

    async def garbling(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == f"/board/{newest}":
            await answer(send, 200, good[:-1] + bytes([good[-1] ^ 1] * bits))
        else:
            await real(scope, receive, send)

    room.town.net.apps["board.example"] = garbling
    await mirror.step()
    assert await shown(mirror, "/board/head") == before, "what it shows can be read"
    room.town.net.apps["board.example"] = real
    await mirror.step()
    assert (await shown(mirror, f"/board/{newest}"))[f"/board/{newest}"] == (200, good)
    assert await shown(mirror, "/board/head") != before


async def test_a_board_put_back_from_a_copy_has_its_new_segments_on_the_mirror(
    make_room: Make,
) -> None:
    """Under numbers that the mirror has already; else nobody could read them for 14 days."""
    room = await make_room()
    mirror = mirror_of(room)
    folder = room.town.path / "board" / "board"
    backup = (folder / "head").read_bytes()
    before: dict[str, tuple[int, bytes]] = {}
    for _ in range(2):
        for _ in range(2):
            room.town.clock.time += AT_ONCE.period
            room.town.server.step()
        board, apps = room.town.server.board, room.town.net.apps
        real, older = apps["board.example"], f"/board/{board.count() - 1}"

        async def withholding(
            scope: Scope, receive: Receive, send: Send, real: App = real, older: str = older
        ) -> None:
            await (answer(send, 404) if scope["path"] == older else real(scope, receive, send))

        if before:
            apps["board.example"] = withholding
            await mirror.step()
            assert await shown(mirror, *before) == before, "as long as one of them is withheld"
            apps["board.example"] = real
        await mirror.step()
        newest = f"/board/{board.count()}"
        before = await shown(mirror, "/board/head", newest, older)
        assert before["/board/head"] == (200, board.head)
        assert sha256(before[newest][1]) == parse_head(board.head or b"").segment_hash
        (folder / "head").write_bytes(backup)
        room.restart()


async def test_the_old_head_stays_when_a_new_segment_cannot_be_had(make_room: Make) -> None:
    """A head without its segments would be a board that nobody can read."""
    room = await make_room()
    mirror = mirror_of(room)
    await mirror.step()
    before = await shown(mirror, "/board/head", "/board/1")
    room.town.clock.time += AT_ONCE.period
    room.town.server.step()
    real = room.town.server.app
    newest = f"/board/{room.town.server.board.count()}"

    async def without(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == newest:
            await answer(send, 404)
        else:
            await real(scope, receive, send)

    room.town.net.apps["board.example"] = without
    await mirror.step()
    assert await shown(mirror, "/board/head", "/board/1") == before
    room.town.net.apps["board.example"] = real
    await mirror.step()
    assert await shown(mirror, "/board/head") != {"/board/head": before["/board/head"]}


# The last names four billion segments.
ENDLESS = b"\1\0" + bytes(2) + b"\xff" * 4 + bytes(168)
# The first after the newest: it names none.
EMPTY = b"\1\0" + bytes(2) + (1).to_bytes(4) + bytes(4) + (2).to_bytes(4) + bytes(160)


@pytest.mark.parametrize(
    "head", [b"", b"x" * 176, b"x" * 177, b"\1\0" + b"\xff" * 10, ENDLESS[:HEAD], EMPTY]
)
async def test_a_server_that_lies_leaves_the_old_board(make_room: Make, head: bytes) -> None:
    room = await make_room()
    mirror = mirror_of(room)
    await mirror.step()
    before = await shown(mirror, "/board/head", "/board/1")
    real = room.town.server.app

    async def lying(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == "/board/head":
            await answer(send, 200, head)
        else:
            await real(scope, receive, send)

    room.town.net.apps["board.example"] = lying
    await mirror.step()
    assert await shown(mirror, "/board/head", "/board/1") == before


@pytest.mark.parametrize(("segments", "asked"), [(MOST_SEGMENTS, True), (MOST_SEGMENTS + 1, False)])
async def test_a_head_of_more_segments_than_a_board_may_have_is_not_followed(
    make_room: Make, segments: int, asked: bool
) -> None:
    room = await make_room()
    newest = parse_segment(room.town.server.board.segment(1) or b"")
    last = replace(newest, header=replace(newest.header, number=segments))
    head = make_head(last, 1, room.town.signers.board)
    paths = []

    async def counted(scope: Scope, receive: Receive, send: Send) -> None:
        paths.append(scope["path"])
        await answer(send, 200, head if scope["path"] == "/board/head" else b"x")

    room.town.net.apps["board.example"] = counted
    mirror = mirror_of(room)
    await mirror.step()
    assert (f"/board/{segments}" in paths) is asked


def after(before: SignedSegment, number: int) -> bytes:
    """A segment that names another as the one before it; who signed is not for a mirror to ask."""
    header = replace(before.header, number=number, previous=before.hash)
    return make_segment(header, list(before.replies), list(before.receipts), b"s" * 32)


async def test_a_board_that_names_other_segments_each_time_and_withholds_one_fills_no_memory(
    make_room: Make,
) -> None:
    room = await make_room()
    mirror = mirror_of(room)
    await mirror.step()
    before = await shown(mirror, "/board/head", "/board/1")
    parsed = parse_segment(room.town.server.board.segment(1) or b"")
    held: dict[str, bytes] = {}

    async def hostile(scope: Scope, receive: Receive, send: Send) -> None:
        del receive
        body = held.get(scope["path"])
        await answer(send, 200 if body else 404, body or b"")

    room.town.net.apps["board.example"] = hostile
    for look in range(5):
        held = {"/record": b"x"}
        for number in range(10 * look + 2, 10 * look + 12):
            raw = after(parsed, number)
            parsed, held[f"/board/{number}"] = parse_segment(raw), raw
        held["/board/head"] = make_head(parsed, 10 * look + 2, b"s" * 32)
        del held[f"/board/{10 * look + 2}"]
        await mirror.step()
        assert (await mirror.report()).facts["segments"] == 1 + 9, "the shown one and the newest"
    assert await shown(mirror, "/board/head", "/board/1") == before


async def test_the_census_is_copied_and_stays_when_it_cannot_be_had(make_room: Make) -> None:
    room = await make_room()
    mirror = mirror_of(room)
    await mirror.step()
    assert await shown(mirror, "/census") == {"/census": REFUSED}, "before the first day is none"
    census = make_census(Census(room.town.record().number, DAY, ()), room.town.signers.drop)
    await room.town.net.post(f"{BOARD}/mix/census", census, TOKEN)
    await mirror.step()
    room.town.net.cut.add("board.example")
    await mirror.step()
    assert await shown(mirror, "/census") == {"/census": (200, census)}


async def test_a_mirror_looks_at_the_board_twice_an_hour(
    make_room: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = await make_room()
    mirror, clock, woken = mirror_of(room), room.town.clock, []

    async def sleep_until(moment: float) -> None:
        woken.append(moment - clock.time)
        clock.time = moment
        room.town.server.step()
        if len(woken) == 3:
            raise asyncio.CancelledError

    monkeypatch.setattr(mirror._host.clock, "sleep_until", sleep_until)
    with pytest.raises(asyncio.CancelledError):
        await mirror.run()
    assert woken == [FRESH_S] * 3, "record seconds between two looks"
    assert (await shown(mirror, "/board/head"))["/board/head"][0] == 200


async def test_what_is_no_request_of_http_is_not_answered(make_room: Make) -> None:
    sent: list[object] = []

    async def keep(message: object) -> None:
        sent.append(message)

    await mirror_of(await make_room()).app({"type": "lifespan"}, no_body, keep)
    assert sent == []


async def no_body() -> NoReturn:
    raise AssertionError("nothing is read")


async def test_a_segment_that_left_the_board_leaves_the_mirror(make_room: Make) -> None:
    room = await make_room(replace(AT_ONCE, segments=2))
    mirror = mirror_of(room)
    for n in range(1, 5):
        room.town.clock.time = DAY * DAY_S + 17 * 3600 + n * AT_ONCE.period
        room.town.server.step()
        await mirror.step()
    newest = room.town.server.board.count()
    got = await shown(mirror, *(f"/board/{n}" for n in range(1, newest + 1)))
    assert [status for status, _ in got.values()] == [400] * (newest - 2) + [200, 200]


async def test_queries_other_methods_and_strange_paths_are_refused(make_room: Make) -> None:
    room = await make_room()
    mirror = mirror_of(room)
    await mirror.step()
    for path in ("/", "/app.js", "/record", "/board/head"):
        assert await ask(mirror.app, "GET", path, query="v=1") == REFUSED
        for method in ("POST", "HEAD", "PUT", "OPTIONS"):
            assert await ask(mirror.app, method, path) == REFUSED
    for path in ("/nothing", "/../index.html", "/board/0", "/board/99", "/film/", "//", "/status"):
        assert await ask(mirror.app, "GET", path) == REFUSED


async def test_on_the_wire_nothing_could_tell_one_visitor_from_another(make_room: Make) -> None:
    room = await make_room()
    mirror = mirror_of(room)
    await mirror.step()
    async with serving(mirror.app) as port:
        for path in PATHS:
            plain = request("GET", path, b"", "Connection: close")
            marked = request(
                "GET", path, b"", "Connection: close", 'If-None-Match: "x"', "Cookie: a=b",
                "If-Modified-Since: Sat, 21 Nov 2026 00:00:00 GMT", "Range: bytes=0-1",
                "Accept-Language: fa", "Origin: http://a.example", "User-Agent: canary",
            )  # fmt: skip
            first = await exchange(port, plain)
            assert first.startswith(b"HTTP/1.1 200 OK\r\n")
            assert await exchange(port, marked) == first, "the same bytes for everyone"
            head = first.partition(b"\r\n\r\n")[0].lower()
            for name in (b"etag", b"last-modified", b"set-cookie", b"date", b"server", b"age",
                         b"alt-svc", b"location"):  # fmt: skip
                assert b"\r\n" + name + b":" not in head
        assert (await exchange(port, request("GET", "/?x=1"))).startswith(b"HTTP/1.1 400")


async def test_live_files_are_never_stored_and_fixed_ones_for_an_hour(make_room: Make) -> None:
    mirror = mirror_of(await make_room())
    for name, keep in (
        ("index.html", b"no-store"), ("record", b"no-store"), ("board/head", b"no-store"),
        ("tuf/timestamp.json", b"no-store"),
        ("tuf/2.page.json", b"public, max-age=3600, immutable"),
        ("app.js", b"public, max-age=3600, immutable"),
        ("board/7", b"public, max-age=3600, immutable"),
    ):  # fmt: skip
        headers = dict(mirror._headers(name))
        assert headers[b"cache-control"] == keep
        assert headers[b"referrer-policy"] == b"no-referrer"


async def test_what_is_public_and_signed_is_read_by_pages_of_any_origin(make_room: Make) -> None:
    """A carried copy's origin is none, and a mirror is the second way of another's page."""
    mirror = mirror_of(await make_room())
    shared = {
        name: dict(mirror._headers(name)).get(b"access-control-allow-origin")
        for name in ("record", "board/head", "board/7", "index.html", "app.js", "film/1.bin")
    }
    assert shared == {"record": b"*", "board/head": b"*", "board/7": b"*",
                      "index.html": None, "app.js": None, "film/1.bin": None}  # fmt: skip


async def test_the_status_tells_how_fresh_the_copy_is_and_nothing_of_who_came(
    make_room: Make,
) -> None:
    room = await make_room()
    mirror = mirror_of(room)
    assert [a.name for a in (await mirror.report()).alarms] == ["no-record"]
    await mirror.step()
    before = await mirror.report()
    assert before.alarms == []
    assert set(before.facts) == {"segments", "files"}
    assert before.facts["files"] == len(SITE)
    assert before.facts["segments"] == room.town.server.board.count()
    await shown(mirror, *PATHS, "/", "/nothing")
    assert await mirror.report() == before, "visits leave no trace"
    room.town.net.cut.add("board.example")
    room.town.clock.time += SILENT_S
    await mirror.step()
    assert (await mirror.report()).alarms == []
    room.town.clock.time += 1
    assert [a.name for a in (await mirror.report()).alarms] == ["board-silent"]
    room.town.net.cut.clear()
    await mirror.step()
    assert (await mirror.report()).alarms == []


async def test_a_board_that_is_silent_since_a_clock_was_put_back_is_an_alarm(
    make_room: Make,
) -> None:
    """As on a machine that asked for the time after this process began."""
    room = await make_room()
    right, room.town.clock.time = room.town.clock.time, room.town.clock.time + 30 * DAY_S
    mirror = mirror_of(room)
    room.town.clock.time = right
    room.town.net.cut.add("board.example")
    await mirror.step()
    alarms = {alarm.name: alarm.what for alarm in (await mirror.report()).alarms}
    what = "the board has not answered whole since the clock here was put back"
    assert alarms["board-silent"] == what
    room.town.net.cut.clear()
    await mirror.step()
    assert (await mirror.report()).alarms == []


async def test_a_board_that_answers_wrongly_is_an_alarm(make_room: Make) -> None:
    room = await make_room()
    mirror = mirror_of(room)
    await mirror.step()

    async def lying(scope: Scope, receive: Receive, send: Send) -> None:
        await answer(send, 200, b"x" * 9)

    room.town.net.apps["board.example"] = lying
    await mirror.step()
    assert [a.name for a in (await mirror.report()).alarms] == ["answers-refused"]


def test_a_site_without_a_page_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "app.js").write_bytes(b"js")
    with pytest.raises(Fault, match="index"):
        read_site(tmp_path)
    (tmp_path / "index.html").write_bytes(b"page")
    (tmp_path / "film").mkdir()
    (tmp_path / "film" / "1").write_bytes(b"piece")
    assert read_site(tmp_path) == {"app.js": b"js", "index.html": b"page", "film/1": b"piece"}


async def test_texts_are_packed_for_who_can_unpack_them_and_open_to_the_same_bytes(
    make_room: Make,
) -> None:
    room = await make_room()
    mirror = mirror_of(room)
    await mirror.step()
    async with serving(mirror.app) as port:
        plain = await exchange(port, request("GET", "/app.js", b"", "Connection: close"))
        takes = ("Accept-Encoding: gzip, br", "Connection: close")
        packed = await exchange(port, request("GET", "/app.js", b"", *takes))
        board = await exchange(port, request("GET", "/board/head", b"", *takes))
        for other in ("Accept-Encoding: br", "Accept-Language: gzip"):
            asked = request("GET", "/app.js", b"", other, "Connection: close")
            assert await exchange(port, asked) == plain
    assert b"\r\nvary: accept-encoding\r\n" in plain
    assert b"\r\nvary: accept-encoding\r\n" in packed
    assert b"vary" not in board
    assert plain.partition(b"\r\n\r\n")[2] == SITE["app.js"]
    assert b"content-encoding: gzip" in packed
    assert gzip.decompress(packed.partition(b"\r\n\r\n")[2]) == SITE["app.js"]
    assert b"content-encoding" not in board
