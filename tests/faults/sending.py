"""People who write: each letter is its own, rides in a real hum, and what was answered is kept.

A letter counts as acknowledged when one copy each of the hello and the three body cells of one
hum around it got 204. Every fourth letter rides in two hums (two tabs), one of which is sent
twice over: it is one letter all the same.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from tests.faults.crew import Crew

from wallflower.errors import Fault
from wallflower.host.entropy import OsEntropy, uniform
from wallflower.host.http import HttpNet
from wallflower.source.edge.visit import hum_left, send_hum
from wallflower.source.letters import write_letter
from wallflower.trust.record import EpochRecord
from wallflower.wire.hello import Kind
from wallflower.wire.hum import make_hum, offsets_ms
from wallflower.wire.letter import Language
from wallflower.wire.sizes import SECRET

PAUSE_S = 0.2  # between two people
TWICE_EVERY = 4
_DRAW = OsEntropy().draw


def letter_text(number: int) -> str:
    """The text of a numbered letter."""
    return f"第{number}封信"


@dataclass
class Writers:
    """Sends letters until it is told to stop; knows which were acknowledged."""

    crew: Crew
    written: int = 0
    acknowledged: set[str] = field(default_factory=set)
    net: HttpNet = field(default_factory=lambda: HttpNet(connections=200))
    _record: EpochRecord | None = None
    _hums: set[asyncio.Task[None]] = field(default_factory=set)

    async def run(self) -> None:
        """A new person every PAUSE_S."""
        while True:
            await self.one()
            await asyncio.sleep(PAUSE_S)

    async def one(self) -> None:
        """One person starts to hum."""
        record = await self._today()
        if record is None:
            return
        self.written += 1
        task = asyncio.ensure_future(self._person(self.written, record))
        self._hums.add(task)
        task.add_done_callback(self._hums.discard)

    async def _today(self) -> EpochRecord | None:
        """Today's record, or the last one that could be had, while it is in force."""
        try:
            self._record = await self.crew.record()
        except Fault:
            now = self.crew.clock.now()
            if self._record is not None and not self._record.in_force(now):
                self._record = None
        return self._record

    async def _person(self, number: int, record: EpochRecord) -> None:
        text = letter_text(number)
        kept = write_letter(_DRAW(SECRET), text, Language.CHINESE, record, "Office", [], _DRAW)
        tabs = 1 if number % TWICE_EVERY else 2
        hums = [make_hum(record.body, Kind.LETTER, kept.sealed, _DRAW) for _ in range(tabs)]
        if tabs > 1:
            hums.append(hums[0])
        for answers in await asyncio.gather(*(self._send(cells) for cells in hums)):
            if hum_left(answers):
                self.acknowledged.add(text)

    async def _send(self, cells: list[bytes]) -> list[bool]:
        offsets = offsets_ms(self.crew.town.pace.pace().hums, lambda: uniform(_DRAW))
        return await send_hum(self.net, self.crew.town.url("ingress") + "/", cells, offsets)

    async def finish(self) -> None:
        """Let the hums that have begun end."""
        await asyncio.gather(*self._hums)

    async def close(self) -> None:
        """Close all connections."""
        for task in self._hums:
            task.cancel()
        await asyncio.gather(*self._hums, return_exceptions=True)
        await self.net.close()
