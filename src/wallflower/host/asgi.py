"""The few lines of ASGI that our servers share: read a bounded body, answer, refuse.

To the network every refusal is the same bytes; the reason stays inside.
"""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

REFUSAL_STATUS = 400
REFUSAL_HEADERS: Headers = [(b"content-length", b"0"), (b"connection", b"close")]


async def read_body(receive: Receive, limit: int) -> bytes | None:
    """The request's body, or None when it is longer than `limit` or the client went away."""
    pieces, size = [], 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return None
        piece = message.get("body", b"")
        size += len(piece)
        if size > limit:
            return None
        pieces.append(piece)
        if not message.get("more_body"):
            return b"".join(pieces)


async def answer(
    send: Send, status: int, body: bytes = b"", headers: Headers | None = None
) -> None:
    """Send one whole answer."""
    sized: Headers = [] if status == 204 else [(b"content-length", str(len(body)).encode())]
    start = {"type": "http.response.start", "status": status, "headers": [*sized, *(headers or [])]}
    await send(start)
    await send({"type": "http.response.body", "body": body})


async def refuse(send: Send) -> None:
    """The one refusal."""
    await send(
        {"type": "http.response.start", "status": REFUSAL_STATUS, "headers": REFUSAL_HEADERS}
    )
    await send({"type": "http.response.body", "body": b""})


def refusing_faults(app: App) -> App:
    """The same app, which refuses what it fails at: a full disk or a fault of ours would else be
    an answer of its own, by which others see what happens inside."""

    async def whole(scope: Scope, receive: Receive, send: Send) -> None:
        begun = False

        async def sent(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await app(scope, receive, sent)
        except Exception:
            if begun:  # the connection ends then, and nothing more is said
                raise
            await refuse(send)

    return whole


def bearer_is(scope: Scope, token: str) -> bool:
    """Whether the request carries this bearer token. Compared in constant time."""
    for name, value in scope["headers"]:
        if name == b"authorization":
            return hmac.compare_digest(value, b"Bearer " + token.encode("ascii"))
    return False
