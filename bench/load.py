"""The load: so many connections that each POST the same cell again as soon as it was answered.

A process of its own: `python -m bench.load PORT CONNECTIONS SECONDS` prints one JSON object.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import cast

import uvloop

from wallflower.wire.sizes import CELL

TAKEN = b"HTTP/1.1 204"
# As much head as a browser sends.
HEAD = (
    "POST / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: keep-alive\r\n"
    "Content-Length: {length}\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 "
    "(KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36\r\nAccept: */*\r\n"
    "Origin: http://mirror.example\r\nSec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: no-cors\r\n"
    "Sec-Fetch-Dest: empty\r\nAccept-Encoding: gzip, deflate, br, zstd\r\n"
    "Accept-Language: en-US,en;q=0.9\r\n\r\n"
)


def request(port: int) -> bytes:
    """One POST of one cell's length; what is in it matters to neither receiver."""
    body = bytes(n % 251 for n in range(CELL))
    return HEAD.format(port=port, length=CELL).encode() + body


class Sender(asyncio.Protocol):
    """One connection."""

    def __init__(self, what: bytes) -> None:
        self._what = what
        self._transport: asyncio.Transport | None = None
        self._left = b""
        self.taken = 0
        self.other = 0
        self.stop = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the first."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is no subclass
        self._transport.write(self._what)

    def data_received(self, data: bytes) -> None:
        """An answer has no body; when its head has ended the next request leaves."""
        self._left += data
        while (end := self._left.find(b"\r\n\r\n")) >= 0:
            answer, self._left = self._left[:end], self._left[end + 4 :]
            if answer.startswith(TAKEN):
                self.taken += 1
            else:
                self.other += 1
            if not self.stop and self._transport:
                self._transport.write(self._what)

    def connection_lost(self, exc: Exception | None) -> None:
        """An answer that closes is one that we did not ask for."""
        if not self.stop:
            self.other += 1


async def run(port: int, connections: int, seconds: float) -> dict[str, float]:
    """Send for so long; then wait until everything that was sent is answered."""
    loop, what = asyncio.get_running_loop(), request(port)
    senders = [
        (await loop.create_connection(lambda: Sender(what), "127.0.0.1", port))[1]
        for _ in range(connections)
    ]
    began, before = time.perf_counter(), sum(s.taken for s in senders)
    cpu = time.process_time()
    await asyncio.sleep(seconds)
    taken, wall = sum(s.taken for s in senders) - before, time.perf_counter() - began
    cpu = time.process_time() - cpu
    for sender in senders:
        sender.stop = True
    end = time.perf_counter() + 10
    last = -1
    while last != (now := sum(s.taken for s in senders)) and time.perf_counter() < end:
        last = now
        await asyncio.sleep(0.3)
    return {
        "taken": taken, "all": sum(s.taken for s in senders),
        "other": sum(s.other for s in senders), "wall_s": wall, "cpu_s": cpu,
    }  # fmt: skip


if __name__ == "__main__":
    print(json.dumps(uvloop.run(run(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])))))
