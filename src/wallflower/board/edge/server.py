"""The desk server: public files for all, posts from mixes and desk, one release clock."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass

from wallflower.board.alarms import alarms
from wallflower.board.compose import Fixed
from wallflower.board.edge.board import Board
from wallflower.board.edge.records import Records
from wallflower.board.edge.status import report
from wallflower.board.edge.told import Told
from wallflower.errors import Refused
from wallflower.host import Host
from wallflower.host.asgi import (
    Headers,
    Receive,
    Scope,
    Send,
    answer,
    bearer_is,
    read_body,
    refuse,
)
from wallflower.host.loops import LoopSettings
from wallflower.host.status import Status
from wallflower.trust.pins import Pins
from wallflower.trust.record import EpochRecord
from wallflower.wire.sizes import HASH

MOST_BODY = 8 * 1024 * 1024  # of the desk and of B, whose tokens say so
MOST_OPEN_BODY = 4096  # of whoever else posts: an offer has the most, 1,350 B
CHECK_S = 60  # record seconds between two looks at the clock
_BEFORE_FIRST_RECORD_S = 0.1
# Anyone may read the public files, from any origin; nothing is kept by the browser.
PUBLIC: Headers = [
    (b"content-type", b"application/octet-stream"),
    (b"access-control-allow-origin", b"*"),
    (b"cache-control", b"no-store"),
]


@dataclass(frozen=True, slots=True)
class Tokens:
    """Who may post what: the desk, and mix B for its drop head."""

    desk: str
    b: str
    status: str


class DeskServer:
    """Everything of the desk server but its sockets. It opens nothing that it carries."""

    def __init__(
        self, host: Host, pins: Pins, fixed: Fixed, tokens: Tokens,
        record_seed: bytes, board_seed: bytes, loops: LoopSettings | None = None,
    ) -> None:  # fmt: skip
        self._host = host
        self._tokens = tokens
        self.records = Records(host, pins, fixed, record_seed)
        self.board = Board(host, board_seed)
        self.disk_failures = 0
        self.told = Told(host, loops)
        self.folder = host.disk.path
        self.drop_told = host.clock.now()  # when B last told of a new drop; in memory only
        self._demo = fixed.parameters.pace.days > 1

    def now(self) -> float:
        """Record time."""
        return self._host.clock.now()

    def step(self) -> None:
        """Draft what can be drafted; release what is due."""
        now = self._host.clock.now()
        self.records.take_request()
        self.records.advance()
        record = self.records.in_force(now)
        if record is not None:
            self.board.release(record, now)

    async def run(self) -> None:
        """Steps for ever."""
        while True:
            try:
                self.step()
            except OSError:
                # A full or failing disk: what was to be written is due again at the next look.
                self.disk_failures += 1
            now = self._host.clock.now()
            record = self.records.in_force(now)
            if record is None:
                await asyncio.sleep(_BEFORE_FIRST_RECORD_S)
                continue
            period = record.body.parameters.period
            due = (now // period + 1) * period
            await self._host.clock.sleep_until(min(due, now + max(CHECK_S, period / 8)))

    async def app(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The only listener. What is not known is refused like everything else."""
        if scope["type"] != "http":
            return
        if scope["method"] == "GET":
            found = self._get(scope)
            if found is None:
                await refuse(send)
            else:
                await answer(send, 200, found, PUBLIC)
            return
        # Anybody may post without a token, so many at once: little of it may be in memory.
        body = await read_body(receive, MOST_BODY if self._has_token(scope) else MOST_OPEN_BODY)
        try:
            known = scope["method"] == "POST" and body is not None and self._post(scope, body)
        except (Refused, OSError):  # nothing is taken that is not on the disk
            known = False
        if known:
            await answer(send, 204)
        else:
            await refuse(send)

    def _has_token(self, scope: Scope) -> bool:
        return bearer_is(scope, self._tokens.desk) or bearer_is(scope, self._tokens.b)

    def _get(self, scope: Scope) -> bytes | None:
        now = self._host.clock.now()
        place = scope["path"].strip("/").split("/")
        if place == ["record"]:
            record = self.records.in_force(now)
            return record.raw if record else None
        if place == ["board", "head"]:
            return self.board.head
        if place == ["drafts", "next"]:
            return self.records.next_number().to_bytes(2)
        if place == ["desk", "revoked"]:
            return self.records.revoked()
        if place == ["census"]:
            return self.told.census
        if place == ["status"] and bearer_is(scope, self._tokens.status):
            return report(self).encode()
        if place == ["counts"] and self._demo and bearer_is(scope, self._tokens.status):
            return json.dumps(self.status()).encode()
        if len(place) != 2 or not (place[1].isascii() and place[1].isdigit()):
            return None
        number = int(place[1][:9])
        readers = {
            "board": self.board.segment, "records": self.records.raw, "drafts": self.records.draft,
        }  # fmt: skip
        read = readers.get(place[0])
        return read(number) if read else None

    def _post(self, scope: Scope, body: bytes) -> bool:
        path = scope["path"]
        if path in ("/mix/offer/a", "/mix/offer/b"):
            self.records.take_offer(path[-1], body)
        elif path in ("/mix/signature/a", "/mix/signature/b"):
            self.records.take_signature(path[-1], body)
        elif path in ("/mix/withdrawal/a", "/mix/withdrawal/b"):
            self.records.take_withdrawal(path[-1], body)
        elif path == "/mix/drop-head" and bearer_is(scope, self._tokens.b) and len(body) == HASH:
            if body != self.board.drop_head:
                self.drop_told = self.now()
            self.board.keep_drop_head(body)
        elif path == "/mix/loops" and bearer_is(scope, self._tokens.b):
            self.told.take_loops(body)
        elif path == "/mix/census" and bearer_is(scope, self._tokens.b):
            self._take_census(body)
        elif path == "/desk/keys" and bearer_is(scope, self._tokens.desk):
            self.records.take_desk_keys(body)
        elif path == "/desk/batch" and bearer_is(scope, self._tokens.desk):
            self._take_batch(body)
        else:
            return False
        return True

    def _record_now(self) -> tuple[EpochRecord, float]:
        now = self._host.clock.now()
        record = self.records.in_force(now)
        if record is None:
            raise Refused("board 3", "There is no record in force")
        return record, now

    def _take_batch(self, body: bytes) -> None:
        self.board.take_batch(body, *self._record_now())

    def _take_census(self, body: bytes) -> None:
        self.told.take_census(body, self._record_now()[0])

    def alarms(self) -> list[str]:
        """What the organisation's operator has to do now, so that no day lacks a record."""
        return alarms(self.records.ahead(), self._host.clock.now())

    async def report(self) -> Status:
        """What the operator is told."""
        return report(self)

    def status(self) -> dict[str, int]:
        """Counts, for tests and the demo; the operator is shown `report` instead."""
        now = self._host.clock.now()
        record = self.records.in_force(now)
        return {
            "segments": self.board.count(), "record": record.number if record else 0,
            "days_ahead": max(0, self.records.days_ahead(now)),
            "disk_failures": self.disk_failures,
        }  # fmt: skip
