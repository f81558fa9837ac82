"""Runs ASGI apps under uvicorn as every role needs it: no log, no header of its own, one refusal.

A process may listen on several addresses (the public one first, then inner ones); all stop
together. Each has seats of its own, so many that the process never runs out of descriptors.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import gc
import os
import resource
import signal
import socket
from collections.abc import Coroutine, Generator
from dataclasses import dataclass
from functools import partial
from typing import Any

import uvicorn

from wallflower.errors import Fault
from wallflower.host.asgi import App, refusing_faults
from wallflower.host.disk import disk_trouble
from wallflower.host.quiet import KEEP_ALIVE_S, QuietHttp
from wallflower.host.seats import Seats
from wallflower.host.settings import Settings
from wallflower.host.status import Report, status_app

# Descriptors that are no connections: databases, files, the loop's own, and what we ask of others.
_OWN = 64
_INNER = 64  # seats of each listener but the first: a few nodes and an operator come there
_FEWEST = 16
MOST_SEATS = 16_384  # a connection costs about 20 kB of memory, and an unfinished head 16 more
_MOST_BACKLOG = 2048
_NO_IPV6 = (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL)  # none was built in, or it is turned off


def raise_descriptors() -> int:
    """Ask the system for as many descriptors as we would use; how many there are."""
    wanted = MOST_SEATS + 2 * _MOST_BACKLOG + 1024
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < wanted and soft < hard:
        soft = min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return soft


def backlog_of(descriptors: int) -> int:
    """How many connections may wait to be accepted. All of them may come at once, on top of the
    seats, before one can be told to leave."""
    return max(_FEWEST, min(_MOST_BACKLOG, descriptors // 8))


def seats_of(descriptors: int, listeners: int) -> list[int]:
    """The seats of each listener; the first is the public one and gets all that can be had.

    So a flood there never takes the place of the next node, which comes to an inner listener.
    """
    inner = [_INNER] * (listeners - 1)
    left = descriptors - _OWN - 2 * backlog_of(descriptors) - sum(inner)
    return [max(_FEWEST, min(MOST_SEATS, left)), *inner][:listeners]


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Signals belong to the process, which has several servers."""
        yield


@dataclass(frozen=True, slots=True)
class Listener:
    """One app on one address. A connection ends with the answer of its last request, where there
    is a number of these."""

    app: App
    host: str
    port: int
    requests: int | None = None


def status_listeners(settings: Settings, report: Report) -> list[Listener]:
    """The operator's own listener, on loopback and nowhere else; none without [status_page]."""
    if "status_page" not in settings.fields:
        return []
    return [Listener(status_app(report), "127.0.0.1", settings.table("status_page").port())]


def _listen(listener: Listener, backlog: int, held: contextlib.ExitStack) -> list[socket.socket]:
    """Sockets that take connections from now on, one for each address of its host; or a Fault."""
    try:
        found = socket.getaddrinfo(
            listener.host or None, listener.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
    except (socket.gaierror, UnicodeError):
        raise Fault(
            f"The host to listen at with port {listener.port} is no address",
            "Write an address of this machine as 'host', such as 127.0.0.1.",
        ) from None
    sockets = []
    at_ipv4 = any(family == socket.AF_INET for family, *_ in found)
    for family, _, _, _, address in dict.fromkeys(found):
        try:
            one = socket.create_server(address, family=family, backlog=backlog)
        except OSError as error:
            if at_ipv4 and family == socket.AF_INET6 and error.errno in _NO_IPV6:
                continue  # a name such as localhost may have one where a machine has none
            # Not `strerror`: it holds the address.
            said = os.strerror(error.errno) if error.errno else type(error).__name__
            raise Fault(
                f"The system said of port {listener.port}: {said}",
                "Look whether another program has it, and whether 'host' is this machine's.",
            ) from None
        sockets.append(held.enter_context(one))
    return sockets


def _listen_to_all(listeners: list[Listener], backlog: int) -> list[list[socket.socket]]:
    """The sockets of each, or a Fault and none. uvicorn is given them, since it ends the process
    without a word where it cannot have an address."""
    with contextlib.ExitStack() as held:
        sockets = [_listen(each, backlog, held) for each in listeners]
        held.pop_all()
    return sockets


def _server(listener: Listener, seats: int, backlog: int) -> _Server:
    # uvicorn only calls this, and its type knows no class that is given something first.
    protocol: Any = partial(QuietHttp, Seats(seats), listener.requests)
    config = uvicorn.Config(
        refusing_faults(listener.app), host=listener.host, port=listener.port, http=protocol,
        loop="none",
        interface="asgi3", backlog=backlog,
        ws="none", lifespan="off", log_config=None, log_level="critical", access_log=False,
        server_header=False, date_header=False, proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE_S, timeout_graceful_shutdown=1,
    )  # fmt: skip
    return _Server(config)


async def serve(listeners: list[Listener], *work: Coroutine[Any, Any, None]) -> None:
    """Serve until SIGTERM or SIGINT, with `work` beside; an error in one ends all.

    When the work begins, every listener takes connections; a Fault where one has no such address.
    """
    descriptors = raise_descriptors()
    backlog, seats = backlog_of(descriptors), seats_of(descriptors, len(listeners))
    try:
        sockets = _listen_to_all(listeners, backlog)
    except Fault:
        for one in work:
            one.close()
        raise
    servers = [_server(*each, backlog) for each in zip(listeners, seats, strict=True)]
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    running = [asyncio.ensure_future(s.serve(own)) for s, own in zip(servers, sockets, strict=True)]
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


def calm_collector() -> None:
    """Look for garbage in cycles less often, and never among what was there at the start.

    Python's own thresholds are for programs of a few hundred objects: a page of a pull makes
    thousands that no cycle holds, and the looking cost a mix a fifth of its work.
    """
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


def run(main: Coroutine[Any, Any, None]) -> None:
    """Run a process on uvloop. Raises DiskTrouble when its disk takes nothing more."""
    import uvloop

    calm_collector()
    with disk_trouble():
        uvloop.run(main)
