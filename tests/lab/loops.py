"""Loops in a simulated town: their real sender and watchers, and somebody who drops hums."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from tests.mix.room import desk_keys

from wallflower.board.edge.status import report as of_organisation
from wallflower.host.asgi import App, Receive, Scope, Send, answer, read_body
from wallflower.host.loops import LoopSettings
from wallflower.host.status import Status
from wallflower.lab.town import BOARD, MIRROR, TOKEN, SimulatedTown, simulated_town
from wallflower.mix.edge.status import report as of_mix
from wallflower.source.edge.loops import LoopSender
from wallflower.wire.cells import read_name
from wallflower.wire.loop import loop_at, step_of
from wallflower.wire.sizes import CELL, DAY_S

T = TypeVar("T")
WATCHERS = ("mix-a", "mix-b", "organisation")
PER_DAY = 96
START = 20778


@dataclass
class LoopTown:
    """A town whose every loop leaves in its minute; the hum's cells go out at once."""

    town: SimulatedTown
    sent: int = 0
    _step: int = field(init=False)

    def __post_init__(self) -> None:
        self._step = step_of(self.town.clock.now())

    async def open(self, days: int = 45) -> None:
        """Hand in the desk's keys and step until there is a record."""
        await self.town.net.post(f"{BOARD}/desk/keys", desk_keys(range(START, START + days)), TOKEN)
        for _ in range(6):
            await self.town.step()

    async def _send_due(self) -> None:
        """Send every loop of the minutes since the last look, each by its own sender."""
        now = step_of(self.town.clock.now())
        posts = []
        for name in WATCHERS:
            settings = self.town.watched(name)
            assert settings is not None
            host = self.town.host(f"sender-of-{name}")
            sender = LoopSender(host, MIRROR, self.town.pins, [settings])
            for step in range(self._step + 1, now + 1):
                loop = loop_at(settings.key, settings.per_day, step)
                if loop is not None:
                    _, cells = await sender.cells(loop)
                    first = step % 8  # any four that follow each other are enough
                    posts += [self._post(cell) for cell in cells[first : first + 4]]
                    self.sent += 1
        await asyncio.gather(*posts)  # one commit of ingress for all of them
        self._step = now

    async def _post(self, cell: bytes) -> None:
        await self.town.net.post("http://ingress.example/", cell, limit=0)

    async def pass_days(self, days: float) -> None:
        """Let days pass, loops leaving on their way."""
        end = self.town.clock.now() + days * DAY_S
        while self.town.clock.now() < end:
            await self._send_due()
            await self.town.pass_time(self.town.parameters.tick)

    def missing(self) -> dict[str, tuple[int, int]]:
        """(due, missing) as each watcher's status tells it."""
        reports = self._facts()
        return {n: (int(f["loops_due"]), int(f["loops_missing"])) for n, f in reports.items()}

    def _facts(self) -> dict[str, dict[str, str | int]]:
        return {name: status.facts for name, status in self._statuses().items()}

    def _statuses(self) -> dict[str, Status]:
        town = self.town
        return {
            "mix-a": of_mix(town.a), "mix-b": of_mix(town.b),
            "organisation": of_organisation(town.server),
        }  # fmt: skip

    def ringing(self) -> set[str]:
        """Who has the alarm of loops."""
        return {
            name
            for name, status in self._statuses().items()
            if "loops-missing" in {alarm.name for alarm in status.alarms}
        }

    def let_ingress_drop(self, share: float) -> None:
        """From now on ingress acknowledges this share of the hums and keeps nothing of them."""
        real = self.town.net.apps["ingress.example"]
        self.town.net.apps["ingress.example"] = _dropping(real, share)

    def let_a_drop(self, share: float) -> None:
        """From now on A opens this share of the hums and forgets them instead of holding them."""
        chance, real = random.Random(9), self.town.a.pool.put_each

        def put_each(
            record: int, day: int, items: Sequence[T], body_of: Callable[[T], bytes | None]
        ) -> int:
            def kept(item: T) -> bytes | None:
                body = body_of(item)
                return body if chance.random() >= share else None

            return real(record, day, items, kept)

        self.town.a.pool.put_each = put_each  # type: ignore[method-assign]


def _dropping(real: App, share: float) -> App:
    chance = random.Random(7)
    fate: dict[bytes, bool] = {}

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        cell = await read_body(receive, CELL)
        assert cell is not None
        name = read_name(cell)[2]
        if fate.setdefault(name, chance.random() < share):
            await answer(send, 204)
            return

        async def again() -> dict[str, object]:
            return {"type": "http.request", "body": cell, "more_body": False}

        await real(scope, again, send)

    return app


async def loop_town(path: Path) -> LoopTown:
    """A town with loops, opened."""
    town = LoopTown(simulated_town(path, START, loops=LoopSettings(b"loops".ljust(32), PER_DAY)))
    await town.open()
    return town
