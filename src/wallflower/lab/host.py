"""A simulated host: a clock that is moved by hand, seeded entropy, a network inside the process.

The roles' own code runs on it unchanged. What it cannot seed: X-Wing encapsulation and Ed25519
draw inside the library (spec crypto, last paragraph), so ciphertext bytes differ from run to run.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from wallflower.host import Host
from wallflower.host.asgi import App
from wallflower.host.clock import Clock
from wallflower.host.disk import Folder
from wallflower.host.net import Unreachable


class SimulatedClock:
    """Record time that stands still until a test moves it."""

    def __init__(self, now: float) -> None:
        self.time = now

    def now(self) -> float:
        """Record time now."""
        return self.time

    async def sleep_until(self, moment: float) -> None:
        """Jump: on this host waiting is what moves the time."""
        self.time = max(self.time, moment)


class SkewedClock:
    """The clock of one machine that is so many seconds off; `skew` may change while it runs."""

    def __init__(self, true: SimulatedClock, skew: dict[str, float], name: str) -> None:
        self._true = true
        self._skew = skew
        self._name = name

    def now(self) -> float:
        """Record time as this machine believes it."""
        return self._true.now() + self._skew.get(self._name, 0.0)

    async def sleep_until(self, moment: float) -> None:
        """Jump, by this machine's own clock."""
        await self._true.sleep_until(moment - self._skew.get(self._name, 0.0))


class SeededEntropy:
    """SHA-256 in counter mode: the same seed, the same draws."""

    def __init__(self, seed: bytes) -> None:
        self._seed = seed
        self._count = 0
        self._left = b""

    def draw(self, size: int) -> bytes:
        """`size` bytes of the stream."""
        while len(self._left) < size:
            self._left += hashlib.sha256(self._seed + self._count.to_bytes(8)).digest()
            self._count += 1
        out, self._left = self._left[:size], self._left[size:]
        return out


class SimulatedNet:
    """Requests go straight into the ASGI app that listens on `host:port`; its code is real."""

    def __init__(self, apps: dict[str, App]) -> None:
        self.apps = apps
        self.cut: set[str] = set()

    async def get(self, url: str, token: str = "", limit: int = 1 << 26) -> bytes:
        """See host.net.Net.get."""
        return await self._ask("GET", url, b"", token, limit)

    async def post(self, url: str, body: bytes, token: str = "", limit: int = 1 << 26) -> bytes:
        """See host.net.Net.post."""
        return await self._ask("POST", url, body, token, limit)

    async def _ask(self, method: str, url: str, body: bytes, token: str, limit: int) -> bytes:
        parts = urlsplit(url)
        app = self.apps.get(parts.netloc)
        if app is None or parts.netloc in self.cut:
            raise Unreachable
        status, answer = await ask(app, method, parts.path or "/", body, token, parts.query)
        if status not in (200, 204):
            raise Unreachable("Another node refused a request")
        if len(answer) > limit:
            raise Unreachable("Another node's answer was longer than it may be")
        return answer


async def ask(
    app: App, method: str, path: str, body: bytes = b"", token: str = "", query: str = ""
) -> tuple[int, bytes]:
    """One request to an ASGI app; its status and body."""
    headers = [(b"authorization", f"Bearer {token}".encode())] if token else []
    scope = {
        "type": "http", "method": method, "path": path, "headers": headers,
        "query_string": query.encode(),
    }  # fmt: skip
    status, pieces = 0, []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        nonlocal status
        if message["type"] == "http.response.start":
            status = message["status"]
        else:
            pieces.append(message.get("body", b""))

    await app(scope, receive, send)
    return status, b"".join(pieces)


def simulated_host(path: Path, clock: Clock, net: SimulatedNet, name: str, seed: bytes) -> Host:
    """The host of one role: a folder of its own, entropy of its own, its clock, the shared net."""
    return Host(clock, SeededEntropy(seed + name.encode()), Folder(path / name), net)
