"""Fetching a bundle from a mirror: limits of length and time on each answer. Spec: bundle.md 6.

No redirect is followed, no proxy of the environment used, no cookie kept, and nothing said about
the program that asks. An onion address goes through the SOCKS port that is given, its name too.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, Final, TypeVar
from urllib.parse import quote

import aiohttp
from aiohttp_socks import ProxyConnector, ProxyError
from tuf.api.exceptions import DownloadError, DownloadHTTPError, SlowRetrievalError
from yarl import URL

from wallflower.campaign.addresses import parts_of
from wallflower.campaign.edge.verify_places import Absent, Place
from wallflower.errors import Fault
from wallflower.host.net import asked_host, is_onion

T = TypeVar("T")
HEAD_S: Final = 60.0  # to connect and to have the whole head of the answer
GAP_S: Final = 20.0  # between two pieces
GRACE_S: Final = 30.0  # before the average counts
SLOWEST: Final = 1000  # bytes per second, on average
INDEX: Final = "/index.html"  # what a browser may show behind a site's address
_PIECE: Final = 64 * 1024
_OK: Final = 200
_GONE: Final = (404, 410)
# Some hosts say it of every name that they have not; python-tuf takes it for the end of the roots.
_FORBIDDEN: Final = 403


class MirrorPlace(Place):
    """A bundle on a mirror; `socks` is "host:port" of a Tor client, for onion addresses."""

    def __init__(
        self, url: str, socks: str = "", clock: Callable[[], float] = time.monotonic,
        head_s: float = HEAD_S, gap_s: float = GAP_S, grace_s: float = GRACE_S,
    ) -> None:  # fmt: skip
        parts, host = parts_of(url), asked_host(url)
        if parts.scheme not in ("http", "https") or not host or parts.username:
            raise Fault("That is no address of a mirror", "Give one that begins with https://.")
        if is_onion(url) and not socks:
            raise Fault(
                "An onion address needs Tor", "Start Tor and give its port: --socks 127.0.0.1:9050"
            )
        proxy = parts_of(f"socks5://{socks}")
        if socks and not (proxy.hostname and proxy.port):
            raise Fault("That is no address of Tor's port", "Give it as --socks 127.0.0.1:9050.")
        at = (f"[{host}]" if ":" in host else host) + (f":{parts.port}" if parts.port else "")
        self.base = f"{parts.scheme}://{at}{parts.path.removesuffix(INDEX).rstrip('/')}/"
        self._clock, self._socks = clock, socks
        self._head_s, self._gap_s, self._grace_s = head_s, gap_s, grace_s
        self._runner = asyncio.Runner()
        self._session: aiohttp.ClientSession | None = None

    def names(self) -> set[str] | None:
        """Nobody can list a mirror."""
        return None

    def close(self) -> None:
        """Close all connections."""
        if self._session is not None:
            self._runner.run(self._session.close())
        self._runner.close()

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=ProxyConnector.from_url(f"socks5://{self._socks}", rdns=True)
                if self._socks
                else None,
                timeout=aiohttp.ClientTimeout(total=None),
                cookie_jar=aiohttp.DummyCookieJar(), trust_env=False, auto_decompress=False,
                skip_auto_headers={"User-Agent", "Accept-Encoding"},
            )  # fmt: skip
        return self._session

    def _fetch(self, url: str) -> Iterator[bytes]:
        began = self._clock()
        answer = self._run(self._ask(url), self._head_s)
        if answer.status != _OK:
            answer.close()
            if answer.status in _GONE:
                raise Absent
            if answer.status == _FORBIDDEN:
                raise DownloadHTTPError("refused", answer.status)
            raise DownloadError("refused for now, or elsewhere")
        return self._pieces(answer, began)

    async def _ask(self, url: str) -> aiohttp.ClientResponse:
        name = quote(url.removeprefix(self.base), safe="/%")
        address = URL(self.base + name, encoded=True)
        return await self._open().get(address, allow_redirects=False)

    def _pieces(self, answer: aiohttp.ClientResponse, began: float) -> Iterator[bytes]:
        got = 0
        try:
            while piece := self._run(answer.content.read(_PIECE), self._gap_s):
                got += len(piece)
                late = self._clock() - began - self._grace_s
                if late > 0 and got < late * SLOWEST:
                    raise SlowRetrievalError("too slow")
                yield piece
        finally:
            answer.close()

    def _run(self, work: Coroutine[Any, Any, T], limit_s: float) -> T:
        try:
            return self._runner.run(asyncio.wait_for(work, limit_s))
        except TimeoutError as error:
            raise SlowRetrievalError("no answer in time") from error
        except (aiohttp.ClientError, ProxyError, OSError, ValueError) as error:
            raise DownloadError("no whole answer") from error
