"""Runs ASGI apps under uvicorn as every role needs it: no log, no header of its own, one refusal.

A process may listen on several addresses (a public and an inner one); all stop together.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Coroutine, Generator
from dataclasses import dataclass
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from wallflower.host.asgi import REFUSAL_HEADERS, App

MOST_HEAD = 65_536  # bytes of one request's line and headers; the parser itself knows no limit
KEEP_ALIVE_S = 150  # DESIGN 2: ingress keeps connections at least 120 s
_REFUSAL = (
    b"HTTP/1.1 400 Bad Request\r\n"
    + b"".join(name + b": " + value + b"\r\n" for name, value in REFUSAL_HEADERS)
    + b"\r\n"
)


class QuietHttp(HttpToolsProtocol):
    """Bytes that are not HTTP get the same refusal as everything else, and so does an endless head.

    Who asks for leave to send a body (100-continue) is not answered before the one answer.
    """

    _in_head = False
    _head = 0

    def on_message_begin(self) -> None:
        """A request's head begins."""
        self._in_head = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """A request's head has ended."""
        self._in_head = False
        self.expect_100_continue = False
        super().on_headers_complete()

    def data_received(self, data: bytes) -> None:
        """Refuse a head that has grown too long."""
        super().data_received(data)
        self._head = self._head + len(data) if self._in_head else 0
        if self._head > MOST_HEAD and not self.transport.is_closing():
            self.send_400_response("")

    def send_400_response(self, msg: str) -> None:
        """Refuse without saying why."""
        self.transport.write(_REFUSAL)
        self.transport.close()


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Signals belong to the process, which has several servers."""
        yield


@dataclass(frozen=True, slots=True)
class Listener:
    """One app on one address."""

    app: App
    host: str
    port: int


def _server(listener: Listener) -> _Server:
    config = uvicorn.Config(
        listener.app, host=listener.host, port=listener.port, http=QuietHttp, loop="none",
        interface="asgi3",
        ws="none", lifespan="off", log_config=None, log_level="critical", access_log=False,
        server_header=False, date_header=False, proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE_S, timeout_graceful_shutdown=1,
    )  # fmt: skip
    return _Server(config)


async def serve(listeners: list[Listener], *work: Coroutine[Any, Any, None]) -> None:
    """Serve until SIGTERM or SIGINT, with `work` beside; an error in one ends all."""
    servers = [_server(listener) for listener in listeners]
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    running = [asyncio.ensure_future(s.serve()) for s in servers]
    beside = [asyncio.ensure_future(w) for w in work]
    stopped = asyncio.ensure_future(stop.wait())
    try:
        done, _ = await asyncio.wait(
            [*running, *beside, stopped], return_when=asyncio.FIRST_COMPLETED
        )
        for task in done - {stopped}:
            task.result()
    finally:
        for server in servers:
            server.should_exit = True
        for task in [*beside, stopped]:
            task.cancel()
        await asyncio.gather(*running, *beside, stopped, return_exceptions=True)


def run(main: Coroutine[Any, Any, None]) -> None:
    """Run a process on uvloop."""
    import uvloop

    uvloop.run(main)
