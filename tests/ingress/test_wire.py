"""The exposed server, byte by byte: exactly one cell is 204 once durable, all else one refusal."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from pathlib import Path

import pytest
from tests.host.sockets import exchange, line, request, until
from tests.ingress.stage import REFUSAL, TAKEN, Stage, cell, staged, upload

from wallflower.host.log import Log
from wallflower.ingress.edge import commit, routes
from wallflower.wire.sizes import CELL


def chunked(*chunks: bytes) -> bytes:
    head = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    return head + b"".join(b"%x\r\n%s\r\n" % (len(c), c) for c in (*chunks, b""))


WHOLE = bytes(CELL)
REFUSED = {
    "one byte short": upload(bytes(CELL - 1)),
    "one byte long": upload(bytes(CELL + 1)),
    "nothing": upload(b""),
    "a hum at once": upload(bytes(12 * CELL)),
    "GET": request("GET"),
    "GET with a cell": request("GET", "/", WHOLE),
    "HEAD": request("HEAD"),
    "PUT": request("PUT", "/", WHOLE),
    "PATCH": request("PATCH", "/", WHOLE),
    "DELETE": request("DELETE", "/", WHOLE),
    "OPTIONS": request("OPTIONS"),
    "a preflight": request(
        "OPTIONS", "/", b"", "Origin: http://a.example", "Access-Control-Request-Method: POST"
    ),
    "OPTIONS *": request("OPTIONS", "*"),
    "TRACE": request("TRACE"),
    "CONNECT": request("CONNECT", "a.example:443"),
    "chunks, one byte short": chunked(WHOLE[:2000], WHOLE[2000:-1]),
    "chunks, one byte long": chunked(WHOLE, b"x"),
    "no chunk": chunked(),
    "a broken chunk": chunked(WHOLE[:100])[:-7] + b"zz\r\n\r\n",
    "asking first": upload(bytes(CELL + 1), "Expect: 100-continue"),
    "an upgrade": upload(WHOLE, "Connection: Upgrade", "Upgrade: h2c", "HTTP2-Settings: AAMAAABk"),
    "not HTTP": b"\x16\x03\x01\x00\xc8" + bytes(200) + b"\r\n\r\n",
    "HTTP 9.9": b"POST / HTTP/9.9\r\n\r\n",
    "HTTP 1.0, short": b"POST / HTTP/1.0\r\nContent-Length: 3\r\n\r\nabc",
}


async def test_every_refusal_is_the_same_bytes_and_keeps_nothing(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        got = {name: await exchange(stage.port, asked) for name, asked in REFUSED.items()}
        assert got == dict.fromkeys(REFUSED, REFUSAL)
        assert stage.kept() == []
        assert await exchange(stage.port, upload(WHOLE)) == TAKEN, "the control"


async def test_one_cell_is_in_the_database_when_its_answer_arrives(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        for number in range(5):
            assert await exchange(stage.port, upload(cell(number))) == TAKEN
            assert stage.kept()[-1] == cell(number)


TAKEN_TOO = {
    "another path": upload(cell(1), path="/some/where"),
    "a path that the inner listener knows": upload(cell(2), path="/cells"),
    "a query": upload(cell(3), path="/?q=1"),
    "what a browser adds": upload(
        cell(4), "Origin: http://mirror.example", "Sec-Fetch-Mode: no-cors", "Cookie: a=b",
        "User-Agent: Mozilla/5.0", "Accept-Language: zh-CN", "Content-Type: text/plain",
        'If-None-Match: "x"', "Accept-Encoding: gzip",
    ),
    "chunks of the right length": chunked(cell(5)[:7], cell(5)[7:]),
    "a wrong token": upload(cell(6), "Authorization: Bearer nobody"),
}  # fmt: skip


async def test_nothing_but_the_length_decides_and_every_acceptance_is_the_same_bytes(
    tmp_path: Path,
) -> None:
    async with staged(tmp_path) as stage:
        got = {name: await exchange(stage.port, asked) for name, asked in TAKEN_TOO.items()}
        assert got == dict.fromkeys(TAKEN_TOO, TAKEN)
        for size in (CELL - 1, CELL + 1):
            assert await exchange(stage.port, upload(bytes(size))) == REFUSAL
        assert stage.kept() == [cell(n) for n in range(1, 7)]


async def test_no_answer_carries_a_date_a_server_an_etag_or_a_cookie(tmp_path: Path) -> None:
    names = (b"date", b"server", b"etag", b"set-cookie", b"last-modified", b"vary", b"alt-svc")
    async with staged(tmp_path) as stage:
        for asked in (upload(WHOLE, "Connection: keep-alive"), upload(b"")):
            got = (await exchange(stage.port, asked)).lower()
            assert not [name for name in names if name + b":" in got]


async def test_one_kept_connection_serves_a_whole_hum(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage, line(stage.port) as one:
        assert [await one.ask(upload(cell(n))) for n in range(12)] == [TAKEN] * 12
        assert stage.kept() == [cell(n) for n in range(12)]


async def test_a_body_that_comes_in_pieces_is_one_cell(tmp_path: Path) -> None:
    asked = upload(cell(1))
    async with staged(tmp_path) as stage:
        assert await exchange(stage.port, *(asked[i : i + 97] for i in range(0, 2500, 97))) == TAKEN
        assert stage.kept() == [cell(1)]


async def test_a_body_that_never_ends_is_refused_in_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert routes.SLOWEST_S <= 6.5
    monkeypatch.setattr(routes, "SLOWEST_S", 0.2)
    async with staged(tmp_path) as stage:
        assert await exchange(stage.port, upload(WHOLE)[:-1]) == REFUSAL
        assert stage.kept() == []


async def test_a_client_that_hangs_up_half_way_leaves_nothing(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        async with line(stage.port) as one:
            one.writer.write(upload(WHOLE)[:-1])
            await one.writer.drain()
        assert await exchange(stage.port, upload(cell(1))) == TAKEN
        assert stage.kept() == [cell(1)]


async def test_overload_is_refused_alike_and_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with staged(tmp_path) as stage:
        with monkeypatch.context() as patch:
            patch.setattr(commit, "MOST_WAITING", 0)
            assert await exchange(stage.port, upload(cell(1))) == REFUSAL
        assert stage.kept() == []
        assert await exchange(stage.port, upload(cell(2))) == TAKEN


async def failed(stage: Stage) -> bool:
    return "disk-failed" in {alarm.name for alarm in (await stage.ingress.report()).alarms}


@pytest.mark.parametrize("error", [OSError(28, "full"), sqlite3.OperationalError("disk I/O error")])
async def test_a_failing_disk_is_refused_alike_and_told_and_the_service_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def failing(_log: Log, _record: int, _bodies: Iterable[bytes]) -> int:
        raise error

    async with staged(tmp_path) as stage:
        with monkeypatch.context() as patch:
            patch.setattr(Log, "append", failing)
            assert not await failed(stage)
            assert await exchange(stage.port, upload(cell(1))) == REFUSAL
        assert stage.kept() == []
        assert await failed(stage)
        assert await exchange(stage.port, upload(cell(2))) == TAKEN
        assert stage.kept() == [cell(2)]


async def test_garbage_after_a_cell_on_the_same_connection_is_refused_alike(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage, line(stage.port) as one:
        assert await one.ask(upload(cell(1))) == TAKEN
        assert await one.ask(b"\x00garbage\r\n\r\n") == REFUSAL
        assert stage.kept() == [cell(1)]


async def test_a_cell_counts_once_it_is_taken(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        for asked in (upload(cell(1)), upload(b""), upload(cell(2))):
            await exchange(stage.port, asked)

        async def counted() -> bool:
            return stage.ingress.commit.cells == 2

        await until(counted, "two cells are counted")
