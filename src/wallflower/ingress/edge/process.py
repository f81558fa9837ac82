"""The ingress process: a public listener, an inner one for A, one database."""

from __future__ import annotations

import json
from pathlib import Path

from wallflower.errors import Refused
from wallflower.host import Host
from wallflower.host.asgi import App, Receive, Scope, Send, answer, bearer_is, read_body, refuse
from wallflower.host.clock import PacedClock, day_of
from wallflower.host.disk import Folder
from wallflower.host.entropy import OsEntropy
from wallflower.host.log import Log
from wallflower.host.net import HttpNet
from wallflower.host.pull import encode_entries, parse_question
from wallflower.host.serve import Listener, serve
from wallflower.host.settings import load_settings
from wallflower.ingress.edge.commit import Commit
from wallflower.ingress.edge.routes import cell_route

KEPT_DAYS = 3  # A's keys live two days; what A has not pulled by then opens nowhere


class Ingress:
    """Everything of ingress but its sockets."""

    def __init__(self, host: Host, token: str) -> None:
        self._clock = host.clock
        self._token = token
        self._log = Log(host.disk.database("cells.db"), "cells")
        self.commit = Commit(self._log, host.entropy, self._today)
        self.public: App = cell_route(self.commit)

    def _today(self) -> int:
        # A day's number, not a time: it is all that is kept of when a cell came.
        return day_of(self._clock.now()) & 0xFFFF

    async def inner(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The listener that only A knows: pull and status."""
        body = await read_body(receive, 64)
        if body is None or not bearer_is(scope, self._token):
            await refuse(send)
        elif scope["path"] == "/cells":
            await self._answer_pull(body, send)
        elif scope["path"] == "/status":
            waiting = await self.commit.on_disk(self._log.size)
            status = {"cells": self.commit.cells, "waiting": waiting}
            await answer(send, 200, json.dumps(status).encode())
        else:
            await refuse(send)

    async def _answer_pull(self, question: bytes, send: Send) -> None:
        try:
            after, most = parse_question(question)
        except Refused:
            await refuse(send)
            return
        await answer(send, 200, await self.commit.on_disk(lambda: self._pull(after, most)))

    def _pull(self, after: int, most: int) -> bytes:
        self._log.trim(after)
        self._log.trim_records(self._today() - KEPT_DAYS)
        return encode_entries(self._log.read(after, most))


async def main(config: Path) -> None:
    """Run ingress by its configuration until it is told to stop."""
    settings = load_settings(config)
    clock = PacedClock(settings.pace())
    host = Host(clock, OsEntropy(), Folder(config.parent / "data"), HttpNet())
    ingress = Ingress(host, settings.secret("token"))
    inner = settings.table("inner")
    await serve(
        [
            Listener(ingress.public, settings.get("host", str), settings.get("port", int)),
            Listener(ingress.inner, inner.get("host", str), inner.get("port", int)),
        ],
        ingress.commit.run(),
    )
