"""Who may come in: the guards of the desk's pages. Each is one function with a test of its own.

The desk listens on 127.0.0.1 only, but every page that the browser has open and every program on
this computer can send requests there. So: a name that is ours (against DNS rebinding), a session
that a one-time path gave, and for every change the page's own origin and a form token.

The session has two halves, both drawn at each start: a cookie, and the address below which all
pages are. Cookies know no ports, but they know paths: a browser sends this one to no other server
on this computer, and whoever has one half has nothing.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping
from typing import Final

_TOKEN_BYTES: Final = 24
_NAMES: Final = ("127.0.0.1", "localhost")


class Door:
    """The tokens of one run of the desk. A restart makes new ones.

    `announce` is told the next entry when one was used, so that a handler whose browser was closed
    finds a new one where the first was printed. Without it there is one entry only.
    """

    def __init__(
        self, draw: Callable[[int], bytes], port: int,
        announce: Callable[[str], None] | None = None,
    ) -> None:  # fmt: skip
        self._draw = draw
        self._announce = announce
        self._entry: str | None = draw(_TOKEN_BYTES).hex()
        self._session = draw(_TOKEN_BYTES).hex()
        self._form = draw(_TOKEN_BYTES).hex()
        self._hosts = frozenset(f"{name}:{port}" for name in _NAMES)
        self.base = f"/{draw(_TOKEN_BYTES).hex()}"
        # A name that nobody knows is one that no other server can set, to lock the handler out.
        self.cookie = f"wallflower-{draw(_TOKEN_BYTES).hex()}"

    @property
    def entry(self) -> str:
        """The path token that is printed once; empty when it was used."""
        return self._entry or ""

    @property
    def form_token(self) -> str:
        """What every form carries."""
        return self._form

    def enter(self, token: str) -> str | None:
        """The cookie's value for the right token, which is then dead; else None."""
        if self._entry is None or not _same(token, self._entry):
            return None
        self._entry = None
        if self._announce is not None:
            self._entry = self._draw(_TOKEN_BYTES).hex()
            self._announce(self._entry)
        return self._session

    def host_is_ours(self, host: str) -> bool:
        """Whether the Host header names this desk, and not some site that resolves to it."""
        return host in self._hosts

    def below(self, path: str) -> str | None:
        """The path of a page within ours; None for an address that is not below `base`."""
        own, page = path[: len(self.base)], path[len(self.base) :]
        return page if _same(own, self.base) and page.startswith("/") else None

    def session_is(self, cookies: Mapping[str, str]) -> bool:
        """Whether the request carries the session's cookie."""
        return _same(cookies.get(self.cookie, ""), self._session)

    def origin_is_ours(self, origin: str | None, host: str) -> bool:
        """Whether a change comes from our own page.

        An absent or `null` Origin is refused: every browser of today sends a true one with a form
        as long as the page's referrer policy is not `no-referrer`, which is why ours is
        `same-origin`. `null` is what a sandboxed frame or a data: page would send.
        """
        return self.host_is_ours(host) and origin == f"http://{host}"

    def form_is_ours(self, token: str) -> bool:
        """Whether a form carries the token that only our own pages hold."""
        return _same(token, self._form)


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode("utf-8", "replace"), other.encode())
