"""A crowd of honest viewers: each comes at random times and hums a filler over real HTTP.

What it leaves out of a real visit, and says: the film and the board's download (1 MB a visit).
"""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass, field

from wallflower.errors import Fault
from wallflower.host import Host
from wallflower.host.entropy import uniform
from wallflower.source.edge.visit import fetch_record, hum_pace, send_hum, way_url
from wallflower.source.letters import seal_filler
from wallflower.trust.pins import Pins
from wallflower.wire.census import report_of
from wallflower.wire.hello import Kind
from wallflower.wire.hum import make_hum, offsets_ms
from wallflower.wire.letter import Language
from wallflower.wire.record import WayKind


@dataclass(slots=True)
class Counts:
    """What the crowd has done so far."""

    viewers: int = 0
    hums: int = 0
    cells: int = 0
    refused: int = 0
    watched: set[int] = field(default_factory=set)


class Crowd:
    """`viewers` people, each with exponential pauses of mean `pause` record seconds."""

    def __init__(self, host: Host, mirror: str, pins: Pins, viewers: int, pause: float) -> None:
        self._host = host
        self._mirror = mirror
        self._pins = pins
        self._viewers = viewers
        self._pause = pause
        self.counts = Counts(viewers=viewers)

    async def run(self) -> None:
        """All viewers, for ever, and be there for ever where there are none."""
        viewers = [self._viewer(i) for i in range(self._viewers)]
        await asyncio.gather(*viewers, asyncio.Event().wait())

    async def _viewer(self, number: int) -> None:
        while True:
            wait = -self._pause * math.log(1.0 - uniform(self._host.entropy.draw))
            await self._host.clock.sleep_until(self._host.clock.now() + wait)
            try:
                await self._hum(number)
            except Fault:
                self.counts.refused += 1

    async def _hum(self, number: int) -> None:
        record = await fetch_record(self._host, self._mirror, self._pins)
        draw = self._host.entropy.draw
        sealed = seal_filler(record, self._pins.desk)
        report = report_of(Kind.COVER, 0, Language.CHINESE, draw)
        cells = make_hum(record.body, Kind.COVER, sealed, draw, report=report)
        offsets = offsets_ms(hum_pace(record, self._mirror), lambda: uniform(draw))
        url = way_url(record, WayKind.INGRESS) or ""
        answers = await send_hum(self._host.net, url, cells, offsets)
        self.counts.hums += 1
        self.counts.cells += sum(answers)
        self.counts.watched.add(number)
