"""A raw HTTP/1.1 server that keeps every request to the byte, and can be as slow as a bad line.

It is not the mirror or the ingress of the project: those drop what they need not know. It answers
with the same headers as they do.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

CHUNK = 1024


@dataclass(slots=True)
class Request:
    """One request as it came: on which connection, its head to the byte, and its body."""

    connection: int
    head: bytes
    body: bytes
    at: float

    @property
    def line(self) -> str:
        """Method and path."""
        return self.head.split(b"\r\n", 1)[0].decode("latin-1").rsplit(" ", 1)[0]


@dataclass(slots=True)
class Pace:
    """How many bytes a second come down, for all connections that share this object."""

    rate: float
    _free: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def wait_s(self, size: int) -> float:
        """How long the writer of `size` more bytes has to wait from now on."""
        with self._lock:
            now = time.monotonic()
            self._free = max(self._free, now) + size / self.rate
            return self._free - now


Answer = Callable[[str], tuple[int, bytes, list[str]]]


@dataclass(slots=True)
class Recorder:
    """One server in a thread of its own. `sent` counts the bytes of its answers, heads included."""

    answer: Answer
    requests: list[Request] = field(default_factory=list)
    connections: int = 0
    port: int = 0
    sent: int = 0
    pace: Pace | None = None
    _loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)

    def start(self) -> Recorder:
        """Listen on a free loopback port."""
        ready = threading.Event()
        threading.Thread(target=self._run, args=(ready,), daemon=True).start()
        ready.wait()
        return self

    def stop(self) -> None:
        """Close everything and end the thread."""
        self._loop.call_soon_threadsafe(self._loop.stop)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    def _run(self, ready: threading.Event) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(
            asyncio.start_server(self._serve, "127.0.0.1", self.port)
        )
        self.port = server.sockets[0].getsockname()[1]
        ready.set()
        self._loop.run_forever()
        # A browser that goes on keeps its connections open, and may have opened one just now, which
        # is served after three turns of the loop.
        for _ in range(3):
            self._loop.run_until_complete(asyncio.sleep(0))
        server.close()
        while serving := asyncio.all_tasks(self._loop):
            for task in serving:
                task.cancel()
            self._loop.run_until_complete(asyncio.wait(serving))
            self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        name = self.connections
        try:
            try:
                with suppress(asyncio.IncompleteReadError, ConnectionError):
                    while True:
                        await self._one(name, reader, writer)
            finally:
                writer.close()
            with suppress(ConnectionError):  # until then it is one that `stop` has to end
                await writer.wait_closed()
        except asyncio.CancelledError:
            writer.transport.abort()

    async def _one(
        self, name: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        at = time.monotonic()
        body = await reader.readexactly(_length(head))
        request = Request(name, head, body, at)
        self.requests.append(request)
        status, payload, headers = self.answer(request.line)
        lines = [f"HTTP/1.1 {status} -", *headers]
        if status != 204:
            lines.append(f"Content-Length: {len(payload)}")
        await self._write(writer, "\r\n".join([*lines, "", ""]).encode() + payload)

    async def _write(self, writer: asyncio.StreamWriter, data: bytes) -> None:
        self.sent += len(data)
        if self.pace is None:
            writer.write(data)
        else:
            for at in range(0, len(data), CHUNK):
                chunk = data[at : at + CHUNK]
                await asyncio.sleep(self.pace.wait_s(len(chunk)))
                writer.write(chunk)
                await writer.drain()
        await writer.drain()


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        if line.lower().startswith(b"content-length:"):
            return int(line.split(b":")[1])
    return 0
