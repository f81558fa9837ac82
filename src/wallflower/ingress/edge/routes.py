"""The public route: one POST of exactly one cell's length is 204 once durable; all else is refused.

The refusal is the same bytes whatever was wrong, overload included. Nothing of the request but
its body is looked at: no path, header, address or time is read, kept or counted.
"""

from __future__ import annotations

import asyncio

from wallflower.host.asgi import App, Receive, Scope, Send, answer, read_body, refuse
from wallflower.ingress.edge.commit import Commit
from wallflower.wire.sizes import CELL

SLOWEST_S = 6.0  # answered within 6.5 s, or the browser opens another connection


def cell_route(commit: Commit) -> App:
    """The ASGI app that the world sees."""

    async def route(scope: Scope, receive: Receive, send: Send) -> None:
        if await _taken(scope, receive, commit):
            await answer(send, 204)
        else:
            await refuse(send)

    return route


async def _taken(scope: Scope, receive: Receive, commit: Commit) -> bool:
    if scope["type"] != "http" or scope["method"] != "POST":
        return False
    try:
        async with asyncio.timeout(SLOWEST_S):
            cell = await read_body(receive, CELL)
            return cell is not None and len(cell) == CELL and await commit.put(cell)
    except TimeoutError:
        return False
