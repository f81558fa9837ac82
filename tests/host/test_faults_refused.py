"""What a role fails at is refused like everything else."""

from __future__ import annotations

import sqlite3

from tests.host.sockets import exchange, request, serving
from tests.host.test_serve import REFUSAL

from wallflower.host.asgi import Receive, Scope, Send


async def test_a_fault_inside_is_the_one_refusal() -> None:
    async def fails(scope: Scope, receive: Receive, send: Send) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    async with serving(fails) as port:
        assert await exchange(port, request("POST", "/cells", b"abc")) == REFUSAL
        assert await exchange(port, request("GET")) == REFUSAL


async def test_a_fault_in_the_middle_of_an_answer_says_nothing_more() -> None:
    async def fails(scope: Scope, receive: Receive, send: Send) -> None:
        head = {
            "type": "http.response.start",
            "status": 200,
            "headers": [(b"content-length", b"9")],
        }
        await send(head)
        await send({"type": "http.response.body", "body": b"half", "more_body": True})
        raise sqlite3.OperationalError("disk I/O error")

    async with serving(fails) as port:
        got = await exchange(port, request("GET", "/", b"", "Connection: close"))
    assert got.startswith(b"HTTP/1.1 200 OK")
    assert got.endswith(b"half")
