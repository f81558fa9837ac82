"""What stands before the desk's pages: who gets through, and one refusal for everyone else.

The guards themselves are in `desk.door`; here they meet the request. Without both halves of the
session every path answers the same bytes, so that a stranger's page cannot even tell that a desk
runs.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import parse_qsl

from wallflower.desk.door import Door
from wallflower.host.asgi import (
    App,
    Headers,
    Receive,
    Scope,
    Send,
    answer,
    bearer_is,
    read_body,
    refuse,
)

# Far more than a reply, whose 64 slots of 716 bytes are 135 kB when each byte is percent-encoded:
# the page that says so keeps the text, and a refusal here would lose it.
MOST_FORM: Final = 8 * 1024 * 1024
_MOST_FIELDS: Final = 8
_ENTER: Final = "/enter/"
# same-origin, not no-referrer: with no-referrer a browser sends `Origin: null` with our own forms.
SECURITY: Final[Headers] = [
    (b"content-security-policy",
     b"default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'; "
     b"base-uri 'none'"),
    (b"referrer-policy", b"same-origin"),
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
]  # fmt: skip


class Gate:
    """Wraps the pages; `reports`, by path, are for the holder of the status token."""

    def __init__(self, door: Door, pages: App, reports: dict[str, App], status_token: str) -> None:
        self._door = door
        self._pages = pages
        self._reports = reports
        self._status_token = status_token

    async def app(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The only listener."""
        if scope["type"] != "http":
            return
        names = [value for name, value in scope["headers"] if name == b"host"]
        host = names[0].decode("latin-1") if len(names) == 1 else ""
        if not self._door.host_is_ours(host):
            await refuse(send)
        elif scope["method"] == "GET" and scope["path"].startswith(_ENTER):
            await self._enter(scope, send)
        elif self._is_report(scope):
            await self._reports[scope["path"]](scope, receive, send)
        else:
            page = self._door.below(scope["path"])
            if page is None or not self._door.session_is(_cookies(scope)):
                await refuse(send)
            else:
                await self._page({**scope, "path": page}, receive, send, host)

    async def _page(self, scope: Scope, receive: Receive, send: Send, host: str) -> None:
        if scope["method"] == "GET":
            await self._pages(scope, receive, send)
        elif scope["method"] == "POST":
            await self._post(scope, receive, send, host)
        else:
            await refuse(send)

    def _is_report(self, scope: Scope) -> bool:
        asked = scope["method"] == "GET" and scope["path"] in self._reports
        return asked and bool(self._status_token) and bearer_is(scope, self._status_token)

    async def _enter(self, scope: Scope, send: Send) -> None:
        session = self._door.enter(scope["path"].removeprefix(_ENTER))
        if session is None:
            await refuse(send)
            return
        inbox = f"{self._door.base}/"
        cookie = f"{self._door.cookie}={session}; HttpOnly; SameSite=Strict; Path={inbox}"
        to: Headers = [
            (b"location", inbox.encode("ascii")), (b"set-cookie", cookie.encode("ascii"))
        ]  # fmt: skip
        await answer(send, 303, b"", [*SECURITY, *to])

    async def _post(self, scope: Scope, receive: Receive, send: Send, host: str) -> None:
        """A change: the page's own origin, and the token of our own forms, before anything else."""
        origins = [value for name, value in scope["headers"] if name == b"origin"]
        origin = origins[0].decode("latin-1") if len(origins) == 1 else None
        body = await read_body(receive, MOST_FORM)
        fields = _fields(body) if body is not None else {}
        ours = self._door.origin_is_ours(origin, host)
        if not ours or not self._door.form_is_ours(fields.get("form", "")):
            await refuse(send)
            return
        scope["wallflower.fields"] = fields
        await self._pages(scope, receive, send)


def _cookies(scope: Scope) -> dict[str, str]:
    """The request's cookies, cut where RFC 6265 (5.4) has a browser join them. Others on this
    computer set some too: a stricter reader would give up ours for the sake of theirs."""
    headers = [value.decode("latin-1") for name, value in scope["headers"] if name == b"cookie"]
    pairs = (pair.partition("=") for header in headers for pair in header.split("; "))
    return {name: value for name, _, value in pairs}


def _fields(body: bytes) -> dict[str, str]:
    """The fields of a urlencoded form; anything else has none, and so no form token. Text that is
    not UTF-8 is anything else: an answer that was mended here would not be what was written."""
    try:
        pairs = parse_qsl(
            body.decode("ascii"), keep_blank_values=True, errors="strict",
            max_num_fields=_MOST_FIELDS,
        )  # fmt: skip
    except ValueError:
        return {}
    return dict(pairs)
