"""Real sockets and processes: serve an app, speak to it byte by byte, wait for a condition."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any

from wallflower.host.asgi import App
from wallflower.host.serve import Listener, serve
from wallflower.lab.demo.ports import Ports, hold_ports

LIMIT_S = 20.0
_HELD: list[Ports] = []


def free_port() -> int:
    """A loopback port that nobody listens on, and nobody but us will until these tests end."""
    ports = hold_ports(("one",))
    _HELD.append(ports)
    return ports.numbers["one"]


def images_of(pid: int) -> str:
    """How large an image of its memory a process may leave: the two limits, in bytes."""
    limits = Path(f"/proc/{pid}/limits").read_text().splitlines()
    return " ".join(next(line for line in limits if line.startswith("Max core")).split()[4:6])


async def until(ready: Callable[[], Awaitable[bool]], what: str, limit: float = LIMIT_S) -> None:
    """Wait until a condition holds; fail with its name when the limit has passed."""
    try:
        async with asyncio.timeout(limit):
            while not await ready():  # noqa: ASYNC110  # conditions of other processes have no event
                await asyncio.sleep(0.005)
    except TimeoutError:
        raise AssertionError(f"never happened: {what}") from None


async def listening(port: int) -> bool:
    """Whether somebody takes connections on this port."""
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True


@contextlib.asynccontextmanager
async def serving(
    app: App, *work: Coroutine[Any, Any, None], requests: int | None = None
) -> AsyncIterator[int]:
    """Serve an app with `host.serve`, as every process does; gives the port."""
    port = free_port()
    task = asyncio.ensure_future(serve([Listener(app, "127.0.0.1", port, requests)], *work))

    async def up() -> bool:
        return task.done() or await listening(port)

    try:
        await until(up, "the server listens")
        yield port
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


class Line:
    """One TCP connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def ask(self, *pieces: bytes) -> bytes:
        """Send bytes piece by piece; the answer whole: to its end when the server closes."""
        for piece in pieces:
            self.writer.write(piece)
            await self.writer.drain()
        try:
            async with asyncio.timeout(LIMIT_S):
                return await self._answer()
        except TimeoutError:
            raise AssertionError("never happened: an answer, or the end") from None

    async def _answer(self) -> bytes:
        try:
            answer = await self.reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError as cut:
            return cut.partial
        if b"connection: close" in answer.lower():
            answer += await self.reader.read()
        return answer


@contextlib.asynccontextmanager
async def line(port: int) -> AsyncIterator[Line]:
    """An open connection to a port on loopback."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield Line(reader, writer)
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


async def exchange(port: int, *pieces: bytes) -> bytes:
    """One connection, one question, its answer byte for byte."""
    async with line(port) as one:
        return await one.ask(*pieces)


def request(method: str, path: str = "/", body: bytes = b"", *headers: str) -> bytes:
    """An HTTP/1.1 request with a length and whatever headers."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, *headers, "", ""]).encode("latin-1") + body
