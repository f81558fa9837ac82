"""One connection that never stops must not fill the memory of an exposed server."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from tests.host.sockets import exchange, line, request, serving
from tests.host.test_serve import REFUSAL, echo

from wallflower.host.asgi import Receive, Scope, Send, answer
from wallflower.host.quiet import MOST_AHEAD, MOST_FIELDS, MOST_HEAD

MIB = 1024 * 1024
_CHUNKED = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
# What each sends first, and then again and again.
ENDLESS = {
    "fields behind a body": (_CHUNKED + b"0\r\n", b"a:\r\n" * 4096),
    "one field behind a body": (_CHUNKED + b"0\r\na: ", b"a" * 16_384),
    "what stands beside a chunk's length": (_CHUNKED + b"1;a=", b"a" * 16_384),
    "requests that wait for the first's answer": (b"", b"GET / HTTP/1.1\r\n\r\n" * 1024),
}


def memory() -> int:
    """Bytes that this process has in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


@pytest.mark.parametrize("what", ENDLESS)
async def test_what_never_ends_is_refused_before_it_fills_the_memory(what: str) -> None:
    never = asyncio.Event()

    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        await never.wait()

    begin, again = ENDLESS[what]
    async with serving(slow) as port, line(port) as one:
        before, sent = memory(), 0
        one.writer.write(begin)
        try:
            async with asyncio.timeout(10):
                while sent < 24 * MIB:
                    one.writer.write(again)
                    sent += len(again)
                    await one.writer.drain()
                    await asyncio.sleep(0)
        except ConnectionError:
            pass  # it hung up on us while we were still talking
        except TimeoutError:
            raise AssertionError("it is neither read nor refused") from None
        finally:
            never.set()
        assert sent < 24 * MIB, "it took all of it"
        assert memory() - before < 16 * MIB


async def test_as_many_fields_and_chunks_as_anybody_sends_are_taken() -> None:
    fields = [f"X-{n}: y" for n in range(MOST_FIELDS - 2)]
    async with serving(echo) as port:
        got = await exchange(port, request("POST", "/", b"abc", *fields))
        assert got.startswith(b"HTTP/1.1 200 OK")
        chunks = b"".join(b"1\r\nx\r\n" for _ in range(2400)) + b"0\r\n\r\n"
        assert len(chunks) - 2400 < MOST_HEAD
        got = await exchange(port, _CHUNKED, chunks)
        assert got.startswith(b"HTTP/1.1 200 OK\r\ncontent-length: 2400\r\n")


async def test_one_field_too_many_is_the_one_refusal() -> None:
    async with serving(echo) as port:
        fields = [f"X-{n}: y" for n in range(MOST_FIELDS - 1)]
        assert await exchange(port, request("POST", "/", b"abc", *fields)) == REFUSAL
        behind = _CHUNKED + b"1\r\nx\r\n0\r\nA: b\r\nC: d\r\n\r\n"
        assert await exchange(port, behind) == REFUSAL


async def test_some_requests_ahead_are_answered_in_their_order() -> None:
    async def path_of(scope: Scope, receive: Receive, send: Send) -> None:
        await answer(send, 200, scope["path"].encode())

    asked = b"".join(request("GET", f"/{n}") for n in range(MOST_AHEAD))
    async with serving(path_of) as port, line(port) as one:
        one.writer.write(asked)
        for n in range(MOST_AHEAD):
            path = f"/{n}".encode()
            head = await one.ask(b"")
            assert head == b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(path)
            assert await one.reader.readexactly(len(path)) == path
