"""The ingress process: a public listener, an inner one for A, one database."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from wallflower.errors import Fault, Refused
from wallflower.host import Host
from wallflower.host.asgi import App, Receive, Scope, Send, answer, bearer_is, read_body, refuse
from wallflower.host.clock import PacedClock, day_of
from wallflower.host.disk import Folder
from wallflower.host.entropy import OsEntropy
from wallflower.host.log import Log
from wallflower.host.net import Silent
from wallflower.host.pull import WHOLE, Share, encode_entries, parse_share_question
from wallflower.host.serve import Listener, serve, status_listeners
from wallflower.host.settings import Settings, load_settings
from wallflower.host.status import Alarm, Fact, Status, coarse, disk_alarms, silence_alarm
from wallflower.ingress.edge.commit import Commit
from wallflower.ingress.edge.routes import cell_route
from wallflower.wire.cells import share_of

A_SILENT_S = 2 * 3600  # A asks each tick, and a tick is an hour at most
KEPT_DAYS = 3  # A's keys live two days; what A has not pulled by then opens nowhere
FORGET_S = 3600  # between two looks at what came too long ago
_MOST_CELLS = 255


class Ingress:
    """Everything of ingress but its sockets."""

    def __init__(self, host: Host, token: str, *, demo: bool = False) -> None:
        self._clock = host.clock
        self._folder = host.disk.path
        self._demo = demo
        self._asked = host.clock.now()  # when A last asked; in memory only
        self._looked = -1  # the day on which what is too old was forgotten last
        self._token = token
        self._log = Log(host.disk.database("cells.db"), "cells")
        # Up to which number each share of A has everything, since this process began.
        self._of = WHOLE.of
        self._after: dict[int, int] = {}
        # That of the last look at the clock, which the newest cell bears where there is one.
        self._day = self._log.newest_record(day_of(host.clock.now()) & 0xFFFF)
        self.commit = Commit(self._log, host.entropy, self._today)
        self.public: App = cell_route(self.commit)

    def _today(self) -> int:
        # A day's number, not a time: it is all that is kept of when a cell came.
        today = day_of(self._clock.now()) & 0xFFFF
        if abs(today - self._day) > 1:
            # The clock was set: what waits bears days of another one, and may have come just now.
            self._log.set_records(today)
        self._day = today
        return today

    async def run(self) -> None:
        """Forget for ever what came more than KEPT_DAYS ago, whether A asks or not; where the clock
        was set, that long after it was."""
        while True:
            await self.commit.on_disk(self._forget)
            await self._clock.sleep_until(self._clock.now() + FORGET_S)

    def _forget(self) -> None:
        # A disk that fails now may not at the next look, and A can make room on it meanwhile.
        with suppress(sqlite3.Error):
            today = self._today()
            # Each look reads all that waits, and what comes after it is of today.
            if today == self._looked:
                return
            self._log.trim_records(today - KEPT_DAYS)
            self._looked = today

    async def inner(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The listener that only A knows: pull and status."""
        body = await read_body(receive, 64)
        if body is None or not bearer_is(scope, self._token):
            await refuse(send)
        elif scope["path"] == "/cells":
            await self._answer_pull(body, send)
        elif scope["path"] == "/status":
            await answer(send, 200, (await self.report()).encode())
        elif scope["path"] == "/counts" and self._demo:
            waiting = await self.commit.on_disk(self._log.size)
            counts = {"cells": self.commit.cells, "waiting": waiting}
            await answer(send, 200, json.dumps(counts).encode())
        else:
            await refuse(send)

    async def report(self) -> Status:
        """What the operator is told: nothing of who uploads, or when."""
        facts: dict[str, Fact] = {}
        unread: list[Alarm] = []
        try:
            waiting = await self.commit.on_disk(self._log.span)
            facts["cells_waiting_for_a"] = coarse(waiting)
        except (OSError, sqlite3.Error):
            what = "what waits for A cannot be read"
            unread = [Alarm("disk-failed", what, "Look at the disk.")]
        since = self._clock.now() - self._asked
        alarms = [
            *disk_alarms(self._folder),
            *silence_alarm("after-silent", "A has not asked", since, A_SILENT_S),
        ]
        if self.commit.failures:
            what = "cells were refused, since the disk did not take them"
            alarms.append(Alarm("disk-failed", what, "Look at the disk."))
        return Status("ingress", [*alarms, *unread], facts)

    async def _answer_pull(self, question: bytes, send: Send) -> None:
        try:
            after, most, share = parse_share_question(question)
        except Refused:
            await refuse(send)
            return
        self._asked = self._clock.now()
        await answer(send, 200, await self.commit.on_disk(lambda: self._pull(after, most, share)))

    def _pull(self, after: int, most: int, share: Share) -> bytes:
        self._forget()
        self._log.go_on_above(after)
        if share == WHOLE:
            self._log.trim(after)
            return encode_entries(self._log.read(after, most))

        def mine(cell: bytes) -> bool:
            return share_of(cell, share.of) == share.number

        self._trim(after, most, share, mine)
        return encode_entries(self._log.read(after, most, mine))

    def _trim(self, after: int, most: int, share: Share, mine: Callable[[bytes], bool]) -> None:
        """Forget what all shares of A have. One that was not heard of yet may have nothing."""
        if share.of != self._of:
            self._of, self._after = share.of, {}
        self._after[share.number] = after
        if len(self._after) == share.of:
            self._log.trim(min(self._after.values()))
        if not most:  # a share's last question of a round, when little of others is left to look at
            self._log.trim_wanted(after, mine)


def cells_per_connection(settings: Settings) -> int | None:
    """After how many cells a connection is ended; None: it is kept as long as it is used. A Fault
    for a number that a record cannot say of a way (record 1)."""
    if "cells_per_connection" not in settings.fields:
        return None
    cells = settings.get("cells_per_connection", int)
    if not 1 <= cells <= _MOST_CELLS:
        raise Fault(
            f"{settings.path.name} has a number of cells per connection that cannot be",
            f"Write one of 1 to {_MOST_CELLS}, the one that organisation.toml has for its ways.",
        )
    return cells


async def main(config: Path) -> None:
    """Run ingress by its configuration until it is told to stop."""
    settings = load_settings(config)
    clock = PacedClock(settings.pace())
    host = Host(clock, OsEntropy(), Folder(config.parent / "data"), Silent())
    ingress = Ingress(host, settings.secret("token"), demo=settings.pace().days > 1)
    await serve(
        [
            Listener(ingress.public, *settings.address(), cells_per_connection(settings)),
            Listener(ingress.inner, *settings.table("inner").address()),
            *status_listeners(settings, ingress.report),
        ],
        ingress.commit.run(),
        ingress.run(),
    )
