"""Real HTTP to other nodes.

Nothing here follows a redirect, keeps a cookie or reads a proxy from the environment.
"""

from __future__ import annotations

import aiohttp

from wallflower.host.net import MAX_ANSWER, Unreachable, asked_host, is_onion

ENOUGH_S = 60.0


class HttpNet:
    """One session for all; connections are kept for the next round. `seconds` is how long a
    question and its answer may take."""

    def __init__(self, connections: int = 100, seconds: float = ENOUGH_S) -> None:
        self._connections = connections
        self._seconds = seconds
        self._session: aiohttp.ClientSession | None = None

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=self._connections),
                timeout=aiohttp.ClientTimeout(total=self._seconds),
                cookie_jar=aiohttp.DummyCookieJar(),
                trust_env=False,
                auto_decompress=False,
                skip_auto_headers={"User-Agent", "Content-Type", "Accept-Encoding"},
            )
        return self._session

    async def close(self) -> None:
        """Close all connections."""
        if self._session is not None:
            await self._session.close()

    async def get(self, url: str, token: str = "", limit: int = MAX_ANSWER) -> bytes:
        """See Net.get."""
        return await self._ask("GET", url, None, token, limit)

    async def post(self, url: str, body: bytes, token: str = "", limit: int = MAX_ANSWER) -> bytes:
        """See Net.post."""
        return await self._ask("POST", url, body, token, limit)

    async def _ask(
        self, method: str, url: str, body: bytes | None, token: str, limit: int
    ) -> bytes:
        if not asked_host(url):  # a resolver would be told all the same, and it may be an onion's
            raise Unreachable
        if is_onion(url):  # here is no Tor
            raise Unreachable("An onion address needs Tor")
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        try:
            async with self._open().request(
                method, url, data=body, headers=headers, allow_redirects=False
            ) as answer:
                if answer.status not in (200, 204):
                    raise Unreachable("Another node refused a request")
                return await _read(answer.content, limit)
        # UnicodeError: a name that can be no host's, such as a..b.
        except (aiohttp.ClientError, TimeoutError, OSError, UnicodeError):
            raise Unreachable from None


async def _read(stream: aiohttp.StreamReader, limit: int) -> bytes:
    pieces, size = [], 0
    async for piece in stream.iter_any():
        size += len(piece)
        if size > limit:
            raise Unreachable("Another node's answer was longer than it may be")
        pieces.append(piece)
    return b"".join(pieces)
